"""Tokens in links and addresses: 256 bits, stored as a hash only, good once and for a while."""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Final, Literal

from sqlalchemy import ColumnElement, Text, bindparam, delete, insert, select

from taskwell.database import Lane, Query, UtcInstant, UuidText, now
from taskwell.errors import LinkOver
from taskwell.users.tables import OneTimeTokenRow, UserRow

Purpose = Literal["verify_email", "reset_password", "sign_in", "link_provider", "exchange"]
SIGN_IN: Final = "sign_in"
"""Told in an answer and not mailed: the challenge of who has still to send a code."""

LIFETIMES: dict[Purpose, timedelta] = {
    "verify_email": timedelta(hours=24),
    "reset_password": timedelta(minutes=30),
    SIGN_IN: timedelta(minutes=5),
    "link_provider": timedelta(minutes=10),
    "exchange": timedelta(minutes=1),
}

_USER_ID = bindparam("user_id", type_=UuidText)
_EMAIL = bindparam("email", type_=Text)
_HASH = bindparam("hash", type_=Text)
_PURPOSE = bindparam("purpose", type_=Text)


@dataclass(frozen=True, slots=True)
class UsedToken:
    """Whose token it was, and to which e-mail it was sent."""

    user_id: str
    email: str
    detail: str | None


def issuing(provided: ColumnElement[bool]) -> Query[str]:
    """A statement for ``issue`` that makes a token only while ``provided`` holds of the user and the e-mail."""
    detail = bindparam("detail", None, Text)
    source = select(_HASH, _PURPOSE, UserRow.id, _EMAIL, detail, bindparam("expires_at", type_=UtcInstant))
    names = ["hash", "purpose", "user_id", "email", "detail", "expires_at"]
    made = insert(OneTimeTokenRow).from_select(names, source.where(UserRow.id == _USER_ID, provided))
    return Query(made.returning(OneTimeTokenRow.hash), str)


async def issue(
    lane: Lane,
    query: Query[str],
    purpose: Purpose,
    *,
    user_id: str,
    email: str,
    detail: str | None = None,
    bound_to: str = "",
) -> str | None:
    """A new token; None where there is no reason for one any more.

    Args:
        bound_to: What ``use`` must be told too.
    """
    token = secrets.token_urlsafe(32)
    made = await lane.row(
        query,
        hash=_hash(token + bound_to),
        purpose=purpose,
        user_id=user_id,
        email=email,
        detail=detail,
        expires_at=now() + LIFETIMES[purpose],
    )
    return None if made is None else token


_COLUMNS = (OneTimeTokenRow.user_id, OneTimeTokenRow.email, OneTimeTokenRow.detail)
_IS_GOOD = (
    OneTimeTokenRow.hash == _HASH,
    OneTimeTokenRow.purpose == _PURPOSE,
    OneTimeTokenRow.expires_at > bindparam("at", type_=UtcInstant),
)
_FIND: Query[UsedToken] = Query(select(*_COLUMNS).where(*_IS_GOOD), UsedToken)
_USE: Query[UsedToken] = Query(delete(OneTimeTokenRow).where(*_IS_GOOD).returning(*_COLUMNS), UsedToken)


async def find(lane: Lane, purpose: Purpose, token: str) -> UsedToken:
    """What ``use`` would give; the token stays good.

    Raises:
        LinkOver: as there.
    """
    found = await lane.row(_FIND, hash=_hash(token), purpose=purpose, at=now())
    if found is None:
        raise LinkOver
    return found


async def use(transaction: Lane, purpose: Purpose, token: str, *, bound_to: str = "") -> UsedToken:
    """Uses the token up.

    Raises:
        LinkOver: it was used before, its time has passed, or it never was one.
    """
    used = await transaction.row(_USE, hash=_hash(token + bound_to), purpose=purpose, at=now())
    if used is None:
        raise LinkOver
    return used


_END_ALL: Query[None] = Query(delete(OneTimeTokenRow).where(OneTimeTokenRow.user_id == _USER_ID), lambda *_: None)


async def end_all(transaction: Lane, user_id: str) -> None:
    """Whoever changes how an account is reached ends every link that was mailed before."""
    await transaction.rows(_END_ALL, user_id=user_id)


_old = (
    select(OneTimeTokenRow.hash)
    .where(OneTimeTokenRow.expires_at < bindparam("before", type_=UtcInstant))
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
    .cte("old")
)
_PURGE: Query[str] = Query(
    delete(OneTimeTokenRow).where(OneTimeTokenRow.hash.in_(select(_old.c.hash))).returning(OneTimeTokenRow.hash),
    str,
    is_heavy=True,
)


async def purge(lane: Lane, limit: int) -> int:
    """Forgets tokens whose time has passed, so many at most; gives how many."""
    return len(await lane.rows(_PURGE, before=now(), limit=limit))


def _hash(token: str) -> str:
    return sha256(token.encode("utf-8", "replace")).hexdigest()
