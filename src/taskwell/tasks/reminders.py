"""Reminders of a task, and the rule of when one is sent."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from sqlalchemy import bindparam, delete, func, insert, select

from taskwell.database import Lane, Query, UuidText, new_id, now
from taskwell.errors import Invalid, NotFound
from taskwell.spaces import SpaceAccess
from taskwell.spaces.revision import SPACE, lock_space
from taskwell.tasks import service
from taskwell.tasks.tables import ReminderRow
from taskwell.tasks.task import Task, start_of
from taskwell.tasks.visibility import ACTOR, in_space, readable
from taskwell.users.confirmation import require_confirmed
from taskwell.users.principal import Principal

Channel = Literal["email", "webhook"]

MAX_REMINDERS = 20
"""Of one user for one task."""

MAX_MINUTES = 366 * 24 * 60

CLOCKS_DIFFER = timedelta(minutes=1)
"""How far in the past a new reminder may lie: requests take time, and clocks are not all right."""

WORTH_SENDING = timedelta(days=1)
"""A moment that passed while the task was completed or in the trash is made up for within this time."""


@dataclass(frozen=True, slots=True)
class Reminder:
    """A reminder: ``remind_at`` or ``minutes_before_due`` says when, the other is None."""

    id: str
    remind_at: datetime | None
    minutes_before_due: int | None
    channel: Channel
    sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class Timing:
    """All that decides when a reminder is sent.

    Attributes:
        due_key: When the task is overdue; see ``TaskRow``.
        is_open: Whether the task is neither completed nor in the trash.
        settled_for: The moment for which it was last sent or given up.
        changed_at: When the reminder was made, or its task last changed in one of these values.
    """

    remind_at: datetime | None
    minutes_before_due: int | None
    due_date: date | None
    due_at: datetime | None
    due_key: datetime | None
    time_zone: str
    is_open: bool
    settled_for: datetime | None
    changed_at: datetime

    def moment(self) -> datetime | None:
        """When it is to be sent; None while it rests: nothing is due, the task is done, or it has been sent.

        A moment that had passed already when the task changed, or was reopened or restored, is made up for where
        the task is not due yet or it is at most a day old, and only if this reminder has never been sent.
        """
        moment = self.remind_at or before_due(self.minutes_before_due, self.due_date, self.due_at, self.time_zone)
        if not self.is_open or moment is None or moment == self.settled_for:
            return None
        if self.settled_for is not None:
            return moment if moment >= self.changed_at else None
        is_worth_it = self.changed_at - moment <= WORTH_SENDING or self.changed_at <= (self.due_key or moment)
        return moment if is_worth_it else None


def before_due(minutes: int | None, due_date: date | None, due_at: datetime | None, zone: str) -> datetime | None:
    """So many minutes before the instant, or before the start of the day (as RFC 5545, 3.8.6.3, has it)."""
    due = due_at if due_date is None else start_of(due_date, zone)
    if due is None or minutes is None:
        return None
    try:
        return due - timedelta(minutes=minutes)
    except OverflowError:  # before the year 1
        return datetime.min.replace(tzinfo=UTC)


_task_id = bindparam("task_id", type_=UuidText)
_IS_OWN = (in_space(ReminderRow), ReminderRow.user_id == ACTOR)
_OF_TASK = (*_IS_OWN, ReminderRow.task_id == _task_id)
_COLUMNS = (
    ReminderRow.id,
    ReminderRow.remind_at,
    ReminderRow.minutes_before_due,
    ReminderRow.channel,
    ReminderRow.sent_at,
)

_LIST: Query[Reminder] = Query(select(*_COLUMNS).where(*_OF_TASK).order_by(ReminderRow.id), Reminder)
_COUNT: Query[int] = Query(select(func.count()).select_from(ReminderRow).where(*_OF_TASK), int)
_ADD: Query[Reminder] = Query(
    insert(ReminderRow)
    .values(
        {
            "space_id": SPACE,
            "user_id": ACTOR,
        }
        | {
            name: bindparam(name, type_=ReminderRow.__table__.c[name].type)
            for name in (
                "id",
                "task_id",
                "channel",
                "remind_at",
                "minutes_before_due",
                "fire_at",
                "delivery_id",
                "changed_at",
                "created_at",
            )
        }
    )
    .returning(*_COLUMNS),
    Reminder,
)
_REMOVE: Query[str] = Query(
    delete(ReminderRow)
    .where(*_OF_TASK, ReminderRow.id == bindparam("reminder_id", type_=UuidText))
    .returning(ReminderRow.id),
    str,
)


async def of_task(lane: Lane, actor: Principal, space: SpaceAccess, task_id: str) -> list[Reminder]:
    """The actor's reminders of the task, the oldest first.

    Raises:
        NotFound: there is no such task, it is in the trash, or it is somebody else's.
    """
    await service.get(lane, actor, space, task_id)
    return await lane.rows(_LIST, **readable(actor, space), task_id=task_id)


async def add(
    lane: Lane,
    actor: Principal,
    space: SpaceAccess,
    task_id: str,
    *,
    remind_at: datetime | None = None,
    minutes_before_due: int | None = None,
    channel: Channel = "email",
) -> Reminder:
    """Sets a reminder at an instant, or so many minutes before the task is due.

    Raises:
        NotFound: there is no such task.
        EmailUnverified: it is for an e-mail that nobody has confirmed.
        Invalid: the instant has passed, the task has no due to count from, or it has its full number of reminders.
    """
    at = now()
    if remind_at is not None and remind_at < at - CLOCKS_DIFFER:
        raise Invalid.field("remind_at", "This instant has passed.", "in_the_past")
    async with lane.transaction() as transaction:
        locked = await lock_space(transaction, space)
        task = await service.get(transaction, actor, space, task_id)
        if channel == "email":
            await require_confirmed(transaction, actor.user_id)
        fire_at = remind_at or _before(task, minutes_before_due, locked.time_zone)
        if (await transaction.row(_COUNT, **readable(actor, space), task_id=task_id) or 0) >= MAX_REMINDERS:
            raise Invalid.field("", f"A task can have {MAX_REMINDERS} reminders.", "too_many_reminders")
        added = await transaction.row(
            _ADD,
            **readable(actor, space),
            id=new_id(),
            task_id=task_id,
            channel=channel,
            remind_at=remind_at,
            minutes_before_due=minutes_before_due,
            fire_at=fire_at,
            delivery_id=new_id(),
            changed_at=at,
            created_at=at,
        )
    assert added is not None
    return added


async def remove(lane: Lane, actor: Principal, space: SpaceAccess, task_id: str, reminder_id: str) -> None:
    """Raises:
    NotFound: the task, or this reminder of it, is not there.
    """
    await service.get(lane, actor, space, task_id)
    if not await lane.rows(_REMOVE, **readable(actor, space), task_id=task_id, reminder_id=reminder_id):
        raise NotFound("There is no such reminder.")


def _before(task: Task, minutes: int | None, time_zone: str) -> datetime:
    moment = before_due(minutes, task.due_date, task.due_at, time_zone)
    if moment is None:
        raise Invalid.field(
            "minutes_before_due",
            "The task has no due_date or due_at to count from; set one, or use remind_at.",
            "no_due",
        )
    return moment
