"""Security events: what happened to an account, kept for its user and for the operator, and not for ever."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Select, bindparam, case, delete, exists, func, insert, literal_column, null, or_, select

from taskwell.database import Lane, Query, UtcInstant, UuidText, new_id, now
from taskwell.database.lanes import ConstraintViolated
from taskwell.pagination import decode_cursor, encode_cursor
from taskwell.users.event_tables import SecurityEventRow
from taskwell.users.principal import Principal
from taskwell.users.tables import UserRow
from taskwell.users.user import email_key

Kind = Literal[
    "sign_up",
    "sign_in",
    "sign_in_failed",
    "sign_out",
    "locked_out",
    "wrong_password",
    "password_changed",
    "password_reset_asked",
    "password_reset",
    "reset_link_made",
    "token_renewed",
    "signed_out_everywhere",
    "verification_asked",
    "email_verified",
    "email_change_asked",
    "email_changed",
    "provider_link_asked",
    "provider_linked",
    "provider_unlinked",
    "provider_refused",
    "unsubscribed",
    "account_deleted",
    "token_made",
    "token_deleted",
    "totp_asked",
    "totp_on",
    "totp_off",
    "recovery_code_used",
    "token_refused",
]

KEPT_FOR = timedelta(days=90)
KEPT_OF_A_USER = 1_000
KEPT_OF_NOBODY = 100_000


@dataclass(frozen=True, slots=True)
class SecurityEvent:
    """Attributes:
    user_id: Whose account; None where there is none, or not any more.
    address: Whose connection; None where the event stands for several.
    subject: The former id of a user that is gone.
    count: How many of its kind it stands for.
    """

    kind: Kind
    user_id: str | None
    address: str | None
    subject: str | None = None
    count: int = 1
    id: str = field(default_factory=new_id)
    at: datetime = field(default_factory=now)


@dataclass(frozen=True, slots=True)
class EventPage:
    items: list[SecurityEvent]
    next_cursor: str | None


_COLUMNS = tuple(
    getattr(SecurityEventRow, name) for name in ("kind", "user_id", "address", "subject", "count", "id", "at")
)
_VALUES = {column.key: bindparam(column.key, type_=column.type) for column in _COLUMNS}

_ADD: Query[None] = Query(
    insert(SecurityEventRow).from_select(
        list(_VALUES),
        select(*_VALUES.values()).where(
            or_(
                bindparam("user_id", type_=UuidText).is_(None),
                exists(select(literal_column("1")).where(UserRow.id == bindparam("user_id", type_=UuidText))),
            )
        ),
    ),
    lambda *_: None,
)

_HOLDER: Query[str] = Query(select(UserRow.id).where(UserRow.email_key == bindparam("email_key")), str)


async def holder(lane: Lane, email: str) -> str | None:
    """The id of the user whose local account has the e-mail."""
    return await lane.row(_HOLDER, email_key=email_key(email))


async def keep(lane: Lane, events: Sequence[SecurityEvent]) -> None:
    """Stores events, except those of users who are gone."""
    try:
        await lane.many(_ADD, [asdict(event) for event in events])
    except ConstraintViolated:  # a user went while this was written
        if len(events) > 1:
            for event in events:
                await keep(lane, [event])


_OF_USER = (
    select(*_COLUMNS)
    .where(SecurityEventRow.user_id == bindparam("user_id", type_=UuidText))
    .order_by(SecurityEventRow.id.desc())
)

_FIRST_PAGE: Query[SecurityEvent] = Query(_OF_USER.limit(bindparam("limit")), SecurityEvent)

_NEXT_PAGE: Query[SecurityEvent] = Query(
    _OF_USER.where(SecurityEventRow.id < bindparam("after_id", type_=UuidText)).limit(bindparam("limit")),
    SecurityEvent,
)


async def activity(lane: Lane, user: Principal, *, limit: int = 50, cursor: str | None = None) -> EventPage:
    """What happened to the user's account, newest first.

    Raises:
        InvalidCursor: the cursor is not ours, or of another list.
    """
    listing = f"activity of {user.user_id}"
    values: dict[str, object] = {"user_id": user.user_id, "limit": limit + 1}
    if cursor:
        _, values["after_id"] = decode_cursor(listing, cursor)
    events = await lane.rows(_NEXT_PAGE if cursor else _FIRST_PAGE, **values)
    if len(events) <= limit:
        return EventPage(events, None)
    return EventPage(events[:limit], encode_cursor(listing, None, events[limit - 1].id))


_RECENT: Query[SecurityEvent] = Query(
    select(*_COLUMNS)
    .where(
        SecurityEventRow.at >= bindparam("since", type_=UtcInstant),
        or_(
            bindparam("user_id", type_=UuidText).is_(None),
            SecurityEventRow.user_id == bindparam("user_id", type_=UuidText),
        ),
    )
    .order_by(SecurityEventRow.at.desc(), SecurityEventRow.id.desc())
    .limit(bindparam("limit")),
    SecurityEvent,
    is_heavy=True,
)


async def recent(lane: Lane, *, since: datetime, user_id: str | None = None, limit: int = 200) -> list[SecurityEvent]:
    """The newest events of everybody or of one user, for the operator."""
    return await lane.rows(_RECENT, since=since, user_id=user_id, limit=limit)


def _purge(found: Select[str]) -> Query[str]:
    chosen = found.limit(bindparam("limit")).cte("chosen")  # a lock here would lock what OFFSET passes over as well
    old = (
        select(SecurityEventRow.id)
        .where(SecurityEventRow.id.in_(select(chosen.c.id)))
        .with_for_update(skip_locked=True)
        .cte("old")
    )
    return Query(
        delete(SecurityEventRow).where(SecurityEventRow.id.in_(select(old.c.id))).returning(SecurityEventRow.id),
        str,
        is_heavy=True,
    )


_PURGE = _purge(select(SecurityEventRow.id).where(SecurityEventRow.at < bindparam("before", type_=UtcInstant)))


async def purge(lane: Lane, limit: int) -> int:
    """Forgets what is older than 90 days, so many events at most; gives how many."""
    return len(await lane.rows(_PURGE, before=now() - KEPT_FOR, limit=limit))


_CROWDED: Query[str | None] = Query(
    select(SecurityEventRow.user_id)
    .group_by(SecurityEventRow.user_id)
    .having(func.count() > case((SecurityEventRow.user_id.is_(null()), KEPT_OF_NOBODY), else_=KEPT_OF_A_USER)),
    lambda user_id: user_id,
    is_heavy=True,
)


async def crowded(lane: Lane) -> list[str | None]:
    """Users with more events than are kept of one; None stands for nobody."""
    return await lane.rows(_CROWDED)


_newest_first = select(SecurityEventRow.id).order_by(SecurityEventRow.id.desc()).offset(bindparam("kept"))
_THIN = _purge(_newest_first.where(SecurityEventRow.user_id == bindparam("user_id", type_=UuidText)))
_THIN_NOBODY = _purge(_newest_first.where(SecurityEventRow.user_id.is_(null())))


async def thin(lane: Lane, user_id: str | None, limit: int) -> int:
    """Forgets the oldest of what a user, or nobody, has too many of: so many at most; gives how many."""
    if user_id is None:
        return len(await lane.rows(_THIN_NOBODY, kept=KEPT_OF_NOBODY, limit=limit))
    return len(await lane.rows(_THIN, user_id=user_id, kept=KEPT_OF_A_USER, limit=limit))
