"""Many writes of tasks as one: one transaction, one revision, a constant number of statements."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, bindparam, case, insert, literal, null, select, union_all, update
from sqlalchemy.sql.base import Executable

from taskwell.database import Lane, Query, UuidText, new_id, now
from taskwell.database.json_rows import as_json_rows, json_rows
from taskwell.errors import AppError, Invalid
from taskwell.spaces import SpaceAccess
from taskwell.spaces.revision import SPACE, LockedSpace, lock_space, next_revision
from taskwell.spaces.tables import MembershipRow
from taskwell.tasks.queries import TASK_COLUMNS, WRITTEN, as_task, row_of
from taskwell.tasks.service import IfMatch, no_such_task, require, unknown_list, unknown_member
from taskwell.tasks.tables import ListRow, TaskRow
from taskwell.tasks.task import Task, TaskDraft
from taskwell.tasks.visibility import ACTOR, in_space, readable
from taskwell.users.principal import Principal


@dataclass(frozen=True, slots=True)
class Create:
    draft: TaskDraft


@dataclass(frozen=True, slots=True)
class Rewrite:
    """What a task becomes.

    Attributes:
        in_trash: Whether it is a task in the trash, or one outside.
    """

    task_id: str
    becomes: Callable[[Task, datetime], Task]
    if_match: IfMatch = None
    in_trash: bool = False


Operation = Create | Rewrite | AppError
"""What to do; an error stands for an operation that could not be understood, and fails with it."""

Outcome = Task | AppError
"""The task after an operation (after a deletion, as it is in the trash), or why nothing was done."""


async def bulk(
    lane: Lane, actor: Principal, space: SpaceAccess, operations: Sequence[Operation], *, atomic: bool = True
) -> list[Outcome]:
    """Applies the operations in their order, each to what those before it have left.

    What they come to is computed in memory while the space's row is locked, and stored at the end. ``if_match``
    means the revision that a task had before the bulk, since the bulk is one write.

    Args:
        atomic: Whether a failure undoes everything, or only its own operation.

    Raises:
        AppError: the first failure of an atomic bulk, with its ``index``.
    """
    async with lane.transaction() as transaction:
        locked = await lock_space(transaction, space)
        batch = _Batch(
            locked,
            await with_ids(transaction, actor, space, _named(operations)),
            await transaction.rows(_NAMEABLE, **readable(actor, space)),
            actor,
        )
        outcomes = [batch.outcome(each, index, atomic=atomic) for index, each in enumerate(operations)]
        if not batch.after:
            return outcomes
        revision = await store(
            transaction,
            actor,
            locked,
            created=[task for task in batch.after.values() if task.id not in batch.before],
            changed=[task for task in batch.after.values() if task.id in batch.before],
            living=batch.more_living,
        )
    return [
        replace(each, revision=revision) if isinstance(each, Task) and batch.is_written(each) else each
        for each in outcomes
    ]


async def store(
    transaction: Lane,
    actor: Principal,
    space: LockedSpace,
    *,
    created: Sequence[Task] = (),
    changed: Sequence[Task] = (),
    living: int,
) -> int:
    """Writes new and changed tasks as they are; gives their one revision.

    Args:
        living: How many tasks are new or come out of the trash, less those that go; there must be room for them.
    """
    revision = await next_revision(transaction, space, living=living)
    for write, tasks in ((_INSERT, created), (REWRITE, changed)):
        if tasks:
            given = as_json_rows([row_of(task, actor, space) for task in tasks])
            await transaction.rows(write, **readable(actor, space), given=given, revision=revision)
    return revision


async def with_ids(transaction: Lane, actor: Principal, space: SpaceAccess, ids: Iterable[str]) -> list[Task]:
    """Those of the space's tasks, in the trash too."""
    named = as_json_rows([{"id": each} for each in ids])
    return await transaction.rows(_NAMED, **readable(actor, space), named=named)


class _Batch:
    """The tasks that a bulk is about, in memory."""

    def __init__(
        self, space: LockedSpace, found: Iterable[Task], nameable: Iterable[tuple[str, str]], actor: Principal
    ) -> None:
        self.before = {task.id: task for task in found}
        self.after: dict[str, Task] = {}
        """The tasks that are new or have changed."""
        self.more_living = 0
        """How many tasks of the space live after the bulk, less those before it."""
        self._space = space
        self._room = space.room
        self._nameable = frozenset(nameable)
        self._actor = actor
        self._now = now()

    def outcome(self, operation: Operation, index: int, *, atomic: bool) -> Outcome:
        try:
            return self._applied(operation)
        except AppError as error:
            failure = error.under(f"operations.{index}.data") if isinstance(error, Invalid) else error
            if atomic:
                failure.index = index
                raise failure from None
            return failure

    def is_written(self, task: Task) -> bool:
        return task is not self.before.get(task.id)

    def _applied(self, operation: Operation) -> Task:
        if isinstance(operation, AppError):
            raise operation
        if isinstance(operation, Create):
            before, after = None, Task.drafted(operation.draft, task_id=new_id(), now=self._now)
        else:
            before = self._found(operation)
            require(operation.if_match, before)
            after = operation.becomes(before, self._now)
        if after is not before:
            if after.list_id is not None and ("list", after.list_id) not in self._nameable:
                raise unknown_list()
            if after.assignee_id is not None and ("member", after.assignee_id) not in self._nameable:
                raise unknown_member()
            after = after.written_by(self._actor.user_id, self._space.id, before)
            more = (after.deleted_at is None) - (before is not None and before.deleted_at is None)
            if more > 0 and self.more_living + more > self._room:
                self._space.require_room(self.more_living + more)
            self.more_living += more
            self.after[after.id] = after
        return after

    def _found(self, operation: Rewrite) -> Task:
        task = self.after.get(operation.task_id) or self.before.get(operation.task_id)
        if task is None or (task.deleted_at is not None) is not operation.in_trash:
            raise no_such_task()
        return task


def _named(operations: Sequence[Operation]) -> set[str]:
    return {each.task_id for each in operations if isinstance(each, Rewrite)}


_COLUMNS = TaskRow.__table__.c
_GIVEN = {name: _COLUMNS[name].type for name in WRITTEN if name not in {"space_id", "revision"}}
_REVISION = bindparam("revision", type_=BigInteger)

_NAMEABLE: Query[tuple[str, str]] = Query(
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


_NAMED: Query[Task] = Query(_tasks_named, as_task, is_heavy=True)
_INSERT: Query[int] = Query(_insert, int, is_heavy=True)
REWRITE: Query[int] = Query(_rewrite, int, is_heavy=True)
