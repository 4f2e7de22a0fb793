"""Members of a space over HTTP: removed, gone by themselves, and the last owner who cannot."""

import pytest

from taskwell.api.gateway import Gateway
from tests.support.people import Person, arrive
from tests.support.spaces import ACCEPT, SPACES, TASKS, family_of, invite, join


@pytest.fixture
async def ben(app: Gateway) -> Person:
    return await arrive(app, "ben")


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
