"""What a space holds: tasks, lists, tags, files, and the days that its zone has."""

from datetime import UTC, datetime, timedelta

from taskwell.api.gateway import Gateway
from tests.support.people import Person, arrive
from tests.support.spaces import SPACES, TASKS, family_of, join


async def test_the_export_has_the_memberships_and_what_was_written_in_shared_spaces(app: Gateway, ada: Person):
    ben = await arrive(app, "ben")
    space = await family_of(ada)
    await join(ada, space, ben)
    for who, title in ((ada, "Ada's"), (ben, "Ben's")):
        await who.http.post(TASKS, params={"space": space}, json={"title": title})
    await ben.http.post(TASKS, json={"title": "Ben's own"})

    found = (await ben.http.get("/api/v1/users/me/export")).json()

    assert [(each["space_id"], each["name"], each["role"]) for each in found["memberships"]] == [
        (space, "Family", "editor")
    ]
    assert [each["title"] for each in found["shared_tasks"]] == ["Ben's"]
    assert [each["title"] for each in found["tasks"]] == ["Ben's own"]


async def test_days_begin_where_the_space_is(ada: Person):
    far_east = await family_of(ada, time_zone="Pacific/Kiritimati")
    far_west = await family_of(ada, time_zone="Pacific/Midway")
    day = (datetime.now(UTC) - timedelta(hours=11)).date().isoformat()  # today there
    overdue = {}
    for space in (far_east, far_west):
        await ada.http.post(TASKS, params={"space": space}, json={"title": "Milk", "due_date": day})
        page = await ada.http.get(TASKS, params={"space": space, "overdue": True})
        overdue[space] = len(page.json()["items"])
    assert overdue == {far_east: 1, far_west: 0}

    moved = await ada.http.patch(f"{SPACES}/{far_east}", json={"time_zone": "Pacific/Midway"})

    assert moved.json()["time_zone"] == "Pacific/Midway"
    page = await ada.http.get(TASKS, params={"space": far_east, "overdue": True})
    assert page.json()["items"] == []


async def test_the_zone_of_the_personal_space_is_the_users(ada: Person):
    await ada.http.patch(f"{SPACES}/personal", json={"time_zone": "Asia/Tokyo", "name": "Mine"})

    assert (await ada.http.get("/api/v1/users/me")).json()["time_zone"] == "Asia/Tokyo"
    assert (await ada.http.get(SPACES)).json()["items"][0]["name"] == "Mine"


async def test_the_older_contracts_stay_with_the_personal_space(ada: Person):
    space = await family_of(ada)
    await ada.http.post(TASKS, params={"space": space}, json={"title": "Shared"})

    for path in (f"/api/users/{ada.id}/todos", f"/api/{ada.id}/tasks", f"/api/v1/{ada.id}/tasks"):
        assert "Shared" not in (await ada.http.get(path, params={"space": space})).text


async def test_lists_tags_stats_bulk_and_files_are_the_spaces(ada: Person):
    space = await family_of(ada)
    there = {"space": space}
    made = await ada.http.post("/api/v1/lists", params=there, json={"name": "Groceries"})
    assert made.json()["space_id"] == space
    assert made.headers["location"] == f"/api/v1/lists/{made.json()['id']}?space={space}"
    operations = [{"op": "create", "data": {"title": "Milk", "tags": ["home"], "list_id": made.json()["id"]}}]
    assert (await ada.http.post(f"{TASKS}/bulk", params=there, json={"operations": operations})).status_code == 200
    file = {"tasks": [{"title": "Bread"}]}
    assert (await ada.http.post(f"{TASKS}/import", params=there, json=file)).json()["imported"] == 1

    for path, shared, own in (
        ("/api/v1/lists", 1, 0),
        ("/api/v1/tags", 1, 0),
        (TASKS, 2, 0),
    ):
        assert len((await ada.http.get(path, params=there)).json()["items"]) == shared, path
        assert len((await ada.http.get(path)).json()["items"]) == own, path
    assert (await ada.http.get(f"{TASKS}/stats", params=there)).json()["total"] == 2
    assert "Bread" in (await ada.http.get(f"{TASKS}/export", params=there)).text
    assert (await ada.http.delete("/api/v1/tags/home", params=there)).status_code == 204
    page = await ada.http.get(TASKS, params=there | {"limit": 1})
    assert f"space={space}" in page.headers["link"]
