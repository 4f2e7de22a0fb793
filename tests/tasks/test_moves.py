"""Tasks and lists go to another space in one write of both, with all that belongs to them."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update

from taskwell import tasks
from taskwell.database import Database, Query
from taskwell.errors import IdTaken, Invalid, LimitReached, NotFound
from taskwell.spaces import SpaceAccess
from taskwell.spaces.revision import REVISION
from taskwell.spaces.tables import MembershipRow, SpaceRow
from taskwell.tasks import AS_TASK, PageRequest, TaskDraft, TaskFilter, comments, lists, moves, reminders, tags
from taskwell.tasks.lists import TaskList
from taskwell.tasks.tables import ReminderRow, TaskRow, TombstoneRow
from tests.support.people import Person
from tests.support.sharing import shared_space

MILK = TaskDraft("Buy milk", tags=("home",), due_date=date(2031, 5, 1))
TOMBSTONES: Query[tuple[str, str, str, int]] = Query(
    select(TombstoneRow.space_id, TombstoneRow.kind, TombstoneRow.id, TombstoneRow.revision).order_by(
        TombstoneRow.id
    ),
    lambda *columns: columns,
)
REMINDED: Query[tuple[str, str]] = Query(select(ReminderRow.space_id, ReminderRow.user_id), lambda *columns: columns)


@dataclass(frozen=True)
class World:
    """Ada's own space, and one that she shares with eve in Berlin."""

    database: Database
    ada: Person
    eve: Person
    family: SpaceAccess
    eves_family: SpaceAccess

    async def revisions(self) -> tuple[int | None, int | None]:
        own = await self.database.row(REVISION, space=self.ada.id)
        return own, await self.database.row(REVISION, space=self.family.id)

    async def move(self, task_id: str, space: SpaceAccess, target: SpaceAccess, **options: Any) -> tasks.Task:
        return await moves.move_task(self.database, self.ada.principal, space, task_id, target, **options)


@pytest.fixture
async def world(database: Database, ada: Person, eve: Person) -> AsyncIterator[World]:
    family = await shared_space(database, (ada, "owner"), (eve, "editor"), time_zone="Europe/Berlin")
    yield World(database, ada, eve, family[ada.id], family[eve.id])
    counts: Query[tuple[int, int]] = Query(
        select(
            SpaceRow.living,
            select(func.count())
            .where(TaskRow.space_id == SpaceRow.id, TaskRow.deleted_at.is_(None))
            .scalar_subquery(),
        ),
        lambda *columns: columns,
    )
    assert all(living == there for living, there in await database.rows(counts))


async def test_a_task_keeps_its_id_tags_comments_and_reminders_when_it_moves(world: World):
    database, ada = world.database, world.ada
    task = await tasks.create(database, ada.principal, ada.space, MILK)
    said = await comments.add(database, ada.principal, ada.space, task.id, "The oat one.")
    await reminders.add(database, ada.principal, ada.space, task.id, minutes_before_due=30)

    moved = await world.move(task.id, ada.space, world.family)

    assert moved == replace(task, space_id=world.family.id, revision=1, updated_at=moved.updated_at)
    with pytest.raises(NotFound):
        await tasks.get(database, ada.principal, ada.space, task.id)
    (shown,) = await comments.of_task(database, world.eve.principal, world.eves_family, task.id)
    assert shown == replace(said, revision=1)
    assert (await tags.every(database, ada.principal, world.family)).items == [tags.TagUse("home", 1, 1)]
    assert (await tags.every(database, ada.principal, ada.space)).items == []
    assert len(await reminders.of_task(database, ada.principal, world.family, task.id)) == 1
    assert await database.rows(TOMBSTONES) == [(ada.id, "task", task.id, 3)]


async def test_a_moved_task_is_found_by_search_where_it_is_and_not_where_it_was(world: World):
    database, ada = world.database, world.ada
    task = await tasks.create(database, ada.principal, ada.space, MILK)
    asked = PageRequest(TaskFilter(search="milk"))

    await world.move(task.id, ada.space, world.family)

    found = [await tasks.page(database, ada.principal, each, asked, AS_TASK) for each in (ada.space, world.family)]
    assert [len(page.items) for page in found] == [0, 1]


