"""Spaces over HTTP: made, joined by invitation, shared, left."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from taskwell.api.gateway import Gateway
from tests.support.people import Person, arrive

SPACES, TASKS, ACCEPT = "/api/v1/spaces", "/api/v1/tasks", "/api/v1/invitations/accept"
NOWHERE = "01938d1c-7d3a-7b6e-9f5e-0a4c1c2d3e4f"


@pytest.fixture
async def ben(app: Gateway) -> Person:
    return await arrive(app, "ben")


async def family_of(ada: Person, **changes: Any) -> str:
    made = await ada.http.post(SPACES, json={"name": "Family"} | changes)
    assert made.status_code == 201, made.text
    return made.json()["id"]


async def invite(ada: Person, space: str, **body: Any) -> dict[str, Any]:
    made = await ada.http.post(f"{SPACES}/{space}/invitations", json={"role": "editor"} | body)
    assert made.status_code == 201, made.text
    return made.json()


async def join(ada: Person, space: str, who: Person, role: str = "editor") -> None:
    token = (await invite(ada, space, role=role))["token"]
    joined = await who.http.post(ACCEPT, json={"token": token})
    assert joined.status_code == 200, joined.text
    assert joined.json()["role"] == role


async def test_everybody_has_a_personal_space_and_it_comes_first(ada: Person):
    family = await family_of(ada, time_zone="Europe/Berlin")

    found = (await ada.http.get(SPACES)).json()["items"]

    assert [(each["id"], each["kind"], each["name"]) for each in found] == [
        (ada.id, "personal", "Personal"),
        (family, "shared", "Family"),
    ]
    assert found[1] == (await ada.http.get(f"{SPACES}/{family}")).json()
    assert found[1] | {"created_at": 0, "updated_at": 0} == {
        "id": family,
        "kind": "shared",
        "name": "Family",
        "role": "owner",
        "members": 1,
        "time_zone": "Europe/Berlin",
        "revision": 1,
        "created_at": 0,
        "updated_at": 0,
    }
    assert (await ada.http.get(f"{SPACES}/personal")).json() == found[0]


async def test_a_space_has_the_revision_of_its_last_change_as_etag(ada: Person, ben: Person):
    made = await ada.http.post(SPACES, json={"name": "Family"})
    space = made.json()["id"]
    assert made.headers["location"] == f"{SPACES}/{space}"
    await ada.http.post(TASKS, params={"space": space}, json={"title": "Milk"})

    unchanged = await ada.http.get(f"{SPACES}/{space}", headers={"If-None-Match": made.headers["etag"]})
    assert unchanged.status_code == 304

    renamed = await ada.http.patch(
        f"{SPACES}/{space}",
        json={"name": "We", "time_zone": "Europe/Paris"},
        headers={"If-Match": made.headers["etag"]},
    )
    assert (renamed.json()["name"], renamed.json()["time_zone"]) == ("We", "Europe/Paris")
    refused = await ada.http.patch(
        f"{SPACES}/{space}", json={"name": "Us"}, headers={"If-Match": made.headers["etag"]}
    )
    assert refused.status_code == 412
    await join(ada, space, ben)
    assert (await ada.http.get(f"{SPACES}/{space}")).headers["etag"] != renamed.headers["etag"]


async def test_a_member_writes_into_the_shared_space_and_nobody_else_sees_it(ada: Person, ben: Person, eve: Person):
    space = await family_of(ada)
    await join(ada, space, ben)

    made = await ben.http.post(TASKS, params={"space": space}, json={"title": "Buy milk"})
    assert made.status_code == 201
    assert made.headers["location"] == f"{TASKS}/{made.json()['id']}?space={space}"

    assert (await ada.http.get(made.headers["location"])).json()["title"] == "Buy milk"
    assert (await ada.http.get(TASKS, params={"space": space})).json()["items"][0]["id"] == made.json()["id"]
    assert (await ada.http.get(TASKS)).json()["items"] == []
    assert (await ada.http.get(f"{TASKS}/{made.json()['id']}")).status_code == 404
    for strange in (space, NOWHERE, "nonsense", ben.id):
        refused = await eve.http.get(TASKS, params={"space": strange})
        assert (refused.status_code, refused.json()["detail"]) == (404, "There is no such space.")


async def test_one_space_is_meant_where_an_operation_takes_one(ada: Person):
    space = await family_of(ada)

    for query in ("space=all", f"space={space}&space=personal"):
        refused = await ada.http.post(f"{TASKS}?{query}", json={"title": "Milk"})
        assert refused.status_code == 422, query
        assert refused.json()["errors"][0]["field"] == "space"


async def test_no_other_spelling_means_all_spaces(ada: Person):
    for path in (TASKS, f"{TASKS}/stats"):
        for name in ("ALL", "PERSONAL"):
            refused = await ada.http.get(path, params={"space": name})
            assert (refused.status_code, refused.json()["detail"]) == (404, "There is no such space."), path


async def test_the_request_is_judged_before_the_space_and_the_role_before_the_thing(ada: Person, ben: Person):
    space = await family_of(ada)
    await join(ada, space, ben, "reader")

    assert (await ben.http.post(TASKS, params={"space": NOWHERE}, json={"title": ""})).status_code == 422
    assert (await ben.http.patch(f"{TASKS}/{NOWHERE}?space={NOWHERE}", json={"title": "x"})).status_code == 404
    for path in (f"{TASKS}/{NOWHERE}", f"{TASKS}/nonsense"):
        refused = await ben.http.patch(path, params={"space": space}, json={"title": "x"})
        assert (refused.status_code, refused.json()["code"]) == (403, "read_only")
        gone = await ada.http.patch(path, params={"space": space}, json={"title": "x"})
        assert gone.status_code == 404


async def test_a_reader_reads_and_sets_reminders_and_writes_nothing_else(ada: Person, ben: Person):
    space = await family_of(ada)
    await join(ada, space, ben, "reader")
    task = (await ada.http.post(TASKS, params={"space": space}, json={"title": "M", "due_date": "2027-01-01"})).json()

    assert (await ben.http.get(f"{TASKS}/{task['id']}?space={space}")).status_code == 200
    for method, path, body in (
        ("POST", TASKS, {"title": "x"}),
        ("DELETE", f"{TASKS}/{task['id']}", None),
        ("PATCH", f"{TASKS}/{task['id']}/complete", None),
        ("POST", f"{TASKS}/bulk", {"operations": [{"op": "create", "data": {"title": "x"}}]}),
        ("POST", "/api/v1/lists", {"name": "x"}),
        ("DELETE", "/api/v1/tags/x", None),
    ):
        refused = await ben.http.request(method, path, params={"space": space}, json=body)
        assert (refused.status_code, refused.json()["code"]) == (403, "read_only"), path
    reminders = f"{TASKS}/{task['id']}/reminders?space={space}"
    assert (await ben.http.post(reminders, json={"minutes_before_due": 5})).status_code == 201
    assert len((await ben.http.get(reminders)).json()["items"]) == 1
    assert (await ada.http.get(reminders)).json()["items"] == []

    promoted = await ada.http.patch(f"{SPACES}/{space}/members/{ben.id}", json={"role": "editor"})
    assert promoted.json()["role"] == "editor"
    assert (await ben.http.post(TASKS, params={"space": space}, json={"title": "x"})).status_code == 201


async def test_who_was_removed_finds_nothing_and_no_old_link_lets_them_in(ada: Person, ben: Person):
    space = await family_of(ada)
    await join(ada, space, ben)
    old = await invite(ada, space, max_uses=5)
    made = await ben.http.post(
        TASKS, params={"space": space}, json={"title": "M"}, headers={"Idempotency-Key": "once"}
    )
    assert made.status_code == 201

    assert (await ada.http.delete(f"{SPACES}/{space}/members/{ben.id}")).status_code == 204

    for answer in (
        await ben.http.get(TASKS, params={"space": space}),
        await ben.http.post(TASKS, params={"space": space}, json={"title": "x"}),
        await ben.http.post(TASKS, params={"space": space}, json={"title": "M"}, headers={"Idempotency-Key": "once"}),
        await ben.http.get(f"{SPACES}/{space}"),
        await ben.http.get(f"{SPACES}/{space}/members"),
    ):
        assert (answer.status_code, answer.json()["detail"]) == (404, "There is no such space.")
    assert (await ben.http.post(ACCEPT, json={"token": old["token"]})).status_code == 410
    new = await invite(ada, space)
    assert (await ben.http.post(ACCEPT, json={"token": new["token"]})).status_code == 200


async def test_whoever_left_may_come_back_with_a_link_that_is_still_good(ada: Person, ben: Person):
    space = await family_of(ada)
    link = await invite(ada, space, max_uses=2)
    assert (await ben.http.post(ACCEPT, json={"token": link["token"]})).status_code == 200

    assert (await ben.http.delete(f"{SPACES}/{space}/members/{ben.id}")).status_code == 204

    assert (await ben.http.get(TASKS, params={"space": space})).status_code == 404
    assert (await ben.http.post(ACCEPT, json={"token": link["token"]})).status_code == 200


async def test_the_last_owner_neither_leaves_nor_steps_down(ada: Person, ben: Person):
    space = await family_of(ada)
    await join(ada, space, ben)
    own = f"{SPACES}/{space}/members/{ada.id}"

    for refused in (await ada.http.delete(own), await ada.http.patch(own, json={"role": "editor"})):
        assert (refused.status_code, refused.json()["code"]) == (409, "last_owner")
    assert (await ada.http.delete(f"{SPACES}/personal/members/{ada.id}")).json()["code"] == "last_owner"

    await ada.http.patch(f"{SPACES}/{space}/members/{ben.id}", json={"role": "owner"})
    assert (await ada.http.delete(own)).status_code == 204
    members = (await ben.http.get(f"{SPACES}/{space}/members")).json()["items"]
    assert [(each["user_id"], each["name"], each["role"]) for each in members] == [(ben.id, "Ben", "owner")]


async def test_only_an_owner_does_what_is_an_owners(ada: Person, ben: Person, eve: Person):
    space = await family_of(ada)
    await join(ada, space, ben)
    calls = (
        ("PATCH", "", {"name": "Mine"}),
        ("DELETE", "", {"confirm": "Family"}),
        ("PATCH", f"/members/{ada.id}", {"role": "reader"}),
        ("DELETE", f"/members/{ada.id}", None),
        ("GET", "/invitations", None),
        ("POST", "/invitations", {"role": "reader"}),
        ("DELETE", f"/invitations/{NOWHERE}", None),
    )

    for method, path, body in calls:
        refused = await ben.http.request(method, f"{SPACES}/{space}{path}", json=body)
        assert (refused.status_code, refused.json()["code"]) == (403, "not_owner"), path
        missing = await eve.http.request(method, f"{SPACES}/{space}{path}", json=body)
        assert (missing.status_code, missing.json()["detail"]) == (404, "There is no such space."), path


async def test_a_space_goes_with_all_that_is_in_it_once_its_name_is_confirmed(ada: Person, ben: Person):
    space = await family_of(ada)
    await join(ada, space, ben)
    await ben.http.post(TASKS, params={"space": space}, json={"title": "Milk"})

    wrong = await ada.http.request("DELETE", f"{SPACES}/{space}", json={"confirm": "Fam"})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "confirm")
    own = await ada.http.request("DELETE", f"{SPACES}/personal", json={"confirm": "Personal"})
    assert own.status_code == 409
    assert (await ada.http.request("DELETE", f"{SPACES}/{space}", json={"confirm": "Family"})).status_code == 204

    for who in (ada, ben):
        assert (await who.http.get(TASKS, params={"space": space})).status_code == 404
        assert len((await who.http.get(SPACES)).json()["items"]) == 1


async def test_the_export_has_the_memberships_and_what_was_written_in_shared_spaces(ada: Person, ben: Person):
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


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": " "}, "name"),
        ({"name": "\u200b"}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "x", "time_zone": "Mars/Olympus"}, "time_zone"),
        ({"name": "x", "kind": "personal"}, "kind"),
    ],
)
async def test_what_a_space_may_not_be_is_told_by_field(ada: Person, body, field):
    refused = await ada.http.post(SPACES, json=body)

    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, field)
