"""v1: lists of tasks, filtered, sorted and page by page."""

import asyncio
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from taskwell.api import identity
from taskwell.database import Database, Query
from taskwell.errors import InvalidCursor
from taskwell.pagination import decode_cursor, encode_cursor
from taskwell.tasks import AS_TASK, PageRequest, TaskSort, page
from taskwell.tasks.filters import SortKey
from taskwell.tasks.pages import _listing
from tests.support.people import Person

SORTS = ["created_at", "updated_at", "due", "priority", "title"]
TASKS: list[dict[str, object]] = [
    {"title": "b", "priority": "low"},
    {"title": "A", "priority": "urgent", "due_date": "2026-12-24"},
    {"title": "a", "priority": "medium", "due_at": "2026-12-23T12:00:00Z"},
    {"title": "C", "priority": "high"},
    {"title": "Ä", "priority": "urgent", "due_at": "2026-12-25T12:00:00Z", "completed": True},
    {"title": "c", "priority": "high", "due_date": "2026-12-24"},
    {"title": "b", "priority": "low", "completed": True},
]


@pytest.fixture
async def tasks(ada: Person) -> list[dict[str, Any]]:
    """Seven tasks in the order in which they were made."""
    return [(await ada.http.post("/api/v1/tasks", json=each)).json() for each in TASKS]


async def ask(ada: Person, query: str) -> dict[str, Any]:
    response = await ada.http.get(f"/api/v1/tasks?{query}")
    assert response.status_code == 200, response.text
    return response.json()


async def walk(ada: Person, query: str, limit: int = 2) -> list[str]:
    """The ids on all pages, followed by their cursors."""
    ids: list[str] = []
    cursor = ""
    while True:
        page = await ask(ada, f"{query}&limit={limit}&cursor={cursor}")
        assert len(page["items"]) <= limit
        ids += [task["id"] for task in page["items"]]
        if page["next_cursor"] is None:
            return ids
        cursor = page["next_cursor"]


def ids(tasks: list[dict[str, Any]]) -> list[str]:
    return [task["id"] for task in tasks]


async def test_newest_first_unless_told_otherwise(ada: Person, tasks: list[dict[str, Any]]):
    assert ids((await ask(ada, ""))["items"]) == ids(tasks)[::-1]
    assert ids((await ask(ada, "order=asc"))["items"]) == ids(tasks)


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("status=pending", "bAaCc"),
        ("status=completed", "Äb"),
        ("status=all", "bAaCÄcb"),
        ("priority=urgent", "AÄ"),
        ("priority=low&priority=high", "bCcb"),
        ("priority=low&priority=low", "bb"),
        ("priority=urgent&status=pending", "A"),
        ("priority=medium&status=completed", ""),
    ],
)
async def test_filters_combine(ada: Person, tasks: list[dict[str, Any]], query: str, titles: str):
    page = await ask(ada, f"order=asc&include_total=true&{query}")

    assert "".join(task["title"] for task in page["items"]) == titles
    assert page["total"] == len(titles)


async def test_priority_sorts_by_urgency(ada: Person, tasks: list[dict[str, Any]]):
    names = [task["priority"] for task in (await ask(ada, "sort=priority&order=desc"))["items"]]

    assert names == ["urgent"] * 2 + ["high"] * 2 + ["medium"] + ["low"] * 2
    assert [task["priority"] for task in (await ask(ada, "sort=priority&order=asc"))["items"]] == names[::-1]


async def test_titles_sort_without_case_and_accents(ada: Person, tasks: list[dict[str, Any]]):
    titles = [task["title"].lower() for task in (await ask(ada, "sort=title&order=asc"))["items"]]

    assert titles == ["a", "a", "ä", "b", "b", "c", "c"]


