"""The statements that read and write single tasks."""

from functools import cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    FromClause,
    and_,
    bindparam,
    delete,
    exists,
    insert,
    select,
    update,
)
from sqlalchemy.sql.dml import ReturningDelete, ReturningInsert, ReturningUpdate

from taskwell.database import Query, UuidText
from taskwell.spaces import SpaceAccess
from taskwell.spaces.revision import IN_SAME_ZONE, IS_AS_SEEN, SPACE, with_next_revision
from taskwell.spaces.tables import MembershipRow
from taskwell.tasks.tables import TaskRow
from taskwell.tasks.task import Priority, Task, due_key, tag_key
from taskwell.tasks.tombstones import TASK_TOMBSTONE
from taskwell.tasks.visibility import Column, in_space, living, trashed
from taskwell.text import sort_key
from taskwell.users.principal import Principal

TASK_ID = bindparam("task_id", type_=UuidText)

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
    TaskRow.assignee_id,
    TaskRow.space_id,
    TaskRow.created_by,
    TaskRow.completed_by,
)


def as_task(id_: str, title: str, description: str | None, priority: int, *rest: Any) -> Task:
    """Makes a task from ``TASK_COLUMNS``."""
    return Task(id_, title, description, Priority(priority), *rest)


ONE: Query[Task] = Query(living(*TASK_COLUMNS).where(TaskRow.id == TASK_ID), as_task)
ONE_IN_TRASH: Query[Task] = Query(trashed(*TASK_COLUMNS).where(TaskRow.id == TASK_ID), as_task)

_COLUMNS = TaskRow.__table__.columns
WRITTEN = tuple(_COLUMNS.keys())
_AS_READ = (
    in_space(TaskRow),
    TaskRow.id == TASK_ID,
    TaskRow.revision == bindparam("read_revision", type_=TaskRow.revision.type),
)
_IS_AS_READ = exists(select(TaskRow.id).where(*_AS_READ))


MEMBER: Query[str] = Query(
    select(MembershipRow.user_id).where(
        MembershipRow.space_id == SPACE, MembershipRow.user_id == bindparam("assignee_id", type_=UuidText)
    ),
    str,
)


def on_space(*, assigns: bool) -> ColumnElement[bool]:
    """What must hold of the space for a write: its zone, and that whom a task is given to is a member.

    A change of members raises ``spaces.access``, so a write that has waited for it stores nothing.
    """
    if not assigns:
        return IN_SAME_ZONE
    is_member = MembershipRow.user_id == bindparam("assignee_id", type_=UuidText)
    return and_(IN_SAME_ZONE, exists(select(MembershipRow.user_id).where(MembershipRow.space_id == SPACE, is_member)))


def _insert(stamp: FromClause) -> ReturningInsert[Any]:
    values = {name: written(name) for name in WRITTEN} | {"space_id": SPACE, "revision": stamp.c.revision}
    source = select(*values.values()).select_from(stamp)
    return insert(TaskRow).from_select(list(values), source).returning(TaskRow.revision)


@cache
def rewrite(names: frozenset[str], living: int, *, assigns: bool = False) -> Query[int]:
    """Stores the named columns of a task as it was read; no row where somebody has written it since.

    Columns that stay as they are had better not be named: their indexes and the search need not be kept then.

    Args:
        living: 1 for a task that comes out of the trash, -1 for one that goes there, 0 for any other.
        assigns: Whether it gives the task to a member.
    """

    def build(stamp: FromClause) -> ReturningUpdate[Any]:
        return (
            update(TaskRow)
            .values({name: written(name) for name in sorted(names)} | {"revision": stamp.c.revision})
            .where(*_AS_READ)
            .returning(TaskRow.revision)
        )

    provided = _IS_AS_READ if living else None
    found = on_space(assigns=assigns)
    return Query(with_next_revision(build, on_space=found, provided=provided, living=living), int)


def written(name: str) -> BindParameter[Any]:
    """The new value of a column, as a parameter of the same name."""
    return bindparam(name, type_=_COLUMNS[name].type)


def _erase(stamp: FromClause) -> ReturningDelete[Any]:
    return delete(TaskRow).where(*_AS_READ, exists(select(stamp.c.revision))).returning(TaskRow.revision)


def row_of(task: Task, actor: Principal, space: SpaceAccess) -> dict[str, object]:
    """The task as the columns that its writes name; whoever writes it is who made or completed it."""
    return {
        "id": task.id,
        "list_id": task.list_id,
        "title": task.title,
        "title_key": sort_key(task.title),
        "description": task.description,
        "priority": int(task.priority),
        "completed_at": task.completed_at,
        "due_date": task.due_date,
        "due_at": task.due_at,
        "due_key": due_key(task, space.time_zone),
        "tags": task.tags,
        "tag_keys": tuple(map(tag_key, task.tags)),
        "created_by": actor.user_id,
        "completed_by": actor.user_id if task.completed else None,
        "assignee_id": task.assignee_id,
        "created_at": task.created_at,
        "updated_at": task.updated_at,
        "deleted_at": task.deleted_at,
    }


@cache
def insert_task(*, assigns: bool, has_own_id: bool) -> Query[int]:
    """Stores a new task; no row where the space is gone, full or in another time zone by now.

    Args:
        assigns: Whether it gives the task to a member.
        has_own_id: Whether the id is the client's; no row either where the space has a tombstone of it.
    """
    found = on_space(assigns=assigns)
    if has_own_id:
        found = and_(found, IS_AS_SEEN, ~exists(TASK_TOMBSTONE))
    return Query(with_next_revision(_insert, on_space=found, living=1), int)


HAS_TOMBSTONE: Query[int] = Query(TASK_TOMBSTONE, int)

ERASE: Query[int] = Query(with_next_revision(_erase, provided=_IS_AS_READ, living=-1), int)
"""Removes a task as it was read, without a tombstone."""
