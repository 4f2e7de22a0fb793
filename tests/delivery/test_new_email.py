"""Changing one's e-mail: the current password, and the link that is mailed to the new address."""

import asyncio

import httpx2
import pytest

from taskwell.api.gateway import Gateway
from taskwell.app import create_app
from taskwell.database import Database, now
from taskwell.settings import Settings
from taskwell.users.tables import OneTimeTokenRow
from tests.conftest import running, settings_of
from tests.support.deliveries import alter, send_mails
from tests.support.letters import NEW, WAITING, follow, me, problem, token_of
from tests.support.people import PASSWORD, Person, arrive
from tests.support.smtp import Mailbox


async def test_a_new_e_mail_takes_effect_when_its_link_is_followed_and_the_old_one_is_told(
    nobody: httpx2.AsyncClient, ada: Person, database: Database, sending: Settings, mailbox: Mailbox
):
    asked = await ada.http.patch("/api/v1/users/me", json=NEW | {"name": "Ada Lovelace"})
    assert asked.status_code == 200
    shown = asked.json()
    assert (shown["email"], shown["pending_email"], shown["name"]) == (ada.email, NEW["email"], "Ada Lovelace")
    assert shown["email_verified"] is True
    await send_mails(database, sending)
    assert mailbox.recipients == [NEW["email"]]

    assert (await follow(nobody, token_of(mailbox))).status_code == 204

    after = await me(ada)
    assert (after["email"], after["email_verified"], after["pending_email"]) == (NEW["email"], True, None)
    for email, status in ((NEW["email"], 200), (ada.email, 401)):
        answer = await nobody.post("/api/v1/auth/login", json={"email": email, "password": PASSWORD})
        assert answer.status_code == status
    await send_mails(database, sending)
    assert mailbox.recipients == [NEW["email"], ada.email]
    assert NEW["email"] not in mailbox.messages[-1].as_string()
    kinds = [event["kind"] for event in (await ada.http.get("/api/v1/users/me/activity")).json()["items"]]
    assert [kind for kind in kinds if kind.startswith("email")] == ["email_changed", "email_change_asked"]


async def test_an_old_e_mail_that_nobody_confirmed_is_not_told(
    app: Gateway, nobody: httpx2.AsyncClient, database: Database, sending: Settings, mailbox: Mailbox
):
    bob = await arrive(app, "bob", is_confirmed=False)
    await bob.http.patch("/api/v1/users/me", json=NEW)
    await send_mails(database, sending)
    await follow(nobody, token_of(mailbox))

    await send_mails(database, sending)

    assert mailbox.recipients == [NEW["email"]]


async def test_an_e_mail_changes_with_the_current_password_only(ada: Person, database: Database):
    wrong = await ada.http.patch("/api/v1/users/me", json=NEW | {"current_password": "engine 1844"})
    missing = await ada.http.patch("/api/v1/users/me", json={"email": NEW["email"]})

    assert await problem(wrong) == (403, "wrong_password")
    assert (missing.status_code, missing.json()["errors"][0]["field"]) == (422, "current_password")
    assert (await me(ada))["pending_email"] is None
    assert await database.rows(WAITING) == []


async def test_naming_the_present_e_mail_ends_the_wait_for_another(
    nobody: httpx2.AsyncClient, ada: Person, database: Database, sending: Settings, mailbox: Mailbox
):
    await ada.http.patch("/api/v1/users/me", json=NEW)
    await send_mails(database, sending)

    await ada.http.patch("/api/v1/users/me", json={"email": ada.email})

    assert (await me(ada))["pending_email"] is None
    assert await problem(await follow(nobody, token_of(mailbox))) == (410, "link_over")


async def test_another_password_ends_every_link_and_the_wait(
    nobody: httpx2.AsyncClient, ada: Person, database: Database, sending: Settings, mailbox: Mailbox
):
    await ada.http.patch("/api/v1/users/me", json=NEW)
    await send_mails(database, sending)

    body = {"current_password": PASSWORD, "new_password": "engine 1852"}
    assert (await ada.http.post("/api/v1/auth/password", json=body)).status_code == 204

    assert (await me(ada))["pending_email"] is None
    assert await problem(await follow(nobody, token_of(mailbox))) == (410, "link_over")


async def test_a_mail_whose_reason_has_gone_is_not_sent(
    ada: Person, database: Database, sending: Settings, mailbox: Mailbox
):
    await ada.http.patch("/api/v1/users/me", json=NEW)
    await ada.http.patch("/api/v1/users/me", json={"email": ada.email})

    await send_mails(database, sending)

    assert mailbox.messages == []
    assert await database.rows(WAITING) == []


async def test_of_many_who_follow_a_link_at_once_one_is_let_in(
    nobody: httpx2.AsyncClient, ada: Person, database: Database, sending: Settings, mailbox: Mailbox
):
    await ada.http.patch("/api/v1/users/me", json=NEW)
    await send_mails(database, sending)

    answers = await asyncio.gather(*(follow(nobody, token_of(mailbox)) for _ in range(20)))

    assert sorted(answer.status_code for answer in answers) == [204] + [410] * 19


async def test_of_two_who_wait_for_one_e_mail_the_first_to_confirm_gets_it(
    nobody: httpx2.AsyncClient, ada: Person, eve: Person, database: Database, sending: Settings, mailbox: Mailbox
):
    for person in (ada, eve):
        assert (await person.http.patch("/api/v1/users/me", json=NEW)).status_code == 200
    await send_mails(database, sending)

    tokens = [link.rpartition("token=")[2] for link in mailbox.links()]
    answers = await asyncio.gather(*(follow(nobody, token) for token in tokens))

    assert sorted(answer.status_code for answer in answers) == [204, 409]


async def test_a_link_is_good_for_a_day(
    nobody: httpx2.AsyncClient, ada: Person, database: Database, sending: Settings, mailbox: Mailbox
):
    await ada.http.patch("/api/v1/users/me", json=NEW)
    await send_mails(database, sending)
    await alter(database, OneTimeTokenRow, expires_at=now())

    assert await problem(await follow(nobody, token_of(mailbox))) == (410, "link_over")


@pytest.mark.parametrize("token", ["", "x", "x" * 5000, "\u202e"])
async def test_a_token_that_never_was_is_over(nobody: httpx2.AsyncClient, token: str):
    assert await problem(await follow(nobody, token)) == (410, "link_over")


async def test_an_e_mail_that_is_taken_is_a_409_and_nothing_changes(ada: Person, eve: Person, database: Database):
    body = NEW | {"email": "ADA@example.com", "name": "Mallory"}

    assert await problem(await eve.http.patch("/api/v1/users/me", json=body)) == (409, "email_taken")

    assert (await me(eve))["name"] == "Eve"
    assert await database.rows(WAITING) == []


async def test_whose_e_mails_are_taken_is_told_to_nobody_without_end(ada: Person, database: Database, settings):
    limited = settings_of(settings.database_url, rate_limit_per_minute=5)
    async with running(create_app(limited)) as app:
        eve = await arrive(app, "eve")
        body = NEW | {"email": ada.email}
        answers = [await eve.http.patch("/api/v1/users/me", json=body) for _ in range(8)]

    assert [answer.status_code for answer in answers] == [409] * 5 + [429] * 3
    assert int(answers[-1].headers["Retry-After"]) > 0
