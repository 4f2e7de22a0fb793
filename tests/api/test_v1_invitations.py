"""Invitations: by link and by mail, used at most as often as was said, and only by whom they are for."""

import asyncio
from datetime import timedelta

import httpx2
import pytest
from sqlalchemy import update

from taskwell import users
from taskwell.api.gateway import Gateway
from taskwell.app import create_app
from taskwell.database import Database, Query, now
from taskwell.settings import Settings
from taskwell.spaces.rules import MAX_INVITATIONS, MAX_MEMBERSHIPS
from taskwell.spaces.tables import InvitationRow
from tests.conftest import running
from tests.support.people import Person, arrive, client
from tests.support.spaces import ACCEPT, SPACES, family_of, invite, join


@pytest.fixture
async def ben(app: Gateway) -> Person:
    return await arrive(app, "ben")


async def test_an_invitation_tells_its_token_once_and_is_listed_without_it(ada: Person):
    space = await family_of(ada)
    path, headers = f"{SPACES}/{space}/invitations", {"Idempotency-Key": "once"}

    made = await ada.http.post(path, json={"role": "reader"}, headers=headers)
    repeat = await ada.http.post(path, json={"role": "reader"}, headers=headers)

    told = made.json()
    assert len(told["token"]) >= 43
    assert told["url"].endswith(f"/join?token={told['token']}")
    assert made.headers["cache-control"] == "no-store"
    assert repeat.json() == told | {"token": None, "url": None}
    assert (await ada.http.get(path)).json()["items"] == [
        {name: told[name] for name in ("id", "role", "email", "uses_left", "expires_at")}
    ]


async def test_an_invitation_is_used_as_often_as_was_said_however_many_try_at_once(app: Gateway, ada: Person):
    space = await family_of(ada)
    token = (await invite(ada, space, max_uses=3))["token"]
    people = [await arrive(app, f"guest{number}") for number in range(8)]

    answers = await asyncio.gather(*(who.http.post(ACCEPT, json={"token": token}) for who in people))

    assert sorted(answer.status_code for answer in answers) == [200] * 3 + [410] * 5
    assert (await ada.http.get(f"{SPACES}/{space}")).json()["members"] == 4


async def test_a_member_who_follows_the_link_again_takes_no_use(ada: Person, ben: Person, eve: Person):
    space = await family_of(ada)
    token = (await invite(ada, space, max_uses=2))["token"]

    for _ in range(3):
        assert (await ben.http.post(ACCEPT, json={"token": token})).json()["role"] == "editor"

    assert (await eve.http.post(ACCEPT, json={"token": token})).status_code == 200
    assert (await ben.http.post(ACCEPT, json={"token": token})).status_code == 200


async def test_what_is_withdrawn_over_or_nobodys_lets_nobody_in(ada: Person, ben: Person, database: Database):
    space = await family_of(ada)
    withdrawn, over = await invite(ada, space), await invite(ada, space)
    assert (await ada.http.delete(f"{SPACES}/{space}/invitations/{withdrawn['id']}")).status_code == 204
    assert (await ada.http.delete(f"{SPACES}/{space}/invitations/{withdrawn['id']}")).status_code == 404
    past = update(InvitationRow).where(InvitationRow.id == over["id"]).values(expires_at=now() - timedelta(1))
    await database.rows(Query(past, lambda *_: None))

    for token in (withdrawn["token"], over["token"], "guessed", ""):
        refused = await ben.http.post(ACCEPT, json={"token": token})
        assert (refused.status_code, refused.json()["code"]) == (410, "link_over")
    assert (await ada.http.get(f"{SPACES}/{space}/invitations")).json()["items"] == []


async def test_invitations_end_with_the_ownership_of_whoever_made_them(ada: Person, ben: Person, eve: Person):
    space = await family_of(ada)
    await join(ada, space, ben, "owner")
    first = await invite(ben, space)
    await ada.http.patch(f"{SPACES}/{space}/members/{ben.id}", json={"role": "editor"})
    assert (await eve.http.post(ACCEPT, json={"token": first["token"]})).status_code == 410

    await ada.http.patch(f"{SPACES}/{space}/members/{ben.id}", json={"role": "owner"})
    second = await invite(ben, space)
    await ben.http.delete(f"{SPACES}/{space}/members/{ben.id}")
    assert (await eve.http.post(ACCEPT, json={"token": second["token"]})).status_code == 410


