"""The lists of the user_tasks contract: bare arrays, filtered, sorted and cut."""

import pytest

from taskwell.database import Database
from taskwell.tasks import TaskDraft, create
from tests.support.people import Person
from tests.support.user_tasks import add, told


@pytest.fixture
def tasks(ada: Person) -> str:
    return f"/api/{ada.id}/tasks"


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("", ["cherry", "Apple", "banana"]),
        ("status=all", ["cherry", "Apple", "banana"]),
        ("status=completed", ["Apple"]),
        ("status=pending", ["cherry", "banana"]),
        ("completed=true", ["Apple"]),
        ("completed=false", ["cherry", "banana"]),
        ("completed=true&status=completed", ["Apple"]),
        ("completed=true&status=pending", []),
        ("priority=high", ["banana"]),
        ("priority=high&priority=low", ["cherry", "banana"]),
        ("priority=high,low", ["cherry", "banana"]),
        ("tags=home", ["Apple", "banana"]),
        ("tags=HOME&tags=shop", ["cherry", "Apple", "banana"]),
        ("tags=shop,%20home", ["cherry", "Apple", "banana"]),
        ("tags=nothing", []),
        ("tags=home&completed=true&priority=medium", ["Apple"]),
        ("search=pie", ["Apple", "banana"]),
        ("search=Pie%20app", ["Apple"]),
        ("search=shop", ["cherry"]),
        ("search=pie&completed=false", ["banana"]),
        ("search=%22(*", []),
        ("sort=title&order=asc", ["Apple", "banana", "cherry"]),
        ("sort_by=title&sort_order=asc", ["Apple", "banana", "cherry"]),
        ("sort_by=title&order=desc", ["cherry", "banana", "Apple"]),
        ("sort=priority", ["banana", "Apple", "cherry"]),
        ("sort=created_at&order=asc", ["banana", "Apple", "cherry"]),
        ("sort=updated_at", ["cherry", "Apple", "banana"]),
        ("sort=due_date&order=asc", ["cherry", "banana", "Apple"]),
        ("sort=due_date&order=desc", ["banana", "cherry", "Apple"]),
        ("limit=2", ["cherry", "Apple"]),
        ("limit=1&offset=1", ["Apple"]),
        ("offset=2", ["banana"]),
        ("offset=3", []),
        ("limit=2&offset=1000000000", []),
        ("sort=due_date&order=asc&limit=1&offset=1", ["banana"]),
        ("sort=due_date&order=asc&limit=2&offset=1", ["banana", "Apple"]),
        ("sort=due_date&offset=2", ["Apple"]),
        ("status=&priority=&tags=&sort=&limit=", ["cherry", "Apple", "banana"]),
        ("_t=1795252620&view=board&status=pending&status=completed", ["Apple"]),
    ],
)
async def test_lists_are_bare_arrays_filtered_sorted_and_cut(ada: Person, tasks: str, query: str, titles: list[str]):
    await add(ada, title="banana", description="for the pie", priority="high", tags=["home"], due_date="2026-12-24")
    await add(ada, title="Apple", description="pie", completed=True, tags=["Home"])
    await add(ada, title="cherry", priority="low", tags=["shop"], due_date="2026-12-24T12:00:00Z")

    answer = await ada.http.get(f"{tasks}?{query}")

    assert answer.status_code == 200
    assert [task["title"] for task in answer.json()] == titles


async def test_an_offset_walks_through_the_whole_list_once(ada: Person, tasks: str):
    for n in range(7):
        await add(ada, title=f"{n}", due_date=f"2026-12-0{n + 1}" if n < 4 else None)

    for sort in ("created_at", "updated_at", "due_date", "priority", "title"):
        whole = (await ada.http.get(f"{tasks}?sort={sort}")).json()
        pages = [(await ada.http.get(f"{tasks}?sort={sort}&limit=3&offset={at}")).json() for at in (0, 3, 6, 9)]
        assert [len(page) for page in pages] == [3, 3, 1, 0]
        assert [task for page in pages for task in page] == whole


async def test_a_list_holds_all_of_them(database: Database, ada: Person, tasks: str):
    async with database.transaction() as transaction:
        for n in range(201):
            await create(transaction, ada.principal, ada.space, TaskDraft(title=f"{n}"))

    assert len((await ada.http.get(tasks)).json()) == 201


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("status=done", "status"),
        ("completed=maybe", "completed"),
        ("priority=nope", "priority"),
        ("sort=due", "sort"),
        ("order=up", "order"),
        ("limit=0", "limit"),
        ("limit=-1", "limit"),
        ("limit=many", "limit"),
        ("offset=-1", "offset"),
        ("offset=99999999999999999999", "offset"),
        ("tags=%00", "tags"),
    ],
)
async def test_an_unknown_value_in_the_query_is_422(ada: Person, tasks: str, query: str, field: str):
    answer = await ada.http.get(f"{tasks}?{query}")

    assert answer.status_code == 422
    assert told(answer) == [field]