@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_tasks_without_a_due_come_last_in_both_directions(ada: Person, tasks: list[dict[str, Any]], order: str):
    dues = [task["due_date"] or task["due_at"] for task in (await ask(ada, f"sort=due&order={order}"))["items"]]

    dated = ["2026-12-23T12:00:00Z", "2026-12-24", "2026-12-24", "2026-12-25T12:00:00Z"]
    assert dues == (dated if order == "asc" else dated[::-1]) + [None] * 3


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("sort", SORTS)
async def test_the_pages_together_are_the_list(ada: Person, tasks: list[dict[str, Any]], sort: str, order: str):
    query = f"sort={sort}&order={order}"
    whole = ids((await ask(ada, query))["items"])

    assert sorted(whole) == sorted(ids(tasks))
    for limit in (1, 2, 3, 7):
        assert await walk(ada, query, limit) == whole


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("sort", SORTS)
async def test_a_walk_is_stable_while_tasks_come_and_go(
    ada: Person, tasks: list[dict[str, Any]], sort: str, order: str
):
    """What was there all the time is seen once, in its order; what the cursor stood on may be gone."""
    query = f"sort={sort}&order={order}"
    whole = (await ask(ada, query))["items"]
    seen: list[str] = []
    deleted: set[str] = set()
    cursor: str | None = ""
    while cursor is not None:
        page = await ask(ada, f"{query}&limit=2&cursor={cursor}")
        seen += ids(page["items"])
        cursor = page["next_cursor"]
        last = page["items"][-1]
        if last["id"] in ids(whole):
            deleted.add(last["id"])
            await ada.http.delete(f"/api/v1/tasks/{last['id']}")
        if len(seen) < 20:
            await ada.http.post("/api/v1/tasks", json={"title": "b", "priority": "low", "due_date": "2026-12-24"})

    assert len(seen) == len(set(seen))
    stayed = [each for each in ids(whole) if each not in deleted]
    assert [each for each in seen if each in stayed] == stayed


async def test_a_walk_ends_where_many_tasks_have_one_key(ada: Person):
    await asyncio.gather(*(ada.http.post("/api/v1/tasks", json={"title": "same"}) for _ in range(25)))
    for sort in ("title", "due", "priority"):
        found = await walk(ada, f"sort={sort}", 10)
        assert (len(found), len(set(found))) == (25, 25)


async def cursor_of(person: Person, query: str) -> str:
    return (await ask(person, f"{query}&limit=2"))["next_cursor"]


@pytest.mark.parametrize(
    "other",
    ["sort=title", "order=asc", "status=pending", "priority=low", "sort=due&order=asc", "sort=priority"],
)
async def test_a_cursor_is_good_for_its_own_list_only(ada: Person, tasks: list[dict[str, Any]], other: str):
    for one, another in (("", other), (other, "")):
        cursor = await cursor_of(ada, one)
        response = await ada.http.get(f"/api/v1/tasks?{another}&limit=2&cursor={cursor}")
        assert (response.status_code, response.json()["code"]) == (400, "invalid_cursor")


async def test_a_cursor_of_somebody_else_is_refused(ada: Person, eve: Person, tasks: list[dict[str, Any]]):
    response = await eve.http.get(f"/api/v1/tasks?cursor={await cursor_of(ada, '')}")

    assert response.status_code == 400


async def test_a_cursor_of_the_tasks_is_none_of_the_trash(ada: Person, tasks: list[dict[str, Any]]):
    assert (await ada.http.get(f"/api/v1/tasks/trash?cursor={await cursor_of(ada, '')}")).status_code == 400


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "null",
        "W10",
        "e30",
        "MQ",
        "WzEsMiwzXQ",
        "%00",
        "%FF",
        "a b",
        "A" * 5000,
        "....",
        "=",
        "WyJ4IixudWxsLG51bGxd",
    ],
)
async def test_a_cursor_that_is_not_ours_is_refused(ada: Person, cursor: str):
    response = await ada.http.get(f"/api/v1/tasks?cursor={cursor}")

    assert response.status_code in ((400,) if cursor not in ("%00", "%FF") else (400, 422))


