"""The reminders that are due, as a queue that any number of workers share.

A claim moves ``fire_at`` to the end of its lease, so a dead worker's reminders come up again by themselves. On
PostgreSQL two workers never wait for each other (``SKIP LOCKED``); on SQLite there is one writer at a time anyway.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, and_, bindparam, case, func, null, select, tuple_, update
from sqlalchemy.sql.base import Executable

from taskwell.database import Lane, Query, UtcInstant, UuidText, new_id, now
from taskwell.database.given import as_given, given_rows
from taskwell.delivery.attempt import Claim, Errand
from taskwell.delivery.tables import WebhookRow
from taskwell.tasks.reminders import Timing
from taskwell.tasks.tables import ReminderRow, TaskRow
from taskwell.users.tables import UserRow

LEASE = timedelta(seconds=30)
"""How long a claim holds: longer than an attempt may take, and how late a dead worker's reminders are."""

_CLAIMED_AT = bindparam("claimed_at", type_=UtcInstant)


def _is_for_others(dialect: str) -> ColumnElement[bool]:
    busy = given_rows(dialect, "busy", {"user_id": UuidText()})
    return ReminderRow.user_id.not_in(select(busy.c.user_id))


def _next(dialect: str) -> Sequence[Executable]:
    waits = ReminderRow.fire_at.is_not(None)
    return [select(ReminderRow.fire_at).where(waits, _is_for_others(dialect)).order_by(ReminderRow.fire_at).limit(1)]


def _claim(dialect: str) -> Sequence[Executable]:
    due = (
        select(ReminderRow.user_id, ReminderRow.id)
        .where(ReminderRow.fire_at <= _CLAIMED_AT, _is_for_others(dialect))
        .order_by(ReminderRow.fire_at)
        .limit(bindparam("limit", type_=BigInteger))
        .with_for_update(skip_locked=True, of=ReminderRow)
        .cte("due")
    )
    return [
        update(ReminderRow)
        .where(tuple_(ReminderRow.user_id, ReminderRow.id).in_(select(due.c.user_id, due.c.id)))
        .values(
            claimed_at=_CLAIMED_AT,
            fire_at=bindparam("lease_end", type_=UtcInstant),
            tried_since=func.coalesce(ReminderRow.tried_since, _CLAIMED_AT),
            attempts=ReminderRow.attempts + 1,
        )
        .returning(ReminderRow.user_id, ReminderRow.id, ReminderRow.claimed_at)
    ]


_NEXT: Query[datetime] = Query(_next, lambda at: at)
_CLAIM: Query[Claim] = Query(_claim, Claim)


async def next_look(lane: Lane, busy: Collection[str] = ()) -> datetime | None:
    """When there will be something to claim for anybody but the busy; None while nothing waits."""
    return await lane.row(_NEXT, busy=_users(busy))


async def claim(lane: Lane, limit: int, busy: Collection[str] = ()) -> list[Claim]:
    """Takes reminders that are due, the longest due first, for the time of the lease.

    Args:
        busy: The users whose reminders are left for later.
    """
    at = now()
    return await lane.rows(_CLAIM, claimed_at=at, lease_end=at + LEASE, limit=limit, busy=_users(busy))


def _users(ids: Collection[str]) -> str:
    return as_given([{"user_id": each} for each in ids])


_HELD = (
    ReminderRow.user_id == bindparam("user_id", type_=UuidText),
    ReminderRow.id == bindparam("reminder_id", type_=UuidText),
    ReminderRow.claimed_at == _CLAIMED_AT,
)
_TIMING = (
    ReminderRow.remind_at,
    ReminderRow.minutes_before_due,
    TaskRow.due_date,
    TaskRow.due_at,
    TaskRow.due_key,
    UserRow.time_zone,
    and_(TaskRow.completed_at.is_(None), TaskRow.deleted_at.is_(None)),
    ReminderRow.settled_for,
    ReminderRow.changed_at,
)
_CLAIM_COLUMNS = (ReminderRow.user_id, ReminderRow.id, ReminderRow.claimed_at)


def _errand(*columns: Any) -> Errand:
    claim, timing, rest = columns[:3], columns[3 : 3 + len(_TIMING)], columns[3 + len(_TIMING) :]
    return Errand(Claim(*claim), Timing(*timing), *rest)


_ERRAND: Query[Errand] = Query(
    select(
        *_CLAIM_COLUMNS,
        *_TIMING,
        ReminderRow.delivery_id,
        ReminderRow.channel,
        ReminderRow.tried_since,
        ReminderRow.attempts,
        ReminderRow.changes,
        ReminderRow.sent_at,
        TaskRow.id,
        TaskRow.title,
        TaskRow.description,
        TaskRow.priority,
        TaskRow.list_id,
        TaskRow.tags,
        UserRow.name,
        case((UserRow.email_verified_at.is_not(None), UserRow.email)),
        UserRow.disabled_at.is_not(None),
        WebhookRow.url,
        WebhookRow.secret,
    )
    .join(TaskRow, and_(TaskRow.user_id == ReminderRow.user_id, TaskRow.id == ReminderRow.task_id))
    .join(UserRow, UserRow.id == ReminderRow.user_id)
    .outerjoin(WebhookRow, WebhookRow.user_id == ReminderRow.user_id)
    .where(*_HELD),
    _errand,
)


async def errand(lane: Lane, held: Claim) -> Errand | None:
    """The claimed reminder as it is now; None where it is gone or the claim has run out."""
    return await lane.row(_ERRAND, user_id=held.user_id, reminder_id=held.reminder_id, claimed_at=held.claimed_at)


@dataclass(frozen=True, slots=True)
class Release:
    """What a reminder is left as: at rest until its task changes, unless there is something to wait for.

    Attributes:
        fire_at: When to look at it again.
        keeps_delivery: Whether the next attempt is one of the same delivery.
        settled_for: The moment that is dealt with now.
    """

    fire_at: datetime | None = None
    keeps_delivery: bool = False
    settled_for: datetime | None = None
    sent_at: datetime | None = None


_RELEASED = {
    name: bindparam(f"new_{name}", type_=ReminderRow.__table__.c[name].type)
    for name in ("tried_since", "attempts", "delivery_id", "settled_for", "sent_at", "fire_at")
}
_RELEASE: Query[str] = Query(
    update(ReminderRow)
    .where(*_HELD)
    .values(
        **_RELEASED
        | {
            "claimed_at": null(),
            "fire_at": case(
                (ReminderRow.changes == bindparam("changes"), _RELEASED["fire_at"]),
                else_=bindparam("now", type_=UtcInstant),
            ),
        }
    )
    .returning(ReminderRow.id),
    str,
)


async def release(lane: Lane, done: Errand, left: Release) -> None:
    """Gives the claim back; where the task has changed since it was read, the reminder is looked at again now."""
    held = done.claim
    await lane.rows(
        _RELEASE,
        user_id=held.user_id,
        reminder_id=held.reminder_id,
        claimed_at=held.claimed_at,
        changes=done.changes,
        now=now(),
        new_fire_at=left.fire_at,
        new_tried_since=done.tried_since if left.keeps_delivery else None,
        new_attempts=done.attempts if left.keeps_delivery else 0,
        new_delivery_id=done.delivery_id if left.keeps_delivery else new_id(),
        new_settled_for=left.settled_for or done.timing.settled_for,
        new_sent_at=left.sent_at,
    )
