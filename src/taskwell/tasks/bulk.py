"""Many writes of tasks as one: one transaction, one revision, a constant number of statements."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import BigInteger, bindparam, insert, select, update
from sqlalchemy.sql.base import Executable

from taskwell.database import Lane, Query, UuidText, new_id, now
from taskwell.database.given import as_given, given_rows
from taskwell.errors import AppError, Invalid
from taskwell.tasks.queries import TASK_COLUMNS, USER_ID, WRITTEN, as_task, row_of
from taskwell.tasks.service import IfMatch, no_such_task, require, unknown_list
from taskwell.tasks.tables import ListRow, TaskRow
from taskwell.tasks.task import Task, TaskDraft
from taskwell.users.principal import Principal
from taskwell.users.revision import advance, hold


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


async def bulk(lane: Lane, user: Principal, operations: Sequence[Operation], *, atomic: bool = True) -> list[Outcome]:
    """Applies the operations in their order, each to what those before it have left.

    What they come to is reckoned in memory while the user's row is held, and stored at the end. ``if_match``
    means the revision that a task had before the bulk, since the bulk is one write.

    Args:
        atomic: Whether a failure undoes everything, or only its own operation.

    Raises:
        AppError: the first failure of an atomic bulk, with its ``index``.
    """
    async with lane.transaction() as transaction:
        user = await hold(transaction, user)
        batch = _Batch(
            await with_ids(transaction, user, _named(operations)),
            await transaction.rows(_LISTS, user_id=user.user_id),
        )
        outcomes = [batch.outcome(each, index, atomic=atomic) for index, each in enumerate(operations)]
        if not batch.after:
            return outcomes
        revision = await store(
            transaction,
            user,
            created=[task for task in batch.after.values() if task.id not in batch.before],
            changed=[task for task in batch.after.values() if task.id in batch.before],
        )
    return [
        replace(each, revision=revision) if isinstance(each, Task) and batch.is_written(each) else each
        for each in outcomes
    ]


async def store(
    transaction: Lane, user: Principal, *, created: Sequence[Task] = (), changed: Sequence[Task] = ()
) -> int:
    """Writes new and changed tasks as they are, after ``hold``; gives their one revision."""
    revision = await advance(transaction, user)
    for write, tasks in ((_INSERT, created), (REWRITE, changed)):
        if tasks:
            given = as_given([row_of(task, user) for task in tasks])
            await transaction.rows(write, user_id=user.user_id, given=given, revision=revision)
    return revision


async def with_ids(transaction: Lane, user: Principal, ids: Iterable[str]) -> list[Task]:
    """Those of the user's tasks, in the trash too."""
    return await transaction.rows(_NAMED, user_id=user.user_id, named=as_given([{"id": each} for each in ids]))


class _Batch:
    """The tasks that a bulk is about, in memory."""

    def __init__(self, found: Iterable[Task], lists: Iterable[str]) -> None:
        self.before = {task.id: task for task in found}
        self.after: dict[str, Task] = {}
        """The tasks that are new or have changed."""
        self._lists = frozenset(lists)
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
            if after.list_id is not None and after.list_id not in self._lists:
                raise unknown_list()
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
_GIVEN = {name: _COLUMNS[name].type for name in WRITTEN if name not in {"user_id", "revision"}}
_REVISION = bindparam("revision", type_=BigInteger)

_LISTS: Query[str] = Query(select(ListRow.id).where(ListRow.user_id == USER_ID), str)


def _tasks_named(dialect: str) -> Sequence[Executable]:
    named = given_rows(dialect, "named", {"id": UuidText()})
    return [select(*TASK_COLUMNS).where(TaskRow.user_id == USER_ID, TaskRow.id.in_(select(named.c.id)))]


def _insert(dialect: str) -> Sequence[Executable]:
    given = given_rows(dialect, "given", _GIVEN)
    source = select(USER_ID, _REVISION, *given.c)
    return [insert(TaskRow).from_select(["user_id", "revision", *given.c.keys()], source)]


def _rewrite(dialect: str) -> Sequence[Executable]:
    given = given_rows(dialect, "given", _GIVEN)
    values = {name: given.c[name] for name in _GIVEN if name not in {"id", "created_at"}}
    return [
        update(TaskRow)
        .values(**values, revision=_REVISION)
        .where(TaskRow.user_id == USER_ID, TaskRow.id == given.c.id)
    ]


_NAMED: Query[Task] = Query(_tasks_named, as_task, is_heavy=True)
_INSERT: Query[int] = Query(_insert, int, is_heavy=True)
REWRITE: Query[int] = Query(_rewrite, int, is_heavy=True)
