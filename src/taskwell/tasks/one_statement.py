"""Changes that say by themselves what becomes of a task, so that one statement makes them without reading it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, Literal

from sqlalchemy import ColumnElement, FromClause, and_, bindparam, case, exists, func, null, or_, select, true, update
from sqlalchemy.sql.dml import ReturningUpdate

from taskwell.database import Query, UtcInstant
from taskwell.spaces import SpaceAccess
from taskwell.spaces.revision import with_next_revision
from taskwell.tasks.queries import TASK_COLUMNS, TASK_ID, as_task, on_space, row_of, written
from taskwell.tasks.tables import TaskRow
from taskwell.tasks.task import Priority, Task, TaskChanges
from taskwell.tasks.visibility import ACTOR, in_space
from taskwell.users.principal import Principal

Completion = Literal["complete", "reopen", "toggle"]

_NOW = bindparam("now", type_=UtcInstant)
_IS_PENDING = TaskRow.completed_at.is_(None)
_COMPLETED_AT: dict[Completion, tuple[ColumnElement[Any], ColumnElement[bool]]] = {
    "complete": (func.coalesce(TaskRow.completed_at, _NOW), _IS_PENDING),
    "reopen": (null(), TaskRow.completed_at.is_not(None)),
    "toggle": (case((_IS_PENDING, _NOW)), true()),
}
"""The new ``completed_at``, and the condition under which it differs from the old one."""

_COMPLETED_BY: dict[Completion, ColumnElement[Any]] = {
    "complete": case((_IS_PENDING, ACTOR), else_=TaskRow.completed_by),
    "reopen": null(),
    "toggle": case((_IS_PENDING, ACTOR)),
}

_DUE = ("due_date", "due_at", "due_key")
_COLUMNS_OF: dict[str, tuple[str, ...]] = {
    "title": ("title", "title_key"),
    "description": ("description",),
    "priority": ("priority",),
    "due_date": _DUE,
    "due_at": _DUE,
    "list_id": ("list_id",),
    "tags": ("tags", "tag_keys"),
    "assignee_id": ("assignee_id",),
}
_FOLLOWING = frozenset({"title_key", "due_key", "tag_keys"})
"""Columns that differ only where another does."""

_NEVER = datetime.min.replace(tzinfo=UTC)
_BLANK = Task("", "", None, Priority.medium, None, None, None, None, (), 0, _NEVER, _NEVER)


@dataclass(frozen=True, slots=True)
class OneStatementChange:
    """A change as columns and their new values."""

    columns: Mapping[str, object]
    completion: Completion | None = None

    def query(self) -> Query[Task]:
        assigns = self.columns.get("assignee_id") is not None
        return _query(frozenset(self.columns), self.completion, assigns=assigns)


TOGGLE = OneStatementChange({}, "toggle")


def one_statement_change(changes: TaskChanges, actor: Principal, space: SpaceAccess) -> OneStatementChange | None:
    """None where nothing is to change, or it depends on the task: one kind of due is cleared, the other may stay."""
    named = changes.keys() & {"due_date", "due_at"}
    if not changes or (len(named) == 1 and not any(map(changes.get, named))):
        return None
    row = row_of(_BLANK.changed(changes, _BLANK.updated_at), actor, space)
    columns = {name: row[name] for field in changes if field != "completed" for name in _COLUMNS_OF[field]}
    if "completed" not in changes:
        return OneStatementChange(columns)
    return OneStatementChange(columns, "complete" if changes["completed"] else "reopen")


@cache
def _query(names: frozenset[str], completion: Completion | None, *, assigns: bool) -> Query[Task]:
    """Gives the task as it becomes; no row where there is none, or nothing about it differs."""
    values: dict[str, Any] = {name: written(name) for name in sorted(names)}
    differences = [
        getattr(TaskRow, name).is_distinct_from(value) for name, value in values.items() if name not in _FOLLOWING
    ]
    if completion is not None:
        values["completed_at"], is_other = _COMPLETED_AT[completion]
        values["completed_by"] = _COMPLETED_BY[completion]
        differences.append(is_other)
    is_to_change = and_(in_space(TaskRow), TaskRow.id == TASK_ID, TaskRow.deleted_at.is_(None), or_(*differences))

    def build(stamp: FromClause) -> ReturningUpdate[Any]:
        return (
            update(TaskRow)
            .values(values | {"updated_at": _NOW, "revision": stamp.c.revision})
            .where(is_to_change)
            .returning(*TASK_COLUMNS)
        )

    is_there = exists(select(TaskRow.id).where(is_to_change))
    return Query(with_next_revision(build, on_space=on_space(assigns=assigns), provided=is_there), as_task)
