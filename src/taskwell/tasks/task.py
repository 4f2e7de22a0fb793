"""A task and what may change in it: plain values and rules, without a database."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import IntEnum
from typing import Literal, TypedDict
from zoneinfo import ZoneInfo

from typing_extensions import TypeAliasType

from taskwell.text import compared

MAX_TITLE = 200
MAX_DESCRIPTION = 10_000
MAX_TAG = 50
MAX_TAGS = 20
MAX_LIST_NAME = 100
FIRST_INSTANT = datetime.min.replace(tzinfo=UTC) + timedelta(microseconds=1)
LAST_INSTANT = datetime.max.replace(tzinfo=UTC) - timedelta(microseconds=1)
"""The very first and the very last that a datetime can hold are infinite to asyncpg, and no instants any more."""


class Priority(IntEnum):
    """How urgent a task is; the numbers are what is stored and what sorts."""

    low = 1
    medium = 2
    high = 3
    urgent = 4


PriorityName = TypeAliasType("PriorityName", Literal["low", "medium", "high", "urgent"])


@dataclass(frozen=True, slots=True)
class TaskDraft:
    """Every writable value of a task; what PUT sets and POST starts from."""

    title: str
    description: str | None = None
    priority: Priority = Priority.medium
    completed: bool = False
    due_date: date | None = None
    due_at: datetime | None = None
    list_id: str | None = None
    tags: tuple[str, ...] = ()
    assignee_id: str | None = None

    def changes(self) -> "TaskChanges":
        """The draft as a change of every field."""
        return TaskChanges(
            title=self.title,
            description=self.description,
            priority=self.priority,
            completed=self.completed,
            due_date=self.due_date,
            due_at=self.due_at,
            list_id=self.list_id,
            tags=self.tags,
            assignee_id=self.assignee_id,
        )


class TaskChanges(TypedDict, total=False):
    """The fields that a partial change names."""

    title: str
    description: str | None
    priority: Priority
    completed: bool
    due_date: date | None
    due_at: datetime | None
    list_id: str | None
    tags: tuple[str, ...]
    assignee_id: str | None


@dataclass(frozen=True, slots=True)
class Task:
    """A task as it is stored. The order of the fields is that of ``queries.TASK_COLUMNS``.

    Attributes:
        space_id: Empty until it is stored, as is ``created_by``.
    """

    id: str
    title: str
    description: str | None
    priority: Priority
    completed_at: datetime | None
    due_date: date | None
    due_at: datetime | None
    list_id: str | None
    tags: tuple[str, ...]
    revision: int
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None
    assignee_id: str | None = None
    space_id: str = ""
    created_by: str = ""
    completed_by: str | None = None

    @property
    def completed(self) -> bool:
        return self.completed_at is not None

    @property
    def living(self) -> int:
        """How many it counts for in ``spaces.living``."""
        return int(self.deleted_at is None)

    @classmethod
    def drafted(cls, draft: TaskDraft, *, task_id: str, now: datetime) -> "Task":
        """A new task; its revision is known only once it is stored."""
        return cls(
            id=task_id,
            title=draft.title,
            description=draft.description,
            priority=draft.priority,
            completed_at=now if draft.completed else None,
            due_date=draft.due_date,
            due_at=draft.due_at,
            list_id=draft.list_id,
            tags=draft.tags,
            revision=0,
            created_at=now,
            updated_at=now,
            assignee_id=draft.assignee_id,
        )

    def written_by(self, user_id: str, space_id: str, before: "Task | None") -> "Task":
        """The task after a user's write, which says who made and who completed it."""
        if self.completed_at is None:
            completed_by = None
        else:
            completed_by = before.completed_by if before is not None and before.completed else user_id
        created_by = user_id if before is None else before.created_by
        return replace(self, space_id=space_id, created_by=created_by, completed_by=completed_by)

    def changed(self, changes: TaskChanges, now: datetime) -> "Task":
        """The task after a change; the very same one where nothing differs.

        Setting one kind of due clears the other. A task that is completed again keeps its first instant.
        """
        named = dict(changes)
        if named.get("due_date") is not None:
            named["due_at"] = None
        elif named.get("due_at") is not None:
            named["due_date"] = None
        if "completed" in named:
            named["completed_at"] = (self.completed_at or now) if named.pop("completed") else None
        after = replace(self, **named)  # type: ignore[arg-type]
        return self if after == self else replace(after, updated_at=now)

    def deleted(self, now: datetime) -> "Task":
        return replace(self, deleted_at=now, updated_at=now)

    def restored(self, now: datetime) -> "Task":
        return replace(self, deleted_at=None, updated_at=now)


def due_key(task: Task, time_zone: str) -> datetime | None:
    """The instant from which the task is overdue, less a microsecond for a day: see ``TaskRow.due_key``."""
    return task.due_at if task.due_date is None else end_of(task.due_date, time_zone)


def end_of(day: date, time_zone: str) -> datetime:
    """The last microsecond of a day."""
    if day == date.max:
        return LAST_INSTANT
    return start_of(day + timedelta(days=1), time_zone) - timedelta(microseconds=1)


def start_of(day: date, time_zone: str) -> datetime:
    """The first instant of a day; where the clocks skip midnight, the instant at which they do."""
    try:
        return datetime.combine(day, time(), ZoneInfo(time_zone)).astimezone(UTC)
    except OverflowError:  # the first and the last day that a datetime can hold
        return datetime.combine(day, time(), UTC)


tag_key = compared
"""The tag as it is compared."""


def without_twins(tags: list[str]) -> tuple[str, ...]:
    """The tags in their order, the first spelling of each."""
    spelled: dict[str, str] = {}
    for tag in tags:
        spelled.setdefault(tag_key(tag), tag)
    return tuple(spelled.values())
