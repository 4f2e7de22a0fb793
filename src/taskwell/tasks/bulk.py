"""Many writes of tasks as one: one transaction, one revision, a constant number of statements."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from taskwell.database import Lane, new_id, now
from taskwell.database.json_rows import as_json_rows
from taskwell.errors import AppError, Invalid
from taskwell.spaces import SpaceAccess
from taskwell.spaces.precondition import IfMatch
from taskwell.spaces.revision import LockedSpace, lock_spaces, next_revision
from taskwell.tasks.bulk_queries import GONE, INSERT, NAMEABLE, NAMED, REWRITE
from taskwell.tasks.moves import Move, id_taken
from taskwell.tasks.queries import row_of
from taskwell.tasks.service import id_in_use, no_such_task, require, unknown_list, unknown_member
from taskwell.tasks.task import Task, TaskDraft
from taskwell.tasks.visibility import readable
from taskwell.users.principal import Principal


@dataclass(frozen=True, slots=True)
class Create:
    """A new task; ``task_id`` is the client's own, or None."""

    draft: TaskDraft
    task_id: str | None = None


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


@dataclass(frozen=True, slots=True)
class MoveTo:
    """A task goes to another space, or within its space to another list."""

    task_id: str
    target: SpaceAccess
    list_id: str | None = None
    if_match: IfMatch = None
    in_trash: bool = False


Operation = Create | Rewrite | MoveTo | AppError
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
    targets = {each.target for each in operations if isinstance(each, MoveTo) and each.target.id != space.id}
    async with lane.transaction() as transaction:
        locked = await lock_spaces(transaction, (space, *targets))
        named = _named(operations)
        here, *others = [
            _Place(
                locked[each.id],
                await with_ids(transaction, actor, each, named),
                await transaction.rows(NAMEABLE, **readable(actor, each)),
            )
            for each in (space, *targets)
        ]
        batch = _Batch(here, others, actor, gone=await _gone(transaction, actor, space, operations))
        outcomes = [batch.outcome(each, index, atomic=atomic) for index, each in enumerate(operations)]
        if not batch.after and not batch.moved:
            return outcomes
        revision = await store(
            transaction,
            actor,
            locked[space.id],
            created=[task for task in batch.after.values() if task.id not in here.tasks],
            changed=[task for task in batch.after.values() if task.id in here.tasks],
            living=here.more_living,
        )
        revisions = {space.id: revision} | await _carry(transaction, here, others, batch, revision)
    return [
        replace(each, revision=revisions[each.space_id])
        if isinstance(each, Task) and batch.is_written(each)
        else each
        for each in outcomes
    ]


async def _carry(
    transaction: Lane, here: "_Place", others: Iterable["_Place"], batch: "_Batch", revision: int
) -> dict[str, int]:
    """Moves what goes to other spaces; gives the revision of each."""
    revisions: dict[str, int] = {}
    for place in others:
        moved = [task for task in batch.moved.values() if task.space_id == place.space.id]
        if moved:
            taken = await next_revision(transaction, place.space, living=place.more_living)
            move = Move(transaction, here.space, place.space, batch.at, (revision, taken))
            await move.carry_under(moved)
            revisions[place.space.id] = taken
    return revisions


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
    for write, tasks in ((INSERT, created), (REWRITE, changed)):
        if tasks:
            given = as_json_rows([row_of(task, actor, space) for task in tasks])
            await transaction.rows(write, **readable(actor, space), given=given, revision=revision)
    return revision


async def with_ids(transaction: Lane, actor: Principal, space: SpaceAccess, ids: Iterable[str]) -> list[Task]:
    """Those of the space's tasks, in the trash too."""
    named = as_json_rows([{"id": each} for each in ids])
    return await transaction.rows(NAMED, **readable(actor, space), named=named)


