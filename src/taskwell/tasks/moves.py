"""Moving tasks and lists to another space: one write of both, with all that belongs to them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from taskwell.database import Lane, now
from taskwell.database.json_rows import as_json_rows
from taskwell.database.lanes import UniqueViolated
from taskwell.errors import IdTaken
from taskwell.spaces import SpaceAccess, verbs
from taskwell.spaces.precondition import IfMatch
from taskwell.spaces.queries import Space, get
from taskwell.spaces.revision import LockedSpace, lock_space, lock_spaces, next_revision
from taskwell.spaces.verbs import LOCK_WITH_OWN
from taskwell.tasks import lists, move_queries, service, tombstones
from taskwell.tasks.lists import TaskList
from taskwell.tasks.service import unknown_list
from taskwell.tasks.task import Task, due_key
from taskwell.users.principal import Principal


async def move_task(
    lane: Lane,
    actor: Principal,
    space: SpaceAccess,
    task_id: str,
    target: SpaceAccess,
    *,
    list_id: str | None = None,
    if_match: IfMatch = None,
) -> Task:
    """Moves a task to another space, or within its space to another list.

    Args:
        list_id: The list of the target that takes it; None for no list.

    Raises:
        NotFound: there is no such task.
        Invalid: the list is not one of the target's.
        IdTaken: the target has a task of this id.
        LimitReached: the target is full.
    """
    if target.id == space.id:
        return await service.change(lane, actor, space, task_id, {"list_id": list_id}, if_match=if_match)
    async with lane.transaction() as transaction:
        locked = await lock_spaces(transaction, (space, target))
        task = await service.get(transaction, actor, space, task_id)
        service.require(if_match, task)
        if list_id is not None and await transaction.row(move_queries.LIST, space=target.id, list_id=list_id) is None:
            raise unknown_list()
        await Move(transaction, locked[space.id], locked[target.id]).carry([replace(task, list_id=list_id)])
        return await service.get(transaction, actor, target, task_id)


async def move_list(
    lane: Lane, actor: Principal, space: SpaceAccess, list_id: str, target: SpaceAccess, *, if_match: IfMatch = None
) -> TaskList:
    """Moves a list with its tasks, those in the trash too, to the end of another space's lists.

    Raises:
        NotFound: there is no such list.
        IdTaken: the target has a list or a task of the same id.
        LimitReached: the target has no room for the tasks.
    """
    async with lane.transaction() as transaction:
        locked = await lock_spaces(transaction, (space, target))
        found = await lists.get(transaction, actor, space, list_id)
        lists.require(if_match, found)
        if target.id != space.id:
            await Move(transaction, locked[space.id], locked[target.id]).carry_list(found)
        return await lists.get(transaction, actor, target, list_id)


async def share_list(
    lane: Lane, actor: Principal, space: SpaceAccess, list_id: str, *, name: str | None = None
) -> Space:
    """Makes a shared space that holds the list and its tasks; the actor is its owner.

    Args:
        name: Of the space; None for the list's.

    Raises:
        NotFound: there is no such list.
        LimitReached: the actor is in too many spaces.
    """
    async with lane.transaction() as transaction:
        await transaction.rows(LOCK_WITH_OWN, space=space.id, actor=actor.user_id)
        locked = await lock_space(transaction, space)
        found = await lists.get(transaction, actor, space, list_id)
        made = await verbs.create(transaction, actor.user_id, name=name or found.name, time_zone=locked.time_zone)
        # Nobody else knows the new space, so its lock waits for nobody, whatever the order of the ids.
        shared = await lock_space(transaction, replace(made.accessed(), max_tasks=space.max_tasks))
        await Move(transaction, locked, shared).carry_list(found)
        return await get(transaction, actor.user_id, made.id)


def id_taken() -> IdTaken:
    return IdTaken("The other space has a task with this id, in its trash perhaps.")


@dataclass(slots=True)
class Move:
    """One write of two locked spaces.

    Attributes:
        revisions: Those that it takes, of the old space and of the target.
    """

    transaction: Lane
    space: LockedSpace
    target: LockedSpace
    at: datetime = field(default_factory=now)
    revisions: tuple[int, int] = (0, 0)

    async def carry(self, tasks: Sequence[Task]) -> None:
        """Moves tasks, each to the list that it names there.

        Raises:
            IdTaken: the target has a task of the same id.
            LimitReached: the target has no room for them.
        """
        await self._take_revisions(tasks)
        await self.carry_under(tasks)

    async def carry_list(self, found: TaskList) -> None:
        named = {"space": self.space.id, "list_id": found.id}
        inside = await self.transaction.rows(move_queries.TASKS_OF_LIST, **named)
        await self._take_revisions(inside)
        try:
            await self.transaction.rows(
                move_queries.ADD_LIST,
                space=self.target.id,
                list_id=found.id,
                name=found.name,
                color=found.color,
                created_at=found.created_at,
                revision=self.revisions[1],
                now=self.at,
            )
        except UniqueViolated:
            raise IdTaken("The other space has a list with this id.") from None
        if inside:
            await self.carry_under(inside)
        await self.transaction.rows(move_queries.REMOVE_LIST, **named)
        await self._leave_tombstones("list", [found.id])

    async def _take_revisions(self, tasks: Sequence[Task]) -> None:
        living = sum(task.living for task in tasks)
        self.target.require_room(living)
        self.revisions = (
            await next_revision(self.transaction, self.space, living=-living),
            await next_revision(self.transaction, self.target, living=living),
        )

    async def carry_under(self, tasks: Sequence[Task]) -> None:
        """Moves tasks under revisions that are taken; tags, comments and reminders follow by their foreign keys."""
        zone = self.target.time_zone
        rows = [{"id": task.id, "list_id": task.list_id, "due_key": due_key(task, zone)} for task in tasks]
        moved = {"space": self.space.id, "target": self.target.id, "given": as_json_rows(rows)}
        await self.transaction.rows(move_queries.END_REMINDERS, **moved)
        try:
            await self.transaction.rows(move_queries.CARRY, **moved, revision=self.revisions[1], now=self.at)
        except UniqueViolated:
            raise id_taken() from None
        await self._leave_tombstones("task", [task.id for task in tasks])

    async def _leave_tombstones(self, kind: tombstones.Kind, ids: Sequence[str]) -> None:
        await tombstones.take_away(self.transaction, self.target.id, kind, ids)
        await tombstones.leave(self.transaction, self.space.id, kind, ids, revision=self.revisions[0], at=self.at)
