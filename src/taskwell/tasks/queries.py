"""The statements that read and write single tasks. Every read starts at one of the first two functions."""

from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, bindparam, delete, exists, insert, select, update
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.dml import ReturningDelete, ReturningInsert, ReturningUpdate

from taskwell.database import Query, UuidText
from taskwell.tasks.tables import TaskRow
from taskwell.tasks.task import Priority, Task
from taskwell.users.revision import stamped

Column = ColumnElement[Any] | InstrumentedAttribute[Any]

USER_ID = bindparam("user_id", type_=UuidText)
_task_id = bindparam("task_id", type_=UuidText)


def visible_to_user(*columns: Column) -> Select[Any]:
    """Every read of living tasks starts here, so sharing later changes one function."""
    return select(*columns).where(TaskRow.user_id == USER_ID, TaskRow.deleted_at.is_(None))


def in_trash_of_user(*columns: Column) -> Select[Any]:
    return select(*columns).where(TaskRow.user_id == USER_ID, TaskRow.deleted_at.is_not(None))


TASK_COLUMNS: tuple[Column, ...] = (
    TaskRow.id,
    TaskRow.title,
    TaskRow.description,
    TaskRow.priority,
    TaskRow.completed_at,
    TaskRow.due_date,
    TaskRow.due_at,
    TaskRow.list_id,
    TaskRow.tags,
    TaskRow.revision,
    TaskRow.created_at,
    TaskRow.updated_at,
    TaskRow.deleted_at,
)


def as_task(id_: str, title: str, description: str | None, priority: int, *rest: Any) -> Task:
    """Makes a task from ``TASK_COLUMNS``."""
    return Task(id_, title, description, Priority(priority), *rest)


ONE: Query[Task] = Query(visible_to_user(*TASK_COLUMNS).where(TaskRow.id == _task_id), as_task)
ONE_IN_TRASH: Query[Task] = Query(in_trash_of_user(*TASK_COLUMNS).where(TaskRow.id == _task_id), as_task)

_COLUMNS = TaskRow.__table__.columns
WRITTEN = tuple(_COLUMNS.keys())


def _insert(stamp: FromClause) -> ReturningInsert[Any]:
    values = [
        stamp.c.revision if name == "revision" else bindparam(name, type_=_COLUMNS[name].type) for name in WRITTEN
    ]
    source = select(*values).select_from(stamp).where(_in_same_zone(stamp))
    return insert(TaskRow).from_select(list(WRITTEN), source).returning(TaskRow.revision)


def _rewrite(stamp: FromClause) -> ReturningUpdate[Any]:
    values = {
        name: bindparam(name, type_=_COLUMNS[name].type)
        for name in WRITTEN
        if name not in {"id", "user_id", "created_at", "revision"}
    }
    return (
        update(TaskRow)
        .values(**values, revision=stamp.c.revision)
        .where(TaskRow.user_id == USER_ID, TaskRow.id == bindparam("id", type_=UuidText))
        .where(TaskRow.revision == bindparam("read_revision"), _in_same_zone(stamp))
        .returning(TaskRow.revision)
    )


def _in_same_zone(stamp: FromClause) -> ColumnElement[bool]:
    """False where the user has moved to another time zone since ``due_key`` was reckoned."""
    return stamp.c.time_zone == bindparam("time_zone")


def _erase(stamp: FromClause) -> ReturningDelete[Any]:
    return (
        delete(TaskRow)
        .where(TaskRow.user_id == USER_ID, TaskRow.id == _task_id)
        .where(TaskRow.revision == bindparam("read_revision"), exists(select(stamp.c.revision)))
        .returning(TaskRow.revision)
    )


INSERT: Query[int] = Query(stamped(_insert), int)
"""Stores a new task; no row where the user is gone or in another time zone by now."""

REWRITE: Query[int] = Query(stamped(_rewrite), int)
"""Replaces a task as it was read; no row where somebody has written it since."""

ERASE: Query[int] = Query(stamped(_erase), int)
"""Removes a task as it was read, without a tombstone."""
