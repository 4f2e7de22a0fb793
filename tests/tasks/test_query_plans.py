"""What a page costs where one user has 100,000 tasks: an index's share of them, never all."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from taskwell import tasks
from taskwell.tasks import AS_TASK, NO_LIST, PageRequest, Priority, TaskFilter, TaskSort
from taskwell.tasks.filters import SortKey
from tests.conftest import SECRET, new_postgres_database
from tests.support.crowd import BASE, COUNT, FEW_LIST, MANY_LIST, Crowd, crowded

SORTS: tuple[SortKey, ...] = ("created_at", "updated_at", "due", "priority", "title", "relevance")
BOUND = {"postgresql": 15_000, "sqlite": 250_000}
"""Rows and instructions: of a walk until 51 of one in twenty tasks came by, or of all that a rare filter finds."""


def minute(number: int) -> timedelta:
    return timedelta(minutes=number)


FILTERS = {
    "none": TaskFilter(),
    "pending": TaskFilter(completed=False),
    "completed, few": TaskFilter(completed=True),
    "priority, few": TaskFilter(priorities=(Priority.urgent,)),
    "priorities, many": TaskFilter(priorities=(Priority.low, Priority.high)),
    "tag, few": TaskFilter(tags=("rare",)),
    "tag, many": TaskFilter(tags=("often",)),
    "tag, none": TaskFilter(tags=("never",)),
    "tags, any": TaskFilter(tags=("rare", "often")),
    "tags, all": TaskFilter(tags=("rare", "often"), all_tags=True),
    "list, few": TaskFilter(list_id=FEW_LIST),
    "list, many": TaskFilter(list_id=MANY_LIST),
    "list, unknown": TaskFilter(list_id="unknown"),
    "no list, few": TaskFilter(list_id=NO_LIST),
    "due before, few": TaskFilter(due_before=BASE + minute(10 * 1440 + 400)),
    "due before, many": TaskFilter(due_before=BASE + minute(10 * 1440 + COUNT - 2000)),
    "due after, few": TaskFilter(due_after=BASE + minute(10 * 1440 + COUNT - 400)),
    "created before, few": TaskFilter(created_before=BASE + minute(200)),
    "created after, few": TaskFilter(created_after=BASE + minute(COUNT - 200)),
    "updated after, few": TaskFilter(updated_after=BASE + minute(COUNT + 1440 - 200)),
    "overdue, none": TaskFilter(overdue=True, due_after=BASE + minute(COUNT * 2)),
    "search, few": TaskFilter(search="rare"),
    "search, none": TaskFilter(search="never"),
    "search, two words": TaskFilter(search="rare often"),
    "search, phrase": TaskFilter(search='"5 rare"'),
    "pending, priority, tag": TaskFilter(completed=False, priorities=(Priority.urgent,), tags=("often",)),
    "pending, list": TaskFilter(completed=False, list_id=FEW_LIST),
    "list, tag, search": TaskFilter(list_id=MANY_LIST, tags=("often",), search="rare"),
    "completed, created": TaskFilter(completed=True, created_after=BASE + minute(COUNT - 5000)),
}


@pytest.fixture(scope="module")
async def crowd(database_url: str, tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> AsyncIterator[Crowd]:
    if database_url.startswith("sqlite"):
        async with crowded(f"sqlite:///{tmp_path_factory.mktemp('crowd')}/crowd.db", SECRET) as filled:
            yield filled
        return
    async with new_postgres_database(f"crowd_{worker_id}") as url, crowded(url, SECRET) as filled:
        yield filled


@pytest.mark.parametrize("name", FILTERS)
async def test_a_page_goes_through_an_indexs_share_of_the_tasks(name: str, crowd: Crowd):
    for sort in SORTS:
        for descending in (True, False):
            cost, plan = await crowd.cost(PageRequest(FILTERS[name], TaskSort(sort, descending)))

            assert cost <= BOUND[crowd.database.name], (name, sort, descending, plan)
            assert "Seq Scan tasks" not in plan
            assert "SCAN tasks" not in plan


@pytest.mark.parametrize("sort", [sort for sort in SORTS if sort != "relevance"])
async def test_the_hundredth_page_costs_what_the_first_costs(sort: SortKey, crowd: Crowd):
    first = PageRequest(sort=TaskSort(sort))
    cursor = None
    for _ in range(25):
        page = await tasks.page(
            crowd.database, crowd.actor, crowd.space, PageRequest(sort=first.sort, limit=200, cursor=cursor), AS_TASK
        )
        cursor = page.next_cursor

    cost, plan = await crowd.cost(PageRequest(sort=first.sort, cursor=cursor))

    assert cost <= 1.5 * (await crowd.cost(first))[0] + 100, plan


async def test_the_trash_is_its_own_index(crowd: Crowd):
    cost, plan = await crowd.cost(PageRequest(sort=TaskSort("deleted_at"), in_trash=True))

    assert cost <= BOUND[crowd.database.name], plan


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("name", ["none", "priorities, many", "tag, few", "list, many"])
async def test_pages_after_one_another_are_one_list(sort: SortKey, name: str, crowd: Crowd):
    """Also where thousands have one key, and whichever way SQLite goes."""

    async def page(limit: int, cursor: str | None = None) -> tuple[list[str], str | None]:
        request = PageRequest(FILTERS[name], TaskSort(sort), limit=limit, cursor=cursor)
        found = await tasks.page(crowd.database, crowd.actor, crowd.space, request, AS_TASK)
        return [task.id for task in found.items], found.next_cursor

    whole, _ = await page(75)
    ids, cursor = await page(25)
    while cursor and len(ids) < len(whole):
        more, cursor = await page(25, cursor)
        ids += more
    assert ids == whole
    assert len(ids) > 25
