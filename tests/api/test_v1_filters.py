"""The query of a list in v1: every parameter, and what it refuses."""

from typing import Any

import pytest

from taskwell.database import Database, Query, new_id
from tests.support.people import Person

TASKS = "/api/v1/tasks"


@pytest.fixture
async def groceries(ada: Person) -> str:
    """A list."""
    return str((await ada.http.post("/api/v1/lists", json={"name": "Groceries"})).json()["id"])


@pytest.fixture
async def stored(ada: Person, groceries: str) -> None:
    for task in (
        {
            "title": "Milk",
            "priority": "low",
            "tags": ["Home", "Shop"],
            "list_id": groceries,
            "due_date": "2026-01-10",
        },
        {"title": "Taxes", "priority": "urgent", "tags": ["Office"], "due_at": "2026-01-10T12:00:00+02:00"},
        {"title": "Walk", "priority": "high", "description": "with the milkman", "completed": True},
        {"title": "Café", "tags": ["home"], "due_date": "2999-12-31"},
    ):
        assert (await ada.http.post(TASKS, json=task)).status_code == 201


async def titles(person: Person, query: str) -> list[str]:
    answer = await person.http.get(f"{TASKS}?order=asc&{query}")
    assert answer.status_code == 200, answer.text
    return [item["title"] for item in answer.json()["items"]]


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "Milk Taxes Walk Café"),
        ("status=pending", "Milk Taxes Café"),
        ("priority=low&priority=urgent", "Milk Taxes"),
        ("tag=HOME", "Milk Café"),
        ("tag=home&tag=office", "Milk Taxes Café"),
        ("tag=home&tag=shop&tag_match=all", "Milk"),
        ("tag=%20home%20", "Milk Café"),
        ("tag=nowhere", ""),
        ("list_id=none", "Taxes Walk Café"),
        ("list_id=01938d1c-7d3a-7b6e-9f5e-0a4c1c2d3e4f", ""),
        ("list_id=no-uuid", ""),
        ("list_id=", ""),
        ("overdue=true", "Milk Taxes"),
        ("overdue=false", "Walk Café"),
        ("due_before=2026-01-11", "Milk Taxes"),
        ("due_before=2026-01-10T10:00:00Z", ""),
        ("due_before=2026-01-10T10:00:01Z", "Taxes"),
        ("due_after=2026-01-10T10:00:00Z", "Milk Taxes Café"),
        ("due_after=2026-01-11", "Café"),
        ("created_after=2999-01-01T00:00:00Z", ""),
        ("created_before=2999-01-01T00:00:00Z&updated_after=2020-01-01T00:00:00%2B02:00", "Milk Taxes Walk Café"),
        ("created_after=2020-01-01&updated_after=2020-01-01&created_before=2999-01-01", "Milk Taxes Walk Café"),
        ("created_after=2999-01-01", ""),
        ("due_after=2026-01-10T12:00:00+02:00", "Milk Taxes Café"),
        ("q=milk", "Milk Walk"),
        ("q=CAFE", "Café"),
        ("q=home%20mil", "Milk"),
        ("q=%22the%20milkman%22", "Walk"),
        ("q=", "Milk Taxes Walk Café"),
        ("q=!", ""),
        ("q=milk&status=pending&tag=home&priority=low&list_id=none", ""),
        ("q=milk&status=pending&tag=home&priority=low&overdue=true&due_after=2026-01-01", "Milk"),
    ],
)
async def test_each_filter_finds_its_tasks(ada: Person, query: str, expected: str):
    assert await titles(ada, query) == expected.split()


@pytest.mark.usefixtures("stored")
async def test_a_list_is_found_by_its_id_in_any_case_and_never_anothers(ada: Person, eve: Person, groceries: str):
    assert await titles(ada, f"list_id={groceries}") == ["Milk"]
    assert await titles(ada, f"list_id={groceries.upper()}") == ["Milk"]
    assert await titles(eve, f"list_id={groceries}") == []


@pytest.mark.usefixtures("stored")
async def test_the_most_relevant_come_first(ada: Person):
    answer = await ada.http.get(f"{TASKS}?q=milk&sort=relevance&limit=1&include_total=true")
    assert [item["title"] for item in answer.json()["items"]] == ["Milk"]
    assert answer.json()["total"] == 2

    rest = await ada.http.get(answer.links["next"]["url"])

    assert [item["title"] for item in rest.json()["items"]] == ["Walk"]
    assert rest.json()["next_cursor"] is None


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("status=done", "status"),
        ("status=", "status"),
        ("status=all&status=pending", "status"),
        ("priority=huge", "priority"),
        ("priority=low&priority=", "priority"),
        ("tag=", "tag"),
        ("tag=a,b", "tag"),
        ("tag=%00", "tag"),
        ("q=%00", "q"),
        ("list_id=%00", "list_id"),
        ("tag=" + "x" * 51, "tag"),
        ("&".join(f"tag={n}" for n in range(21)), "tag"),
        ("tag=a&tag_match=some", "tag_match"),
        ("overdue=perhaps", "overdue"),
        ("due_before=soon", "due_before"),
        ("due_before=2026-02-30", "due_before"),
        ("due_after=2026-01-01T00:00:00", "due_after"),
        ("due_after=1767225600", "due_after"),
        ("created_before=2026-01-01T00:00:00", "created_before"),
        ("created_before=2026-01-01 02:00", "created_before"),
        ("created_after=2026-13-01T00:00:00Z", "created_after"),
        ("updated_after=", "updated_after"),
        ("q=" + "x" * 1001, "q"),
        ("sort=colour", "sort"),
        ("sort=deleted_at", "sort"),
        ("sort=relevance", "q"),
        ("order=up", "order"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=many", "limit"),
        ("include_total=perhaps", "include_total"),
        ("colour=red", "colour"),
        ("tags=home", "tags"),
        ("search=milk", "search"),
    ],
)
async def test_a_value_that_breaks_its_rule_is_told_with_its_parameter(ada: Person, query: str, field: str):
    answer = await ada.http.get(f"{TASKS}?{query}")

    assert answer.status_code == 422
    assert [(error["location"], error["field"]) for error in answer.json()["errors"]] == [("query", field)]