async def test_an_empty_cursor_is_the_first_page(ada: Person, tasks: list[dict[str, Any]]):
    assert await ask(ada, "cursor=") == await ask(ada, "")


async def test_the_limit_may_change_from_page_to_page(ada: Person, tasks: list[dict[str, Any]]):
    rest = await ask(ada, f"limit=200&cursor={await cursor_of(ada, '')}")

    assert ids(rest["items"]) == ids(tasks)[::-1][2:]


async def test_a_page_links_to_the_next(ada: Person, tasks: list[dict[str, Any]]):
    seen: list[str] = []
    url = "/api/v1/tasks?limit=3&sort=title&order=asc&include_total=true"
    while True:
        response = await ada.http.get(url)
        seen += ids(response.json()["items"])
        if response.json()["next_cursor"] is None:
            assert "link" not in response.headers
            break
        target, rel = response.headers["link"].split("; ")
        assert rel == 'rel="next"'
        url = target.strip("<>")
        assert parse_qs(urlsplit(url).query)["cursor"] == [response.json()["next_cursor"]]
    assert sorted(seen) == sorted(ids(tasks))


async def test_the_total_is_told_only_on_request(ada: Person, tasks: list[dict[str, Any]]):
    assert "total" not in await ask(ada, "limit=1")
    page = await ask(ada, "limit=1&include_total=true")
    assert (page["total"], len(page["items"])) == (7, 1)
    assert (await ask(ada, f"limit=1&include_total=true&cursor={page['next_cursor']}"))["total"] == 7


async def test_an_empty_list_is_a_list(ada: Person):
    assert await ask(ada, "include_total=true") == {"items": [], "next_cursor": None, "total": 0}


async def test_a_list_shows_its_etag_and_an_unchanged_one_is_a_304(ada: Person, tasks: list[dict[str, Any]]):
    first = await ada.http.get("/api/v1/tasks?limit=2")
    same = await ada.http.get("/api/v1/tasks?limit=2", headers={"If-None-Match": first.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")

    await ada.http.post("/api/v1/tasks", json={"title": "One more"})

    changed = await ada.http.get("/api/v1/tasks?limit=2", headers={"If-None-Match": first.headers["etag"]})
    assert changed.status_code == 200


@pytest.mark.parametrize("sort", SORTS)
async def test_a_cursor_of_the_other_database_is_refused(ada: Person, database: Database, tasks, sort: SortKey):
    """After a move with a backup; the secret, and so the seal, is the same."""
    request = PageRequest(sort=TaskSort(sort), limit=1)
    ours = (await page(database, ada.principal, ada.space, request, AS_TASK)).next_cursor
    assert ours
    listing = _listing(ada.space, request)
    key, place = decode_cursor(listing, ours)

    theirs = encode_cursor(listing, key, 7 if isinstance(place, str) else tasks[0]["id"])
    with pytest.raises(InvalidCursor):
        await page(database, ada.principal, ada.space, replace(request, cursor=theirs), AS_TASK)


async def test_a_page_is_one_statement(ada: Person, database: Database, tasks, monkeypatch: pytest.MonkeyPatch):
    asked: list[Query[Any]] = []
    rows = type(database).rows

    async def counted(self, query, /, **values):
        asked.append(query)
        return await rows(self, query, **values)

    monkeypatch.setattr(identity, "SYNC_SECONDS", 600.0)  # on a slow machine one would also read who has signed out
    await ask(ada, "")
    monkeypatch.setattr(type(database), "rows", counted)
    await ask(ada, "")
    await ask(ada, "include_total=true&sort=due")

    assert len(asked) == 2


def test_httpx_follows_the_link_header():
    """The header is one that ordinary clients understand."""
    response = httpx2.Response(200, headers={"Link": '</api/v1/tasks?cursor=x>; rel="next"'})

    assert response.links["next"]["url"] == "/api/v1/tasks?cursor=x"
