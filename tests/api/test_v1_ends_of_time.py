"""The first and the last days and instants are such as others."""

import pytest

from tests.support.people import Person

FIRST, LAST = "0001-01-01T00:00:00.000001Z", "9999-12-31T23:59:59.999998Z"


async def walked(ada: Person, sort: str) -> list[str]:
    """The titles, a page for each."""
    found: list[str] = []
    cursor = None
    while len(found) < 20:
        page = await ada.http.get(f"/api/v1/tasks?limit=1&{sort}" + (f"&cursor={cursor}" if cursor else ""))
        found += [task["title"] for task in page.json()["items"]]
        cursor = page.json()["next_cursor"]
        if cursor is None:
            break
    return found


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
async def test_a_walk_comes_past_the_first_and_the_last_day(day: str, ada: Person):
    someday = [{"title": f"someday {number}", "due_date": day} for number in range(6)]
    for draft in someday[:3]:
        await ada.http.post("/api/v1/tasks", json=draft)
    operations = [{"op": "create", "data": draft} for draft in someday[3:]]
    await ada.http.post("/api/v1/tasks/bulk", json={"operations": operations})
    await ada.http.patch("/api/v1/users/me", json={"time_zone": "Asia/Karachi"})

    for order in ("asc", "desc"):
        assert sorted(await walked(ada, f"sort=due&order={order}")) == [draft["title"] for draft in someday]


@pytest.mark.parametrize("due_at", [FIRST, LAST])
async def test_the_first_and_the_last_instant_are_told_alike_everywhere(due_at: str, ada: Person):
    made = await ada.http.post("/api/v1/tasks", json={"title": "Some day", "due_at": due_at})
    again = await ada.http.put(f"/api/v1/tasks/{made.json()['id']}", json={"title": "Some day", "due_at": due_at})
    listed = (await ada.http.get("/api/v1/tasks?sort=due")).json()["items"]
    exported = (await ada.http.get("/api/v1/tasks/export")).json()["tasks"]

    assert made.json()["due_at"] == due_at
    assert again.json() == made.json()
    assert listed == [made.json()]
    assert [task["due_at"] for task in exported] == [due_at]


@pytest.mark.parametrize(
    "due_at", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "2026-12-24T18:00:00+01:99"]
)
async def test_what_is_beyond_them_and_what_is_no_offset_is_refused(due_at: str, ada: Person):
    answer = await ada.http.post("/api/v1/tasks", json={"title": "Some day", "due_at": due_at})

    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["errors"]] == ["due_at"]
