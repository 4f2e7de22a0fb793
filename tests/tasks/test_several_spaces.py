"""One page over several spaces shows what each of them would show, in one order."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from taskwell import tasks
from taskwell.database import Database
from taskwell.errors import Invalid, InvalidCursor
from taskwell.spaces import SpaceAccess
from taskwell.spaces.access import Role
from taskwell.tasks import AS_TASK, PageRequest, Priority, TaskDraft, TaskFilter, TaskSort, lists, several_spaces
from taskwell.tasks.task import Task
from tests.support.people import Person
from tests.support.sharing import shared_space

WANTED: dict[str, TaskFilter] = {
    "everything": TaskFilter(),
    "pending": TaskFilter(completed=False),
    "urgent or low": TaskFilter(priorities=(Priority.urgent, Priority.low)),
    "tagged": TaskFilter(tags=("home", "garden")),
    "tagged with both": TaskFilter(tags=("home", "garden"), all_tags=True),
    "search": TaskFilter(search='milk "task 1"'),
    "wordless": TaskFilter(search="!"),
    "search of pending ones": TaskFilter(search="mil", completed=False),
    "overdue": TaskFilter(overdue=True),
    "not overdue": TaskFilter(overdue=False),
    "due that day": TaskFilter(due_after=date(2026, 5, 2), due_before=date(2026, 5, 4)),
    "created since": TaskFilter(created_after=datetime(2026, 1, 1, tzinfo=UTC), created_before=date(2099, 1, 1)),
    "without a list": TaskFilter(list_id="none"),
    "of nobody": TaskFilter(assignee_id="none"),
}


@pytest.fixture
async def spaces(database: Database, ada: Person) -> list[SpaceAccess]:
    """Ada's own and three shared ones, with twelve tasks each."""
    roles: list[tuple[Role, str]] = [
        ("owner", "Pacific/Kiritimati"),
        ("editor", "America/New_York"),
        ("reader", "UTC"),
    ]
    shared = [(await shared_space(database, (ada, role), time_zone=zone))[ada.id] for role, zone in roles]
    found = [ada.space, *shared]
    home = await lists.create(database, ada.principal, found[1], name="Home")
    for number in range(12):
        for space in found:
            draft = TaskDraft(
                f"{'Buy milk' if number % 3 else 'Mow'}, task {number % 5}",
                priority=Priority(number % 4 + 1),
                completed=number % 4 == 0,
                due_date=date(2026, 5, 1) + timedelta(days=number % 6) if number % 2 else None,
                tags=("home", "garden")[: number % 3],
                list_id=home.id if space is found[1] and number % 2 else None,
                assignee_id=ada.id if number % 5 == 0 else None,
            )
            task = await tasks.create(database, ada.principal, space, draft)
            if number == 11:
                await tasks.delete(database, ada.principal, space, task.id)
    return found


async def walked(
    database: Database, ada: Person, spaces: Sequence[SpaceAccess], limit: int, **asked: Any
) -> list[Task]:
    """All tasks, page by page."""
    found: list[Task] = []
    cursor = None
    while True:
        request = PageRequest(limit=limit, cursor=cursor, **asked)
        page = await several_spaces.page(database, ada.principal, spaces, request, AS_TASK)
        found += page.items
        cursor = page.next_cursor
        if cursor is None:
            return found


@pytest.mark.parametrize("name", WANTED)
async def test_every_filter_finds_in_several_spaces_what_it_finds_in_each(
    database: Database, ada: Person, spaces: list[SpaceAccess], name: str
):
    alone = [task for space in spaces for task in await walked(database, ada, [space], 200, wanted=WANTED[name])]

    together = await walked(database, ada, spaces, 5, wanted=WANTED[name])

    assert {(task.space_id, task.id) for task in together} == {(task.space_id, task.id) for task in alone}
    assert len(together) == len(alone)
    assert together == sorted(together, key=lambda task: task.created_at, reverse=True)
    total = PageRequest(WANTED[name], limit=1, with_total=True)
    assert (await several_spaces.page(database, ada.principal, spaces, total, AS_TASK)).total == len(alone)