async def test_an_invitation_by_mail_is_for_that_confirmed_e_mail_alone(app: Gateway, ada: Person, eve: Person):
    space = await family_of(ada)
    token = (await invite(ada, space, email="Zoe@Example.com"))["token"]
    refused = await eve.http.post(ACCEPT, json={"token": token})
    assert (refused.status_code, refused.json()["code"]) == (403, "not_invited")

    unconfirmed = await arrive(app, "zoe", is_confirmed=False)
    refused = await unconfirmed.http.post(ACCEPT, json={"token": token})
    assert (refused.status_code, refused.json()["code"]) == (403, "not_invited")

    assert app.services is not None
    await users.confirm(app.services.database, unconfirmed.id)
    assert (await unconfirmed.http.post(ACCEPT, json={"token": token})).status_code == 200


async def test_who_has_no_confirmed_e_mail_makes_links_and_sends_no_mail(app: Gateway):
    zoe = await arrive(app, "zoe", is_confirmed=False)
    space = await family_of(zoe)

    refused = await zoe.http.post(
        f"{SPACES}/{space}/invitations", json={"role": "editor", "email": "ada@example.com"}
    )

    assert (refused.status_code, refused.json()["code"]) == (409, "email_unverified")
    assert (await invite(zoe, space))["email"] is None


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "role"),
        ({"role": "boss"}, "role"),
        ({"role": "editor", "max_uses": 0}, "max_uses"),
        ({"role": "editor", "max_uses": 51}, "max_uses"),
        ({"role": "editor", "expires_in_days": 31}, "expires_in_days"),
        ({"role": "editor", "email": "nobody"}, "email"),
        ({"role": "editor", "token": "mine"}, "token"),
    ],
)
async def test_what_an_invitation_may_not_say_is_told_by_field(ada: Person, body, field):
    space = await family_of(ada)

    refused = await ada.http.post(f"{SPACES}/{space}/invitations", json=body)

    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, field)


async def test_a_personal_space_has_no_invitations(ada: Person):
    refused = await ada.http.post(f"{SPACES}/personal/invitations", json={"role": "editor"})

    assert refused.status_code == 409


async def test_nobody_is_in_more_spaces_than_may_be(ada: Person, ben: Person):
    space = await family_of(ben)
    token = (await invite(ben, space))["token"]
    made = await asyncio.gather(*(ada.http.post(SPACES, json={"name": "x"}) for _ in range(MAX_MEMBERSHIPS + 5)))
    assert sorted(answer.status_code for answer in made) == [201] * MAX_MEMBERSHIPS + [409] * 5

    refused = await ada.http.post(ACCEPT, json={"token": token})

    assert (refused.status_code, refused.json()["code"]) == (409, "limit_reached")
    assert (await ben.http.get(f"{SPACES}/{space}/invitations")).json()["items"][0]["uses_left"] == 1


async def test_a_space_has_no_more_open_invitations_than_may_be(ada: Person):
    space = await family_of(ada)
    for _ in range(MAX_INVITATIONS):
        await invite(ada, space)

    refused = await ada.http.post(f"{SPACES}/{space}/invitations", json={"role": "editor"})

    assert (refused.status_code, refused.json()["code"]) == (409, "limit_reached")


async def test_guessed_tokens_are_counted_by_the_address_they_come_from(
    app: Gateway, settings: Settings, ben: Person
):
    limited = settings.model_copy(update={"rate_limit_per_minute": 3})
    async with running(create_app(limited)) as gateway:
        http = client(gateway, {"Authorization": f"Bearer {ben.token}"})
        answers = [await http.post(ACCEPT, json={"token": f"guess {number}"}) for number in range(5)]

    assert [answer.status_code for answer in answers] == [410, 410, 410, 429, 429]
    assert int(answers[-1].headers["retry-after"]) > 0


async def test_our_page_of_an_invitation_shows_its_token_and_no_other_text(ada: Person, nobody: httpx2.AsyncClient):
    made = await invite(ada, await family_of(ada))

    page = await nobody.get("/account/join", params={"token": made["token"]})
    assert page.status_code == 200
    assert made["token"] in page.text
    assert page.headers["cache-control"] == "no-store"

    other = await nobody.get("/account/join", params={"token": "Call 0900 123456 to join"})
    assert other.status_code == 410
    assert "0900" not in other.text
