"""What a list of tasks may be asked for, as values, and each condition as SQL."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from sqlalchemy import ColumnElement, and_, bindparam, exists, literal_column, or_, select

from taskwell.database import UtcInstant
from taskwell.tasks.tables import TaskRow, TaskTagRow
from taskwell.tasks.task import Priority, start_of, tag_key

SortKey = Literal["created_at", "updated_at", "due", "priority", "title", "deleted_at"]
Due = date | datetime
NO_LIST = "none"


@dataclass(frozen=True, slots=True)
class TaskFilter:
    """Conditions that must all hold; one that is None or empty asks nothing.

    Attributes:
        tags: Any of them, or with ``all_tags`` every one; compared without case.
        list_id: A list, or ``NO_LIST``.
        due_before: A day, from its start in the user's time zone, or an instant; the bound is left out.
        due_after: The same, with the bound.
    """

    completed: bool | None = None
    priorities: tuple[Priority, ...] = ()
    tags: tuple[str, ...] = ()
    all_tags: bool = False
    list_id: str | None = None
    overdue: bool | None = None
    due_before: Due | None = None
    due_after: Due | None = None
    created_before: datetime | None = None
    created_after: datetime | None = None
    updated_after: datetime | None = None


@dataclass(frozen=True, slots=True)
class TaskSort:
    key: SortKey = "created_at"
    descending: bool = True


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition: its SQL depends on ``name`` and ``count`` alone, so statements can be kept."""

    name: str
    count: int = 1


_one = bindparam


def _tagged(number: int) -> ColumnElement[bool]:
    return exists(
        select(literal_column("1"))
        .where(TaskTagRow.user_id == TaskRow.user_id)
        .where(TaskTagRow.tag_key == _one(f"tag_{number}"))
        .where(TaskTagRow.task_id == TaskRow.id)
    )


_SQL: dict[str, Callable[[int], ColumnElement[bool]]] = {
    "completed": lambda _: TaskRow.completed_at.is_not(None),
    "pending": lambda _: TaskRow.completed_at.is_(None),
    "priority": lambda count: TaskRow.priority.in_([_one(f"priority_{n}") for n in range(count)]),
    "any_tag": lambda count: or_(*map(_tagged, range(count))),
    "all_tags": lambda count: and_(*map(_tagged, range(count))),
    "no_list": lambda _: TaskRow.list_id.is_(None),
    "list": lambda _: TaskRow.list_id == _one("list_id"),
    "overdue": lambda _: and_(TaskRow.due_key < _one("now", type_=UtcInstant), TaskRow.completed_at.is_(None)),
    "not_overdue": lambda _: or_(
        TaskRow.due_key.is_(None),
        TaskRow.due_key >= _one("now", type_=UtcInstant),
        TaskRow.completed_at.is_not(None),
    ),
    "due_before": lambda _: TaskRow.due_key < _one("due_before", type_=UtcInstant),
    "due_after": lambda _: TaskRow.due_key >= _one("due_after", type_=UtcInstant),
    "created_before": lambda _: TaskRow.created_at < _one("created_before"),
    "created_after": lambda _: TaskRow.created_at >= _one("created_after"),
    "updated_after": lambda _: TaskRow.updated_at >= _one("updated_after"),
}


def sql(condition: Condition) -> ColumnElement[bool]:
    return _SQL[condition.name](condition.count)


def conditions(
    wanted: TaskFilter, *, now: datetime, time_zone: str
) -> tuple[tuple[Condition, ...], dict[str, object]]:
    """The conditions that the filter names, and a value for each of their parameters."""
    found: list[Condition] = []
    values: dict[str, object] = {}
    if wanted.completed is not None:
        found.append(Condition("completed" if wanted.completed else "pending"))
    if wanted.priorities:
        found.append(Condition("priority", len(wanted.priorities)))
        values |= {f"priority_{n}": int(each) for n, each in enumerate(wanted.priorities)}
    if wanted.tags:
        keys = list(dict.fromkeys(map(tag_key, wanted.tags)))
        found.append(Condition("all_tags" if wanted.all_tags else "any_tag", len(keys)))
        values |= {f"tag_{n}": key for n, key in enumerate(keys)}
    if wanted.list_id is not None:
        found.append(Condition("no_list" if wanted.list_id == NO_LIST else "list"))
        values["list_id"] = wanted.list_id
    if wanted.overdue is not None:
        found.append(Condition("overdue" if wanted.overdue else "not_overdue"))
        values["now"] = now
    for name in ("due_before", "due_after"):
        if (bound := getattr(wanted, name)) is not None:
            found.append(Condition(name))
            values[name] = bound if isinstance(bound, datetime) else start_of(bound, time_zone)
    for name in ("created_before", "created_after", "updated_after"):
        if (bound := getattr(wanted, name)) is not None:
            found.append(Condition(name))
            values[name] = bound
    return tuple(found), values
