"""The verbs of single tasks. Each is atomic, and none commits by itself inside a larger transaction.

A change that says by itself what becomes of the task is one statement (``taskwell.tasks.one_statement``). Every other
reads the task, works out what it becomes, and stores that if the task is still as it was read. Where somebody came in
between it is done once more with the space's row locked, so that the second time is the last.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from taskwell.database import Lane, Query, new_id, now
from taskwell.database.lanes import ForeignKeyViolated, UniqueViolated
from taskwell.errors import IdTaken, Invalid, NotFound
from taskwell.spaces import SpaceAccess
from taskwell.spaces.precondition import IfMatch
from taskwell.spaces.revision import lock_space
from taskwell.tasks import queries
from taskwell.tasks.one_statement import TOGGLE, OneStatementChange, one_statement_change
from taskwell.tasks.queries import row_of
from taskwell.tasks.task import Task, TaskChanges, TaskDraft
from taskwell.tasks.visibility import readable, writable
from taskwell.users.principal import Principal

T = TypeVar("T")


Change = TaskChanges | Callable[[Task], TaskChanges]
"""What changes, or what says so of the task as it is."""


async def create(
    lane: Lane, actor: Principal, space: SpaceAccess, draft: TaskDraft, *, task_id: str | None = None
) -> Task:
    """Stores a new task.

    Args:
        task_id: The client's own; None for a new one.

    Raises:
        Invalid: the list is not one of the space's, or the assignee no member.
        IdTaken: the space has or had a task of this id.
        Unauthorized: the space is gone.
        LimitReached: the space is full.
    """
    task = Task.drafted(draft, task_id=task_id or new_id(), now=now()).written_by(actor.user_id, space.id, None)
    write = queries.insert_task(assigns=task.assignee_id is not None, has_own_id=task_id is not None)

    async def attempt(lane: Lane, space: SpaceAccess) -> Task | None:
        try:
            stored = await _store(lane, write, actor, space, task)
        except UniqueViolated:
            raise id_in_use() from None
        if stored is None and task_id is not None:
            await _require_no_tombstone(lane, actor, space, task_id)
        return stored

    return await _retry_under_lock(lane, space, attempt)


async def get(lane: Lane, actor: Principal, space: SpaceAccess, task_id: str) -> Task:
    """Raises:
    NotFound: there is no such task, it is in the trash, or it is somebody else's.
    """
    return await _read(lane, queries.ONE, actor, space, task_id)


async def change(
    lane: Lane, actor: Principal, space: SpaceAccess, task_id: str, changes: Change, *, if_match: IfMatch = None
) -> Task:
    """Changes the named fields; nothing is written where none of them differs.

    Raises:
        NotFound: see ``get``.
        PreconditionFailed: see ``Precondition.require``.
        Invalid: the list is not one of the space's, or the assignee no member.
    """
    direct = None if callable(changes) or if_match is not None else one_statement_change(changes, actor, space)
    if direct is not None and (task := await _directly(lane, actor, space, task_id, direct)) is not None:
        return task

    def changed(task: Task, at: datetime) -> Task:
        return task.changed(changes(task) if callable(changes) else changes, at)

    return await _rewrite(lane, actor, space, task_id, changed, if_match=if_match)


async def toggle(lane: Lane, actor: Principal, space: SpaceAccess, task_id: str, *, if_match: IfMatch = None) -> Task:
    """Completes a pending task and reopens a completed one."""
    if if_match is None and (task := await _directly(lane, actor, space, task_id, TOGGLE)) is not None:
        return task

    def toggled(task: Task, at: datetime) -> Task:
        return task.changed({"completed": not task.completed}, at)

    return await _rewrite(lane, actor, space, task_id, toggled, if_match=if_match)


async def delete(lane: Lane, actor: Principal, space: SpaceAccess, task_id: str, *, if_match: IfMatch = None) -> Task:
    """Moves the task to the trash."""
    return await _rewrite(lane, actor, space, task_id, Task.deleted, if_match=if_match)


async def restore(lane: Lane, actor: Principal, space: SpaceAccess, task_id: str) -> Task:
    """Takes the task out of the trash, as it was.

    Raises:
        NotFound: it is not in the trash.
        LimitReached: the space is full.
    """
    return await _rewrite(lane, actor, space, task_id, Task.restored, source=queries.ONE_IN_TRASH)


async def erase(lane: Lane, actor: Principal, space: SpaceAccess, task_id: str, *, if_match: IfMatch = None) -> None:
    """Removes the task without a way back."""

    async def attempt(lane: Lane, space: SpaceAccess) -> int | None:
        task = await _read(lane, queries.ONE, actor, space, task_id)
        require(if_match, task)
        values = writable(actor, space) | {"task_id": task.id, "read_revision": task.revision}
        return await lane.row(queries.ERASE, **values)

    await _retry_under_lock(lane, space, attempt)


async def _directly(
    lane: Lane, actor: Principal, space: SpaceAccess, task_id: str, change: OneStatementChange
) -> Task | None:
    """Makes the change in one statement; None where only a look at the task tells why nothing has changed."""
    values = {**writable(actor, space), **change.columns, "task_id": task_id, "now": now()}
    try:
        return await lane.row(change.query(), **values)
    except ForeignKeyViolated:
        raise unknown_list() from None


async def _rewrite(
    lane: Lane,
    actor: Principal,
    space: SpaceAccess,
    task_id: str,
    becomes: Callable[[Task, datetime], Task],
    *,
    if_match: IfMatch = None,
    source: Query[Task] = queries.ONE,
) -> Task:
    async def attempt(lane: Lane, space: SpaceAccess) -> Task | None:
        task = await _read(lane, source, actor, space, task_id)
        require(if_match, task)
        after = becomes(task, now())
        if after is task:
            return task
        after = after.written_by(actor.user_id, space.id, task)
        before, row = row_of(task, actor, space), row_of(after, actor, space)
        differing = frozenset(name for name, value in row.items() if value != before[name])
        assigns = "assignee_id" in differing and after.assignee_id is not None
        write = queries.rewrite(differing, after.living - task.living, assigns=assigns)
        return await _store(lane, write, actor, space, after)

    return await _retry_under_lock(lane, space, attempt)


async def _retry_under_lock(
    lane: Lane, space: SpaceAccess, attempt: Callable[[Lane, SpaceAccess], Awaitable[T | None]]
) -> T:
    """Tries freely; where somebody came in between (None), tries again while nobody else can."""
    done = await attempt(lane, space)
    if done is None:
        async with lane.transaction() as transaction:
            locked = await lock_space(transaction, space)
            done = await attempt(transaction, locked)
            if done is None:  # nobody came in between: there is no room
                locked.require_room(1)
    assert done is not None, "nobody else can write while the space's row is locked"
    return done


async def _read(lane: Lane, source: Query[Task], actor: Principal, space: SpaceAccess, task_id: str) -> Task:
    task = await lane.row(source, **readable(actor, space), task_id=task_id)
    if task is None:
        raise no_such_task()
    return task


async def _store(lane: Lane, write: Query[int], actor: Principal, space: SpaceAccess, task: Task) -> Task | None:
    try:
        values = writable(actor, space) | row_of(task, actor, space)
        revision = await lane.row(write, **values, task_id=task.id, read_revision=task.revision)
    except ForeignKeyViolated:
        raise unknown_list() from None
    if revision is not None:
        return replace(task, revision=revision)
    if task.assignee_id is not None and await lane.row(queries.MEMBER, **values) is None:
        raise unknown_member()
    return None


async def _require_no_tombstone(lane: Lane, actor: Principal, space: SpaceAccess, task_id: str) -> None:
    if await lane.row(queries.HAS_TOMBSTONE, **readable(actor, space), task_id=task_id) is not None:
        raise id_in_use()


def require(if_match: IfMatch, task: Task) -> None:
    if if_match is not None:
        if_match.require(task.revision, "task")


def no_such_task() -> NotFound:
    return NotFound("There is no such task.")


def id_in_use() -> IdTaken:
    return IdTaken("The space has a task with this id, in its trash perhaps, or had one; use another id.")


def unknown_member() -> Invalid:
    return Invalid.field("assignee_id", "There is no such member in this space.", "unknown_member")


def unknown_list() -> Invalid:
    return Invalid.field("list_id", "There is no such list.", "unknown_list")