async def test_a_day_stays_and_ends_when_it_ends_in_the_other_zone(world: World):
    database, ada = world.database, world.ada
    task = await tasks.create(database, ada.principal, ada.space, MILK)

    assert (await world.move(task.id, ada.space, world.family)).due_date == MILK.due_date

    keys: Query[str] = Query(select(TaskRow.due_key), lambda key: key.isoformat())
    assert await database.rows(keys) == ["2031-05-01T21:59:59.999999+00:00"]


async def test_whoever_is_no_member_there_is_taken_off_and_not_reminded(world: World):
    database, ada, eve = world.database, world.ada, world.eve
    task = await tasks.create(database, ada.principal, world.family, replace(MILK, assignee_id=eve.id))
    for person, space in ((ada, world.family), (eve, world.eves_family)):
        await reminders.add(database, person.principal, space, task.id, minutes_before_due=30)

    moved = await world.move(task.id, world.family, ada.space)

    assert moved.assignee_id is None
    assert await database.rows(REMINDED) == [(ada.id, ada.id)]


async def test_a_member_of_both_stays_assigned(world: World):
    task = await tasks.create(
        world.database, world.ada.principal, world.family, replace(MILK, assignee_id=world.ada.id)
    )

    assert (await world.move(task.id, world.family, world.ada.space)).assignee_id == world.ada.id


async def test_a_task_can_move_back(world: World):
    database, ada = world.database, world.ada
    task = await tasks.create(database, ada.principal, ada.space, MILK)

    for _ in range(2):
        await world.move(task.id, ada.space, world.family)
        await world.move(task.id, world.family, ada.space)

    assert [(space, kind) for space, kind, *_ in await database.rows(TOMBSTONES)] == [(world.family.id, "task")]
    assert await world.revisions() == (5, 4)


async def test_an_id_that_lives_or_lies_in_the_trash_there_is_taken(world: World):
    database, ada = world.database, world.ada
    task = await tasks.create(database, ada.principal, ada.space, MILK)
    names = [column.name for column in TaskRow.__table__.columns if column.name not in ("space_id", "search")]
    other = [TaskRow.__table__.c[name] for name in names]
    same = select(MembershipRow.space_id, *other).where(
        MembershipRow.space_id == world.family.id, MembershipRow.user_id == ada.id, TaskRow.id == task.id
    )
    await database.rows(Query(insert(TaskRow).from_select(["space_id", *names], same), lambda *_: None))
    before = await world.revisions()

    with pytest.raises(IdTaken):
        await world.move(task.id, ada.space, world.family)
    assert await world.revisions() == before
    await database.rows(
        Query(update(SpaceRow).where(SpaceRow.id == world.family.id).values(living=1), lambda *_: None)
    )

    await tasks.delete(database, ada.principal, world.family, task.id)
    with pytest.raises(IdTaken):
        await world.move(task.id, ada.space, world.family)


async def test_the_room_of_the_other_space_counts(world: World):
    database, ada = world.database, world.ada
    small = replace(world.family, max_tasks=1)
    first, second = [await tasks.create(database, ada.principal, ada.space, MILK) for _ in range(2)]

    await world.move(first.id, ada.space, small)
    with pytest.raises(LimitReached):
        await world.move(second.id, ada.space, small)

    assert (await tasks.get(database, ada.principal, ada.space, second.id)) == second


async def test_a_task_moves_into_a_list_of_the_other_space_and_into_no_other(world: World):
    database, ada = world.database, world.ada
    own = await lists.create(database, ada.principal, ada.space, name="Own")
    shared = await lists.create(database, ada.principal, world.family, name="Shared")
    task = await tasks.create(database, ada.principal, ada.space, replace(MILK, list_id=own.id))

    with pytest.raises(Invalid) as refused:
        await world.move(task.id, ada.space, world.family, list_id=own.id)
    assert refused.value.errors[0].field == "list_id"

    assert (await world.move(task.id, ada.space, world.family, list_id=shared.id)).list_id == shared.id
    assert (await world.move(task.id, world.family, world.family)).list_id is None


