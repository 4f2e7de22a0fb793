"""The reminders that are due, as a queue that any number of workers share.

A claim moves ``fire_at`` to the end of its lease, so a dead worker's reminders come up again by themselves. On
PostgreSQL two workers never wait for each other (``SKIP LOCKED``); on SQLite there is one writer at a time anyway.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, and_, bindparam, case, delete, func, null, select, tuple_, update
from sqlalchemy.sql.base import Executable

from taskwell.database import Lane, Query, UtcInstant, UuidText, new_id, now
from taskwell.database.json_rows import as_json_rows, json_rows
from taskwell.spaces.tables import SpaceRow
from taskwell.tasks.reminders import Channel, Timing
from taskwell.tasks.tables import ReminderRow, TaskRow
from taskwell.tasks.visibility import ACTOR, in_space
from taskwell.users.principal import Principal

LEASE = timedelta(seconds=30)
"""How long a claim holds: longer than an attempt may take, and how late a dead worker's reminders are."""

_CLAIMED_AT = bindparam("claimed_at", type_=UtcInstant)
_CLAIM_COLUMNS = (ReminderRow.space_id, ReminderRow.id, ReminderRow.user_id, ReminderRow.claimed_at)


@dataclass(frozen=True, slots=True)
class Claim:
    """A reminder that one worker alone may look at until the lease ends. The order is that of ``_CLAIM_COLUMNS``."""

    space_id: str
    reminder_id: str
    user_id: str
    claimed_at: datetime

    def named(self) -> dict[str, object]:
        return {"space": self.space_id, "reminder_id": self.reminder_id, "claimed_at": self.claimed_at}


@dataclass(frozen=True, slots=True)
class ClaimedReminder:
    """A claimed reminder with its task as it is now. The order is that of ``_CLAIMED``'s columns.

    Attributes:
        timing: When it is to be sent.
        delivery_id: The same for every attempt: the receiver's means against duplicates.
        tried_since: When the first attempt was.
        attempts: How many there have been, this one included.
        changes: See ``ReminderRow``.
    """

    claim: Claim
    timing: Timing
    delivery_id: str
    channel: Channel
    tried_since: datetime
    attempts: int
    changes: int
    sent_at: datetime | None
    task_id: str
    title: str
    description: str | None
    priority: int
    list_id: str | None
    tags: tuple[str, ...]


def _is_for_others(dialect: str) -> ColumnElement[bool]:
    busy = json_rows(dialect, "busy", {"user_id": UuidText()})
    return ReminderRow.user_id.not_in(select(busy.c.user_id))


def _next(dialect: str) -> Sequence[Executable]:
    waits = ReminderRow.fire_at.is_not(None)
    return [select(ReminderRow.fire_at).where(waits, _is_for_others(dialect)).order_by(ReminderRow.fire_at).limit(1)]


def _claim(dialect: str) -> Sequence[Executable]:
    due = (
        select(ReminderRow.space_id, ReminderRow.id)
        .where(ReminderRow.fire_at <= _CLAIMED_AT, _is_for_others(dialect))
        .order_by(ReminderRow.fire_at)
        .limit(bindparam("limit", type_=BigInteger))
        .with_for_update(skip_locked=True, of=ReminderRow)
        .cte("due")
    )
    return [
        update(ReminderRow)
        .where(tuple_(ReminderRow.space_id, ReminderRow.id).in_(select(due.c.space_id, due.c.id)))
        .values(
            claimed_at=_CLAIMED_AT,
            fire_at=bindparam("lease_end", type_=UtcInstant),
            tried_since=func.coalesce(ReminderRow.tried_since, _CLAIMED_AT),
            attempts=ReminderRow.attempts + 1,
        )
        .returning(*_CLAIM_COLUMNS)
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
    return as_json_rows([{"user_id": each} for each in ids])


_HELD = (
    in_space(ReminderRow),
    ReminderRow.id == bindparam("reminder_id", type_=UuidText),
    ReminderRow.claimed_at == _CLAIMED_AT,
)
_TIMING = (
    ReminderRow.remind_at,
    ReminderRow.minutes_before_due,
    TaskRow.due_date,
    TaskRow.due_at,
    TaskRow.due_key,
    SpaceRow.time_zone,
    and_(TaskRow.completed_at.is_(None), TaskRow.deleted_at.is_(None)),
    ReminderRow.settled_for,
    ReminderRow.changed_at,
)


def _claimed(*columns: Any) -> ClaimedReminder:
    claim, rest = columns[: len(_CLAIM_COLUMNS)], columns[len(_CLAIM_COLUMNS) :]
    return ClaimedReminder(Claim(*claim), Timing(*rest[: len(_TIMING)]), *rest[len(_TIMING) :])


_CLAIMED: Query[ClaimedReminder] = Query(
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
    )
    .join(TaskRow, and_(TaskRow.space_id == ReminderRow.space_id, TaskRow.id == ReminderRow.task_id))
    .join(SpaceRow, SpaceRow.id == ReminderRow.space_id)
    .where(*_HELD),
    _claimed,
)


async def claimed(lane: Lane, claim: Claim) -> ClaimedReminder | None:
    """The claimed reminder as it is now; None where it is gone or the claim has run out."""
    return await lane.row(_CLAIMED, **claim.named())


def _waiting(dialect: str) -> Sequence[Executable]:
    asked = json_rows(dialect, "asked", {"id": UuidText()})
    is_asked = ReminderRow.delivery_id.in_(select(asked.c.id))
    return [select(ReminderRow.delivery_id).where(ReminderRow.user_id == ACTOR, is_asked)]


_WAITING: Query[str] = Query(_waiting, str)


async def waiting(lane: Lane, actor: Principal, delivery_ids: Sequence[str]) -> frozenset[str]:
    """Which of the deliveries one of the actor's reminders, in whatever space, still has to make."""
    asked = as_json_rows([{"id": each} for each in delivery_ids])
    return frozenset(await lane.rows(_WAITING, actor=actor.user_id, asked=asked))


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


async def release(lane: Lane, done: ClaimedReminder, left: Release) -> None:
    """Gives the claim back; where the task has changed since it was read, the reminder is looked at again now."""
    await lane.rows(
        _RELEASE,
        **done.claim.named(),
        changes=done.changes,
        now=now(),
        new_fire_at=left.fire_at,
        new_tried_since=done.tried_since if left.keeps_delivery else None,
        new_attempts=done.attempts if left.keeps_delivery else 0,
        new_delivery_id=done.delivery_id if left.keeps_delivery else new_id(),
        new_settled_for=left.settled_for or done.timing.settled_for,
        new_sent_at=left.sent_at,
    )


_REMOVE_MAILS: Query[None] = Query(
    delete(ReminderRow).where(ReminderRow.user_id == ACTOR, ReminderRow.channel == "email"), lambda *_: None
)


async def remove_mails_of(lane: Lane, user_id: str) -> None:
    """Removes the user's reminders by e-mail, in every space."""
    await lane.rows(_REMOVE_MAILS, actor=user_id)
