"""A space holds so many tasks outside the trash and not one more, whoever comes at once and by whichever way."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from random import Random

import orjson
import pytest
from sqlalchemy import func, select

from taskwell import tasks
from taskwell.database import Database, Query
from taskwell.errors import AppError, LimitReached, NotFound
from taskwell.spaces import SpaceAccess
from taskwell.spaces.tables import SpaceRow
from taskwell.tasks import TaskDraft, bulk, exchange, lists
from taskwell.tasks.bulk import Create, Rewrite
from taskwell.tasks.tables import TaskRow
from taskwell.tasks.task import Task
from tests.support.people import Person

COUNTS: Query[tuple[int, int]] = Query(
    select(
        SpaceRow.living,
        select(func.count())
        .where(TaskRow.space_id == SpaceRow.id, TaskRow.deleted_at.is_(None))
        .correlate(SpaceRow)
        .scalar_subquery(),
    ),
    lambda *columns: columns,
)
MILK = TaskDraft("Buy milk")


@pytest.fixture
async def space(database: Database, ada: Person) -> AsyncIterator[SpaceAccess]:
    """With room for ten; in the end what is counted is what is there."""
    yield replace(ada.space, max_tasks=10)
    ((counted, there),) = await database.rows(COUNTS)
    assert counted == there <= 10


async def filled(database: Database, ada: Person, space: SpaceAccess, number: int) -> list[Task]:
    return [await tasks.create(database, ada.principal, space, MILK) for _ in range(number)]


async def brought_in(
    database: Database, ada: Person, space: SpaceAccess, titles: list[str], *, dry_run: bool = False
) -> int:
    """How many tasks of a file were imported."""
    file = exchange.read_file(orjson.dumps([{"title": title} for title in titles]), time_zone="UTC")
    report = await exchange.import_file(
        database, ada.principal, space, file, list_id=None, on_existing="skip", dry_run=dry_run
    )
    return report.imported


def told(outcomes: list[object]) -> int:
    """How many were told of the limit; nothing else went wrong."""
    failures = [each for each in outcomes if isinstance(each, BaseException)]
    assert all(isinstance(each, LimitReached) for each in failures), failures
    return len(failures)


async def test_of_thirty_creates_at_once_ten_find_room(database: Database, ada: Person, space: SpaceAccess):
    outcomes = await asyncio.gather(
        *(tasks.create(database, ada.principal, space, MILK) for _ in range(30)), return_exceptions=True
    )

    assert told(list(outcomes)) == 20


async def test_what_goes_to_the_trash_or_for_good_makes_room_and_what_comes_back_needs_it(
    database: Database, ada: Person, space: SpaceAccess
):
    first, second, *_ = await filled(database, ada, space, 10)
    await tasks.delete(database, ada.principal, space, first.id)
    await tasks.create(database, ada.principal, space, MILK)

    with pytest.raises(LimitReached):
        await tasks.restore(database, ada.principal, space, first.id)
    await tasks.erase(database, ada.principal, space, second.id)
    await tasks.restore(database, ada.principal, space, first.id)

    with pytest.raises(LimitReached):
        await tasks.create(database, ada.principal, space, MILK)


async def test_one_task_that_many_delete_erase_and_restore_at_once_is_counted_once(
    database: Database, ada: Person, space: SpaceAccess
):
    for _ in range(5):
        task, *_ = await filled(database, ada, replace(space, max_tasks=0), 1)
        who = (database, ada.principal, space, task.id)
        await asyncio.gather(*(tasks.delete(*who) for _ in range(6)), return_exceptions=True)
        await asyncio.gather(
            *(tasks.restore(*who) for _ in range(6)), tasks.delete(*who), tasks.change(*who, {"title": "Changed"}),
            return_exceptions=True,
        )  # fmt: skip
        await asyncio.gather(*(tasks.erase(*who) for _ in range(6)), tasks.delete(*who), return_exceptions=True)
        ((counted, there),) = await database.rows(COUNTS)
        assert counted == there


async def test_a_bulk_finds_the_room_that_its_own_deletions_make(database: Database, ada: Person, space: SpaceAccess):
    first, *_ = await filled(database, ada, space, 10)
    delete = Rewrite(first.id, Task.deleted)

    with pytest.raises(LimitReached) as refused:
        await bulk.bulk(database, ada.principal, space, [delete, Create(MILK), Create(MILK)])
    assert refused.value.index == 2

    each = await bulk.bulk(database, ada.principal, space, [Create(MILK), delete, Create(MILK)], atomic=False)
    assert [isinstance(outcome, AppError) for outcome in each] == [True, False, False]


async def test_a_file_comes_in_whole_or_not(database: Database, ada: Person, space: SpaceAccess):
    await filled(database, ada, space, 7)

    for dry_run in (True, False):
        with pytest.raises(LimitReached):
            await brought_in(database, ada, space, ["Buy milk"] * 4, dry_run=dry_run)
    assert await brought_in(database, ada, space, ["Buy milk"] * 3) == 3


async def test_tasks_of_a_file_that_were_deleted_need_no_room(database: Database, ada: Person, space: SpaceAccess):
    await filled(database, ada, space, 10)
    deleted = {
        "uuid": "0193d1c8-7d3a-4b6e-9f5e-0a4c1c2d3e4f",
        "description": "Buy milk",
        "status": "deleted",
        "entry": "20261101T120000Z",
        "end": "20261102T120000Z",
    }
    file = exchange.read_file(orjson.dumps([deleted]), name="taskwarrior", time_zone="UTC")

    report = await exchange.import_file(
        database, ada.principal, space, file, list_id=None, on_existing="skip", dry_run=False
    )

    assert (report.imported, report.errors) == (1, [])


async def test_a_list_that_goes_with_its_tasks_makes_room_for_as_many(
    database: Database, ada: Person, space: SpaceAccess
):
    home = await lists.create(database, ada.principal, space, name="Home")
    inside = [
        await tasks.create(database, ada.principal, space, replace(MILK, list_id=home.id, completed=n == 0))
        for n in range(4)
    ]
    await tasks.delete(database, ada.principal, space, inside[1].id)
    await filled(database, ada, space, 7)

    await lists.remove(database, ada.principal, space, home.id, with_tasks=True)

    await filled(database, ada, space, 3)
    with pytest.raises(LimitReached):
        await tasks.create(database, ada.principal, space, MILK)


async def test_whatever_happens_at_once_the_count_is_right(database: Database, ada: Person, space: SpaceAccess):
    random = Random(7)
    known = [task.id for task in await filled(database, ada, space, 6)]

    async def something() -> None:
        who, task_id = (database, ada.principal, space), random.choice(known)
        try:
            match random.randrange(6):
                case 0:
                    known.append((await tasks.create(*who, MILK)).id)
                case 1:
                    await tasks.delete(*who, task_id)
                case 2:
                    await tasks.restore(*who, task_id)
                case 3:
                    await tasks.erase(*who, task_id)
                case 4:
                    await tasks.toggle(*who, task_id)
                case _:
                    await bulk.bulk(*who, [Create(MILK), Rewrite(task_id, Task.deleted)], atomic=False)
        except (NotFound, LimitReached):
            pass

    for _ in range(8):
        await asyncio.gather(*(something() for _ in range(12)))
        ((counted, there),) = await database.rows(COUNTS)
        assert counted == there <= 10


async def test_without_a_limit_there_is_always_room(database: Database, ada: Person):
    for _ in range(3):
        await tasks.create(database, ada.principal, ada.space, MILK)
