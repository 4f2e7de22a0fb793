"""The statements of a bulk: each reads or writes any number of tasks."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, bindparam, case, insert, literal, null, select, union_all, update
from sqlalchemy.sql.base import Executable

from taskwell.database import Query, UuidText
from taskwell.database.json_rows import json_rows
from taskwell.spaces.revision import SPACE
from taskwell.spaces.tables import MembershipRow
from taskwell.tasks.queries import TASK_COLUMNS, WRITTEN, as_task
from taskwell.tasks.tables import ListRow, TaskRow, TombstoneRow
from taskwell.tasks.task import Task
from taskwell.tasks.visibility import ACTOR, in_space

_COLUMNS = TaskRow.__table__.c
_GIVEN = {name: _COLUMNS[name].type for name in WRITTEN if name not in {"space_id", "revision"}}
_REVISION = bindparam("revision", type_=BigInteger)

NAMEABLE: Query[tuple[str, str]] = Query(
    union_all(
        select(literal("list").label("kind"), ListRow.id).where(in_space(ListRow)),
        select(literal("member"), MembershipRow.user_id).where(MembershipRow.space_id == SPACE),
    ),
    lambda *columns: columns,
)
"""What a task of the space may name."""


def _tasks_named(dialect: str) -> Sequence[Executable]:
    named = json_rows(dialect, "named", {"id": UuidText()})
    return [select(*TASK_COLUMNS).where(in_space(TaskRow), TaskRow.id.in_(select(named.c.id)))]


def _tombstones_named(dialect: str) -> Sequence[Executable]:
    named = json_rows(dialect, "named", {"id": UuidText()})
    is_named = TombstoneRow.id.in_(select(named.c.id))
    return [select(TombstoneRow.id).where(TombstoneRow.space_id == SPACE, TombstoneRow.kind == "task", is_named)]


def _insert(dialect: str) -> Sequence[Executable]:
    given = json_rows(dialect, "given", _GIVEN)
    source = select(SPACE, _REVISION, *given.c)
    return [insert(TaskRow).from_select(["space_id", "revision", *given.c.keys()], source)]


def _rewrite(dialect: str) -> Sequence[Executable]:
    given = json_rows(dialect, "given", _GIVEN)
    values: dict[str, Any] = {
        name: given.c[name] for name in _GIVEN if name not in {"id", "created_at", "created_by"}
    }
    values["completed_by"] = case(
        (given.c.completed_at.is_(None), null()),
        (given.c.completed_at == TaskRow.completed_at, TaskRow.completed_by),
        else_=ACTOR,
    )
    return [update(TaskRow).values(**values, revision=_REVISION).where(in_space(TaskRow), TaskRow.id == given.c.id)]


NAMED: Query[Task] = Query(_tasks_named, as_task, is_heavy=True)
GONE: Query[str] = Query(_tombstones_named, str, is_heavy=True)
INSERT: Query[int] = Query(_insert, int, is_heavy=True)
REWRITE: Query[int] = Query(_rewrite, int, is_heavy=True)