class _Place:
    """A space, locked, with what a bulk must know of it.

    Attributes:
        tasks: Those that the bulk names.
        more_living: How many tasks of the space live after the bulk, less those before it.
    """

    def __init__(self, space: LockedSpace, tasks: Iterable[Task], nameable: Iterable[tuple[str, str]]) -> None:
        self.space = space
        self.tasks = {task.id: task for task in tasks}
        self.more_living = 0
        self._nameable = frozenset(nameable)

    def require(self, task: Task) -> None:
        """Raises:
        Invalid: the task names a list or a member that the space does not have.
        """
        if task.list_id is not None and ("list", task.list_id) not in self._nameable:
            raise unknown_list()
        if not self.has_member(task.assignee_id):
            raise unknown_member()

    def has_member(self, user_id: str | None) -> bool:
        return user_id is None or ("member", user_id) in self._nameable

    def count(self, more: int) -> None:
        """Raises:
        LimitReached: the space has no room for so many more.
        """
        if more > 0:
            self.space.require_room(self.more_living + more)
        self.more_living += more


class _Batch:
    """The tasks that a bulk is about, in memory."""

    def __init__(
        self, here: _Place, others: Iterable[_Place], actor: Principal, *, gone: Collection[str] = ()
    ) -> None:
        self.after: dict[str, Task] = {}
        """The tasks that are new or have changed."""
        self.moved: dict[str, Task] = {}
        """The tasks that go to another space, as they are there."""
        self.at = now()
        self._here = here
        self._others = {place.space.id: place for place in others}
        self._actor = actor
        self._gone = gone

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
        return task is not self._here.tasks.get(task.id)

    def _applied(self, operation: Operation) -> Task:
        if isinstance(operation, AppError):
            raise operation
        if isinstance(operation, Create):
            return self._written(None, self._made(operation))
        before = self._found(operation)
        require(operation.if_match, before)
        if isinstance(operation, Rewrite):
            return self._written(before, operation.becomes(before, self.at))
        if operation.target.id == self._here.space.id:
            return self._written(before, before.changed({"list_id": operation.list_id}, self.at))
        return self._moved(before, operation)

    def _made(self, operation: Create) -> Task:
        task_id = operation.task_id or new_id()
        if task_id in self.after or task_id in self._here.tasks or task_id in self._gone:
            raise id_in_use()
        return Task.drafted(operation.draft, task_id=task_id, now=self.at)

    def _written(self, before: Task | None, after: Task) -> Task:
        if after is before:
            return after
        self._here.require(after)
        self._here.count(after.living - (0 if before is None else before.living))
        after = after.written_by(self._actor.user_id, self._here.space.id, before)
        self.after[after.id] = after
        return after

    def _moved(self, before: Task, operation: MoveTo) -> Task:
        there = self._others[operation.target.id]
        if before.id in there.tasks:
            raise id_taken()
        assignee_id = before.assignee_id if there.has_member(before.assignee_id) else None
        after = replace(
            before,
            space_id=there.space.id,
            list_id=operation.list_id,
            assignee_id=assignee_id,
            updated_at=self.at,
        )
        there.require(after)
        there.count(before.living)
        self._here.count(-before.living)
        self.moved[after.id] = after
        return after

    def _found(self, operation: Rewrite | MoveTo) -> Task:
        task = self.after.get(operation.task_id) or self._here.tasks.get(operation.task_id)
        is_here = task is not None and operation.task_id not in self.moved
        if task is None or not is_here or (task.deleted_at is not None) is not operation.in_trash:
            raise no_such_task()
        return task


def _named(operations: Sequence[Operation]) -> set[str]:
    return {each.task_id for each in operations if not isinstance(each, AppError) and each.task_id is not None}


async def _gone(
    transaction: Lane, actor: Principal, space: SpaceAccess, operations: Sequence[Operation]
) -> Collection[str]:
    """Those ids of new tasks of which the space has a tombstone."""
    made = [{"id": each.task_id} for each in operations if isinstance(each, Create) and each.task_id is not None]
    return set(await transaction.rows(GONE, **readable(actor, space), named=as_json_rows(made))) if made else ()
