"""A task may have an id of the client's: once in each space, whatever comes at once."""

import asyncio
from dataclasses import replace
from uuid import uuid4

import pytest
from sqlalchemy import bindparam, select

from taskwell import tasks
from taskwell.database import Database, Query, UuidText
from taskwell.errors import IdTaken, LimitReached
from taskwell.spaces import SpaceAccess
from taskwell.spaces.revision import lock_space
from taskwell.spaces.tables import SpaceRow
from taskwell.tasks import TaskDraft, bulk, moves
from taskwell.tasks.bulk import Create, MoveTo, Rewrite
from taskwell.tasks.task import Task
from tests.support.people import Person
from tests.support.sharing import shared_space

MILK = TaskDraft("Buy milk")
STATE: Query[tuple[int, int]] = Query(
    select(SpaceRow.revision, SpaceRow.living).where(SpaceRow.id == bindparam("space", type_=UuidText)),
    lambda *columns: columns,
)


async def state(database: Database, ada: Person) -> tuple[int, int] | None:
    """The revision of ada's own space, and how many tasks live there."""
    return await database.row(STATE, space=ada.id)


@pytest.fixture
async def family(database: Database, ada: Person, eve: Person) -> SpaceAccess:
    return (await shared_space(database, (ada, "owner"), (eve, "editor")))[ada.id]


async def test_of_many_creates_of_one_id_at_once_one_is_done_and_one_revision_is_taken(
    database: Database, ada: Person
):
    own = str(uuid4())

    outcomes = await asyncio.gather(
        *(tasks.create(database, ada.principal, ada.space, MILK, task_id=own) for _ in range(12)),
        return_exceptions=True,
    )

    assert [each.id for each in outcomes if isinstance(each, Task)] == [own]
    assert sum(isinstance(each, IdTaken) for each in outcomes) == 11
    assert await state(database, ada) == (1, 1)


async def test_many_creates_of_ids_of_their_own_at_once_are_all_done(database: Database, ada: Person):
    ids = [str(uuid4()) for _ in range(12)]

    await asyncio.gather(*(tasks.create(database, ada.principal, ada.space, MILK, task_id=each) for each in ids))

    assert await state(database, ada) == (12, 12)


async def test_an_id_in_the_trash_is_taken(database: Database, ada: Person):
    task = await tasks.create(database, ada.principal, ada.space, MILK)
    await tasks.delete(database, ada.principal, ada.space, task.id)

    with pytest.raises(IdTaken):
        await tasks.create(database, ada.principal, ada.space, MILK, task_id=task.id)

    assert await state(database, ada) == (2, 0)


async def test_an_id_that_has_left_a_tombstone_is_taken_there_and_free_elsewhere(
    database: Database, ada: Person, eve: Person, family: SpaceAccess
):
    task = await tasks.create(database, ada.principal, ada.space, MILK)
    await moves.move_task(database, ada.principal, ada.space, task.id, family)
    before = await state(database, ada)

    for target in (ada.space, family):
        with pytest.raises(IdTaken):
            await tasks.create(database, ada.principal, target, MILK, task_id=task.id)
        (failed,) = await bulk.bulk(database, ada.principal, target, [Create(MILK, task.id)], atomic=False)
        assert isinstance(failed, IdTaken)
    assert await state(database, ada) == before

    assert (await tasks.create(database, eve.principal, eve.space, MILK, task_id=task.id)).id == task.id


async def test_a_create_that_waited_for_a_move_of_its_id_sees_the_tombstone(
    database: Database, ada: Person, family: SpaceAccess
):
    task = await tasks.create(database, ada.principal, ada.space, MILK)
    async with database.transaction() as transaction:
        await lock_space(transaction, ada.space)
        waiting = asyncio.create_task(tasks.create(database, ada.principal, ada.space, MILK, task_id=task.id))
        await asyncio.sleep(0.3)
        await moves.move_task(transaction, ada.principal, ada.space, task.id, family)

    with pytest.raises(IdTaken):
        await waiting
    assert await state(database, ada) == (2, 0)


async def test_a_full_space_says_so_to_an_id_of_the_clients_too(database: Database, ada: Person):
    full = replace(ada.space, max_tasks=1)
    await tasks.create(database, ada.principal, full, MILK)

    with pytest.raises(LimitReached):
        await tasks.create(database, ada.principal, full, MILK, task_id=str(uuid4()))

    assert await state(database, ada) == (1, 1)


async def test_a_bulk_goes_on_with_a_task_that_it_has_made(database: Database, ada: Person, family: SpaceAccess):
    own, moved = str(uuid4()), str(uuid4())

    outcomes = await bulk.bulk(
        database,
        ada.principal,
        ada.space,
        [
            Create(MILK, own),
            Create(MILK, own),
            Rewrite(own, lambda task, at: task.changed({"completed": True}, at)),
            Create(MILK, moved),
            MoveTo(moved, family),
            Create(MILK, moved),
        ],
        atomic=False,
    )

    assert [isinstance(each, IdTaken) for each in outcomes] == [False, True, False, False, False, True]
    assert (await tasks.get(database, ada.principal, ada.space, own)).completed
    assert (await tasks.get(database, ada.principal, family, moved)).revision == 1
    assert await state(database, ada) == (1, 1)
