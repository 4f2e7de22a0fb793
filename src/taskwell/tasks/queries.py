"""The statements that read and write single tasks. Every read starts at one of the first two functions."""

from functools import cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    FromClause,
    Select,
    bindparam,
    delete,
    exists,
    insert,
    select,
    update,
)
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.dml import ReturningDelete, ReturningInsert, ReturningUpdate

from taskwell.database import Query, UuidText
from taskwell.tasks.tables import TaskRow
from taskwell.tasks.task import Priority, Task, due_key, tag_key
from taskwell.text import sort_key
from taskwell.users.principal import Principal
from taskwell.users.revision import stamped

Column = ColumnElement[Any] | InstrumentedAttribute[Any]

USER_ID = bindparam("user_id", type_=UuidText)
TASK_ID = bindparam("task_id", type_=UuidText)


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


ONE: Query[Task] = Query(visible_to_user(*TASK_COLUMNS).where(TaskRow.id == TASK_ID), as_task)
ONE_IN_TRASH: Query[Task] = Query(in_trash_of_user(*TASK_COLUMNS).where(TaskRow.id == TASK_ID), as_task)

_COLUMNS = TaskRow.__table__.columns
WRITTEN = tuple(_COLUMNS.keys())


def _insert(stamp: FromClause) -> ReturningInsert[Any]:
    values = [stamp.c.revision if name == "revision" else written(name) for name in WRITTEN]
    source = select(*values).select_from(stamp).where(in_same_zone(stamp))
    return insert(TaskRow).from_select(list(WRITTEN), source).returning(TaskRow.revision)


@cache
def rewrite(names: frozenset[str]) -> Query[int]:
    """Stores the named columns of a task as it was read; no row where somebody has written it since.

    Columns that stay as they are had better not be named: their indexes and the search need not be kept then.
    """

    def build(stamp: FromClause) -> ReturningUpdate[Any]:
        return (
            update(TaskRow)
            .values({name: written(name) for name in sorted(names)} | {"revision": stamp.c.revision})
            .where(TaskRow.user_id == USER_ID, TaskRow.id == bindparam("id", type_=UuidText))
            .where(TaskRow.revision == bindparam("read_revision"), in_same_zone(stamp))
            .returning(TaskRow.revision)
        )

    return Query(stamped(build), int)


def written(name: str) -> BindParameter[Any]:
    """The new value of a column, as a parameter of the same name."""
    return bindparam(name, type_=_COLUMNS[name].type)


def in_same_zone(stamp: FromClause) -> ColumnElement[bool]:
    """False where the user has moved to another time zone since ``due_key`` was reckoned."""
    return stamp.c.time_zone == bindparam("time_zone")


def _erase(stamp: FromClause) -> ReturningDelete[Any]:
    return (
        delete(TaskRow)
        .where(TaskRow.user_id == USER_ID, TaskRow.id == TASK_ID)
        .where(TaskRow.revision == bindparam("read_revision"), exists(select(stamp.c.revision)))
        .returning(TaskRow.revision)
    )


def row_of(task: Task, user: Principal) -> dict[str, object]:
    """The task as the columns that its writes name."""
    return {
        "user_id": user.user_id,
        "time_zone": user.time_zone,
        "id": task.id,
        "list_id": task.list_id,
        "title": task.title,
        "title_key": sort_key(task.title),
        "description": task.description,
        "priority": int(task.priority),
        "completed_at": task.completed_at,
        "due_date": task.due_date,
        "due_at": task.due_at,
        "due_key": due_key(task, user.time_zone),
        "tags": task.tags,
        "tag_keys": tuple(map(tag_key, task.tags)),
        "created_at": task.created_at,
        "updated_at": task.updated_at,
        "deleted_at": task.deleted_at,
    }


INSERT: Query[int] = Query(stamped(_insert), int)
"""Stores a new task; no row where the user is gone or in another time zone by now."""

ERASE: Query[int] = Query(stamped(_erase), int)
"""Removes a task as it was read, without a tombstone."""