async def listed(world: World, space: SpaceAccess) -> TaskList:
    """A list with a living and a trashed task."""
    database, ada = world.database, world.ada
    made = await lists.create(database, ada.principal, space, name="Groceries", color="#3366ff")
    for _ in range(2):
        task = await tasks.create(database, ada.principal, space, replace(MILK, list_id=made.id))
    await tasks.delete(database, ada.principal, space, task.id)
    return made


async def test_a_list_moves_with_its_tasks_and_those_in_the_trash(world: World):
    database, ada = world.database, world.ada
    made = await listed(world, ada.space)

    moved = await moves.move_list(database, ada.principal, ada.space, made.id, world.family)

    assert (moved.id, moved.name, moved.color, moved.open_tasks) == (made.id, "Groceries", "#3366ff", 1)
    assert moved.space_id == world.family.id
    assert await world.revisions() == (5, 1)
    trash = await tasks.page(database, ada.principal, world.family, PageRequest(in_trash=True), AS_TASK)
    assert [task.list_id for task in trash.items] == [made.id]
    restored = await tasks.restore(database, ada.principal, world.family, trash.items[0].id)
    assert restored.list_id == made.id
    assert (await lists.every(database, ada.principal, ada.space)).items == []
    assert sorted(kind for _, kind, *_ in await database.rows(TOMBSTONES)) == ["list", "task", "task"]
    await moves.move_list(database, ada.principal, world.family, made.id, ada.space)
    assert {space for space, *_ in await database.rows(TOMBSTONES)} == {world.family.id}


async def test_a_list_is_shared_in_one_call(world: World):
    database, ada = world.database, world.ada
    made = await listed(world, ada.space)

    shared = await moves.share_list(database, ada.principal, ada.space, made.id)

    access = SpaceAccess(shared.id, shared.role, shared.access, shared.time_zone)
    (found,) = (await lists.every(database, ada.principal, access)).items
    assert (found.id, found.space_id, found.open_tasks) == (made.id, shared.id, 1)
    spaces: Query[tuple[str, str, str, str]] = Query(
        select(SpaceRow.name, SpaceRow.kind, MembershipRow.user_id, MembershipRow.role)
        .join(MembershipRow, MembershipRow.space_id == SpaceRow.id)
        .where(SpaceRow.id == shared.id),
        lambda *columns: columns,
    )
    assert await database.rows(spaces) == [("Groceries", "shared", ada.id, "owner")]


async def test_moves_in_opposite_directions_at_once_never_stand_in_each_others_way(world: World):
    database, ada = world.database, world.ada
    here = [await tasks.create(database, ada.principal, ada.space, MILK) for _ in range(10)]
    there = [await tasks.create(database, ada.principal, world.family, MILK) for _ in range(10)]
    before = await world.revisions()

    await asyncio.gather(
        *(world.move(task.id, ada.space, world.family) for task in here),
        *(world.move(task.id, world.family, ada.space) for task in there),
    )

    assert await world.revisions() == tuple((number or 0) + 20 for number in before)
    for space, moved in ((world.family, here), (ada.space, there)):
        page = await tasks.page(database, ada.principal, space, PageRequest(), AS_TASK)
        assert {task.id for task in page.items} == {task.id for task in moved}
        revisions = [task.revision for task in page.items]
        assert len(set(revisions)) == len(revisions)


async def test_one_task_that_is_moved_twice_at_once_moves_once(world: World):
    database, ada = world.database, world.ada
    task = await tasks.create(database, ada.principal, ada.space, MILK)

    outcomes = await asyncio.gather(
        *(world.move(task.id, ada.space, world.family) for _ in range(5)), return_exceptions=True
    )

    assert sum(isinstance(each, NotFound) for each in outcomes) == 4
    assert await world.revisions() == (2, 1)
