"""Refusing tokens before they expire, here at once and in every other process within two seconds.

Each process reads what is new in ``revoked_tokens`` once a second. A row names a token, or, as ``user:`` and an
id, a user whose tokens must be looked up again.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.base import Executable

from taskwell.database import Lane, Query, UtcInstant, UuidText, now
from taskwell.users.principal import Principal
from taskwell.users.tables import RevokedTokenRow

NEWS_KEPT_FOR = timedelta(hours=1)
"""How long ``user:`` rows stay; every process has read them within seconds."""

FOR_EVER = datetime(9999, 1, 1, tzinfo=UTC)
"""How long a deleted external user's older tokens are refused: how long they live, their issuer decides."""


def _added(dialect: str) -> postgresql.Insert | sqlite.Insert:
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return insert(RevokedTokenRow).values(
        token_id=bindparam("token_id"),
        user_id=bindparam("user_id", type_=UuidText),
        expires_at=bindparam("expires_at", type_=UtcInstant),
        revoked_at=bindparam("revoked_at", type_=UtcInstant),
    )


def _refuse(dialect: str) -> Sequence[Executable]:
    added = _added(dialect)
    news = {"revoked_at": added.excluded.revoked_at, "expires_at": added.excluded.expires_at}
    return [added.on_conflict_do_update(index_elements=["token_id"], set_=news)]


_REFUSE: Query[None] = Query(_refuse, lambda *_: None)


def _end_later(dialect: str) -> Sequence[Executable]:
    """The first end that a token was given stays: renewing it again and again makes it no older."""
    return [_added(dialect).on_conflict_do_nothing(index_elements=["token_id"])]


_END_LATER: Query[None] = Query(_end_later, lambda *_: None)

_NEWS: Query[tuple[str, datetime]] = Query(
    select(RevokedTokenRow.token_id, RevokedTokenRow.revoked_at).where(
        RevokedTokenRow.revoked_at >= bindparam("since", type_=UtcInstant)
    ),
    lambda *columns: columns,
)

_old = (
    select(RevokedTokenRow.token_id)
    .where(RevokedTokenRow.expires_at < bindparam("before", type_=UtcInstant))
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
    .cte("old")
)
_PURGE: Query[str] = Query(
    delete(RevokedTokenRow)
    .where(RevokedTokenRow.token_id.in_(select(_old.c.token_id)))
    .returning(RevokedTokenRow.token_id),
    str,
    is_heavy=True,
)


def name_of_user(user_id: str) -> str:
    """What stands for all tokens of a user."""
    return f"user:{user_id}"


async def revoke(lane: Lane, user: Principal) -> None:
    """Refuses the caller's token from now on; doing so twice is the same as once."""
    await _add(lane, user.token_id, user.user_id, user.expires_at)


async def end_later(lane: Lane, user: Principal, at: datetime) -> None:
    """Refuses the caller's token from that instant on."""
    await lane.rows(
        _END_LATER, token_id=user.token_id, user_id=user.user_id, expires_at=user.expires_at, revoked_at=at
    )


async def announce_change(lane: Lane, user_id: str) -> None:
    """Makes every process look the user up again, whatever it has cached of their tokens."""
    await _add(lane, name_of_user(user_id), user_id, now() + NEWS_KEPT_FOR)


async def announce_end(lane: Lane, user_id: str, token_id: str) -> None:
    """Makes every process forget a personal token that is gone."""
    await _add(lane, token_id, user_id, now() + NEWS_KEPT_FOR)


async def refuse_former(lane: Lane, user_id: str, identity_ids: Sequence[str]) -> None:
    """Refuses the tokens that were issued before now to an external identity whose user is gone."""
    for identity_id in identity_ids:
        await _add(lane, identity_id, user_id, FOR_EVER)


async def _add(lane: Lane, token_id: str, user_id: str, expires_at: datetime) -> None:
    await lane.rows(_REFUSE, token_id=token_id, user_id=user_id, expires_at=expires_at, revoked_at=now())


async def recently_revoked(lane: Lane, within: timedelta) -> set[tuple[str, datetime]]:
    """What any process has refused since, and when: ids of tokens, and ``name_of_user`` of users."""
    return set(await lane.rows(_NEWS, since=now() - within))


async def purge_revoked(lane: Lane, limit: int) -> int:
    """Forgets revocations of tokens that have expired anyway, so many at most; gives how many."""
    return len(await lane.rows(_PURGE, before=now() - timedelta(minutes=1), limit=limit))
