"""The lists of the older contracts end at ten thousand tasks, and tell where there are more."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from taskwell.api import long_lists
from taskwell.api.long_lists import MAX_LIST
from tests.support.people import Person

NEXT = re.compile(r'<([^<>]+)>; rel="next"')
Listed = Callable[[Any], list[dict[str, Any]]]
LISTS: dict[str, tuple[str, Listed]] = {
    "todos": ("/api/users/{}/todos", lambda body: body["todos"]),
    "user_tasks": ("/api/{}/tasks", lambda body: body),
    "v1_user_tasks": ("/api/v1/{}/tasks", lambda body: body),
}


@pytest.fixture(params=LISTS)
def listing(request: pytest.FixtureRequest, ada: Person) -> tuple[str, Listed]:
    path, listed = LISTS[request.param]
    return path.format(ada.id), listed


@pytest.fixture
async def seven(ada: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seven tasks, three of them completed, of which a list holds three."""
    monkeypatch.setattr(long_lists, "MAX_LIST", 3)
    for number in range(7):
        await ada.http.post("/api/v1/tasks", json={"title": f"Task {number}", "completed": number < 3})


@pytest.mark.usefixtures("seven")
@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("", 7),
        ("?status=pending&x=1", 4),
        ("?order=asc&sort_by=title", 7),
        ("?offset=2", 5),
        ("?offset=&status=completed", 3),
    ],
)
async def test_the_next_link_walks_through_the_whole_list_once(
    ada: Person, listing: tuple[str, Listed], query: str, number: int
):
    path, listed = listing
    titles: list[str] = []
    total = str(number + 2 if "offset=2" in query else number)
    address: str | None = path + query
    while address is not None:
        answer = await ada.http.get(address)
        assert len(listed(answer.json())) <= 3
        titles += [task["title"] for task in listed(answer.json())]
        link = NEXT.fullmatch(answer.headers.get("link", ""))
        address = link[1] if link else None
        is_whole = len(listed(answer.json())) == int(total)
        assert answer.headers.get("x-total-count") == (None if is_whole else total)
        if path.endswith("todos"):
            assert answer.json()["total"] == int(total)
            assert set(answer.json()["filters_applied"]) == {"status", "sort_by", "order"}

    assert len(titles) == len(set(titles)) == number


@pytest.mark.usefixtures("seven")
@pytest.mark.parametrize(("query", "total"), [("?offset=7", 7), ("?offset=1000000&status=pending", 4)])
async def test_beyond_the_end_there_is_nothing_and_the_total_is_told(
    ada: Person, listing: tuple[str, Listed], query: str, total: int
):
    path, listed = listing
    answer = await ada.http.get(path + query)

    assert listed(answer.json()) == []
    assert answer.headers["x-total-count"] == str(total)
    assert "link" not in answer.headers
    assert not path.endswith("todos") or answer.json()["total"] == total


async def test_a_list_that_is_whole_tells_of_no_more(ada: Person, listing: tuple[str, Listed]):
    path, listed = listing
    for number in range(2):
        answer = await ada.http.get(path)
        assert len(listed(answer.json())) == number
        assert not {"link", "x-total-count"} & set(answer.headers)
        await ada.http.post("/api/v1/tasks", json={"title": "Buy milk"})


@pytest.mark.usefixtures("seven")
async def test_an_own_limit_counts_as_far_as_the_list_goes(ada: Person):
    for limit, number in ((1, 1), (3, 3), (1_000_000, 3)):
        answer = await ada.http.get(f"/api/{ada.id}/tasks?limit={limit}&offset=1")
        assert len(answer.json()) == number
        assert answer.headers["x-total-count"] == "7"
        link = NEXT.fullmatch(answer.headers["link"])
        assert link is not None
        assert link[1] == f"/api/{ada.id}/tasks?limit={limit}&offset={1 + number}"


@pytest.mark.parametrize("offset", ["-1", "x", "1.5", "1000000001"])
async def test_an_offset_that_is_none_is_refused(ada: Person, listing: tuple[str, Listed], offset: str):
    path, _ = listing

    assert (await ada.http.get(f"{path}?offset={offset}")).status_code == (400 if path.endswith("todos") else 422)


async def test_of_ten_thousand_and_one_tasks_ten_thousand_are_listed(ada: Person, listing: tuple[str, Listed]):
    for first, end in ((0, MAX_LIST), (MAX_LIST, MAX_LIST + 1)):
        content = "title\r\n" + "".join(f"Task {number}\r\n" for number in range(first, end))
        imported = await ada.http.post("/api/v1/tasks/import?format=csv", content=content)
        assert imported.json()["imported"] == end - first
    path, listed = listing

    answer = await ada.http.get(path)

    assert len(listed(answer.json())) == MAX_LIST == 10_000
    assert answer.headers["x-total-count"] == "10001"
    link = NEXT.fullmatch(answer.headers["link"])
    assert link is not None
    assert len(listed((await ada.http.get(link[1])).json())) == 1