@pytest.mark.parametrize("descending", [True, False], ids=["desc", "asc"])
@pytest.mark.parametrize("key", ["created_at", "updated_at", "due", "priority", "title"])
async def test_every_order_is_one_order_over_all_spaces(
    database: Database, ada: Person, spaces: list[SpaceAccess], key: str, *, descending: bool
):
    sort = TaskSort(key, descending)  # type: ignore[arg-type]

    together = await walked(database, ada, spaces, 7, sort=sort)

    assert len({(task.space_id, task.id) for task in together}) == len(together) == 44
    whole = await walked(database, ada, spaces, 200, sort=sort)
    assert together == whole
    if key == "due":
        dated = [task.due_date is not None for task in together]
        assert dated == sorted(dated, reverse=True)
    elif key != "title":
        keys = [getattr(task, key) for task in together]
        assert all((one >= other) if descending else (one <= other) for one, other in pairwise(keys))


async def test_the_trash_of_several_spaces_is_one(database: Database, ada: Person, spaces: list[SpaceAccess]):
    found = await walked(database, ada, spaces, 3, sort=TaskSort("deleted_at"), in_trash=True)

    assert {task.space_id for task in found} == {space.id for space in spaces}
    assert len(found) == 4


async def test_days_are_those_of_each_space(database: Database, ada: Person, spaces: list[SpaceAccess]):
    """2 May ends in Kiritimati when it has hardly begun in New York."""
    at = datetime(2026, 5, 2, 10, 30, tzinfo=UTC)

    found = await walked(database, ada, spaces, 50, wanted=TaskFilter(due_before=at))

    assert {task.due_date for task in found if task.space_id == spaces[1].id} == {date(2026, 5, 2)}
    assert {task.space_id for task in found} == {spaces[1].id}


async def test_tasks_of_one_id_in_two_spaces_are_both_on_the_pages(
    database: Database, ada: Person, spaces: list[SpaceAccess]
):
    found = await walked(database, ada, spaces, 1)

    assert [task.id for task in found] == [task.id for task in await walked(database, ada, spaces, 100)]


async def test_a_cursor_is_bound_to_the_spaces_in_any_order(
    database: Database, ada: Person, eve: Person, spaces: list[SpaceAccess]
):
    async def page(spaces: Sequence[SpaceAccess], cursor: str | None, person: Person = ada, **options: bool) -> Any:
        request = PageRequest(limit=5, cursor=cursor)
        return await several_spaces.page(database, person.principal, spaces, request, AS_TASK, **options)

    first = await page(spaces, None)
    assert (await page(spaces[::-1], first.next_cursor)).items == (await page(spaces, first.next_cursor)).items
    for other, person, options in (
        (spaces[:2], ada, {}),
        (spaces[:1], ada, {}),
        (spaces, ada, {"are_all": True}),
        (spaces, eve, {}),
    ):
        with pytest.raises(InvalidCursor):
            await page(other, first.next_cursor, person, **options)
    of_all = await page(spaces, None, are_all=True)
    assert (await page(spaces[:3], of_all.next_cursor, are_all=True)).items


async def test_the_version_differs_with_every_write_and_role(
    database: Database, ada: Person, spaces: list[SpaceAccess]
):
    async def version(spaces: Sequence[SpaceAccess], **options: Any) -> str:
        asked = PageRequest(**options)
        found = await several_spaces.version(database, ada.principal, spaces, asked)
        page = await several_spaces.page(database, ada.principal, spaces, asked, AS_TASK)
        assert page.version == found
        return found

    before = await version(spaces)
    assert await version(spaces[::-1]) == before
    demoted = SpaceAccess(spaces[1].id, "reader", 0, spaces[1].time_zone)
    seen = {before, await version([spaces[0], demoted, *spaces[2:]]), await version(spaces[:3])}
    await tasks.create(database, ada.principal, spaces[2], TaskDraft("Buy milk"))
    assert len(seen | {await version(spaces), await version(spaces, in_trash=True)}) == 5


async def test_an_order_within_one_space_is_told(database: Database, ada: Person, spaces: list[SpaceAccess]):
    request = PageRequest(TaskFilter(search="milk"), TaskSort("relevance"))

    with pytest.raises(Invalid) as refused:
        await several_spaces.page(database, ada.principal, spaces, request, AS_TASK)

    assert refused.value.errors[0].field == "sort"