@pytest.mark.parametrize("query", ["q=milk", "status=pending", "sort=title", "tag=a"])
async def test_the_trash_takes_no_filter(ada: Person, query: str):
    assert (await ada.http.get(f"{TASKS}/trash?{query}")).status_code == 422


@pytest.fixture
def statements(database: Database, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the verbs of tasks ask the database from here on; once a second others ask about revoked tokens."""
    run: list[str] = []
    rows = type(database).rows

    async def recorded(self: Database, query: Query[Any], /, **values: object) -> list[Any]:
        if query.shape.__module__.startswith("taskwell.tasks"):
            run.append(query.shape.__name__)
        return await rows(self, query, **values)

    monkeypatch.setattr(type(database), "rows", recorded)
    return run


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize(
    "path",
    [TASKS, f"{TASKS}?q=milk&sort=relevance", f"{TASKS}?due_before=2026-06-01", f"{TASKS}/trash", f"{TASKS}?limit=1"],
)
async def test_an_unchanged_list_is_a_304_for_one_small_statement(ada: Person, path: str, statements: list[str]):
    thrown_away = (await ada.http.post(TASKS, json={"title": "Old milk"})).json()
    await ada.http.delete(f"{TASKS}/{thrown_away['id']}")
    first = await ada.http.get(path)
    statements.clear()

    again = await ada.http.get(path, headers={"If-None-Match": first.headers["ETag"]})

    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert again.headers["Cache-Control"] == "private, no-cache"
    assert statements == ["version_text"]


@pytest.mark.usefixtures("stored")
async def test_every_write_makes_every_list_of_its_user_new_and_of_nobody_else(ada: Person, eve: Person):
    paths = [TASKS, f"{TASKS}?status=completed", f"{TASKS}?q=milk", f"{TASKS}/trash"]
    task = (await ada.http.post(TASKS, json={"title": "Bread"})).json()
    list_id = (await ada.http.post("/api/v1/lists", json={"name": "Home"})).json()["id"]
    hers = {path: (await eve.http.get(path)).headers["ETag"] for path in paths}
    for method, path, body in (
        ("POST", TASKS, {"title": "Eggs"}),
        ("PATCH", f"{TASKS}/{task['id']}", {"title": "Brown bread"}),
        ("PATCH", f"{TASKS}/{task['id']}/complete", None),
        ("PATCH", f"{TASKS}/{task['id']}", {"list_id": list_id}),
        ("DELETE", f"/api/v1/lists/{list_id}", None),
        ("DELETE", f"{TASKS}/{task['id']}", None),
        ("POST", f"{TASKS}/{task['id']}/restore", None),
        ("DELETE", f"{TASKS}/{task['id']}?permanent=true", None),
    ):
        tags = {each: (await ada.http.get(each)).headers["ETag"] for each in paths}

        written = await ada.http.request(method, path, json=body)

        assert written.is_success
        for each, tag in tags.items():
            fresh = await ada.http.get(each, headers={"If-None-Match": tag})
            assert fresh.status_code == 200, (method, path, each)
            assert fresh.headers["ETag"] != tag
    for path, tag in hers.items():
        assert (await eve.http.get(path, headers={"If-None-Match": tag})).status_code == 304


@pytest.mark.usefixtures("stored")
async def test_an_etag_is_of_its_own_question_and_time_zone(ada: Person):
    queries = ["", "?status=pending", "?limit=2", "?sort=title", "?q=milk", "?due_before=2026-01-11", "/trash"]
    tags = [(await ada.http.get(TASKS + query)).headers["ETag"] for query in queries]
    assert len(set(tags)) == len(queries)

    answer = await ada.http.get(f"{TASKS}?status=pending", headers={"If-None-Match": tags[0]})
    assert answer.status_code == 200
    await ada.http.patch("/api/v1/users/me", json={"time_zone": "Pacific/Kiritimati"})
    moved = await ada.http.get(f"{TASKS}?due_before=2026-01-11", headers={"If-None-Match": tags[5]})
    assert moved.status_code == 200


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize("overdue", ["true", "false"])
async def test_a_list_that_changes_with_the_clock_is_never_a_304(ada: Person, overdue: str):
    answer = await ada.http.get(f"{TASKS}?overdue={overdue}")

    assert "ETag" not in answer.headers
    assert (await ada.http.get(f"{TASKS}?overdue={overdue}", headers={"If-None-Match": "*"})).status_code == 200


async def test_a_cursor_that_is_not_ours_is_400_even_where_any_etag_will_do(ada: Person):
    answer = await ada.http.get(f"{TASKS}?cursor={new_id()}", headers={"If-None-Match": "*"})

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_cursor")
