"""Spaces over HTTP: made, joined by invitation, shared, left."""

import pytest

from taskwell.api.gateway import Gateway
from tests.support.people import Person, arrive
from tests.support.spaces import SPACES, TASKS, family_of, join

NOWHERE = "01938d1c-7d3a-7b6e-9f5e-0a4c1c2d3e4f"


@pytest.fixture
async def ben(app: Gateway) -> Person:
    return await arrive(app, "ben")


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
