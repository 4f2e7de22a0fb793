"""A forgotten password: the mail, the link in it, and what a reset ends."""

import asyncio
from datetime import timedelta

import httpx2
import pytest

from taskwell import users
from taskwell.api.gateway import Gateway
from taskwell.app import create_app
from taskwell.database import Database, now
from taskwell.mail.tables import MailQuotaRow, MailRow
from taskwell.settings import Settings
from taskwell.users.tables import OneTimeTokenRow
from tests.conftest import running, settings_of
from tests.support.deliveries import alter, send_mails
from tests.support.letters import (
    FORGOT,
    OTHER,
    RESET,
    WAITING,
    follow,
    forget,
    login,
    me,
    problem,
    reset,
    signed_in,
    token_of,
)
from tests.support.people import PASSWORD, Person, arrive, client, set_email
from tests.support.smtp import Mailbox


async def test_the_link_sets_another_password_once_and_signs_every_device_out(
    app: Gateway,
    nobody: httpx2.AsyncClient,
    ada: Person,
    eve: Person,
    database: Database,
    sending: Settings,
    mailbox: Mailbox,
):
    await forget(nobody, "ADA@example.com")
    await send_mails(database, sending)
    assert mailbox.recipients == [ada.email]
    (link,) = mailbox.links()
    assert link.startswith("http://127.0.0.1:8000/account/reset-password?token=")

    answers = [await reset(nobody, token_of(mailbox)) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [204, 410]
    assert (await ada.http.get("/api/v1/tasks")).status_code == 401
    assert (await eve.http.get("/api/v1/tasks")).status_code == 200
    assert [await login(nobody, ada.email, password) for password in (PASSWORD, OTHER)] == [401, 200]
    await send_mails(database, sending)
    assert mailbox.messages[-1]["Subject"] == "Your Taskwell password was changed"
    assert mailbox.recipients == [ada.email] * 2
    http = await signed_in(app, ada.email)
    kinds = [event["kind"] for event in (await http.get("/api/v1/users/me/activity")).json()["items"]]
    assert {"password_reset_asked", "password_reset"} <= set(kinds)


async def test_a_mail_is_queued_whether_or_not_there_is_an_account_and_sent_only_where_there_is(
    nobody: httpx2.AsyncClient, ada: Person, database: Database, sending: Settings, mailbox: Mailbox
):
    for email in (ada.email, "nobody@example.com"):
        await forget(nobody, email)
    assert sorted(await database.rows(WAITING)) == [ada.email, "nobody@example.com"]

    await send_mails(database, sending)

    assert mailbox.recipients == [ada.email]
    assert await database.rows(WAITING) == []


async def test_the_mail_goes_to_the_e_mail_as_the_account_has_it(
    nobody: httpx2.AsyncClient, ada: Person, database: Database, sending: Settings, mailbox: Mailbox
):
    await set_email(database, ada, "straße@example.com")

    await forget(nobody, "STRASSE@example.com")
    await send_mails(database, sending)

    assert mailbox.recipients == ["straße@example.com"]


async def test_an_account_gets_three_of_these_mails_an_hour(
    nobody: httpx2.AsyncClient, ada: Person, database: Database, sending: Settings, mailbox: Mailbox
):
    for _ in range(5):
        await forget(nobody, ada.email)
    await send_mails(database, sending)
    assert len(mailbox.messages) == 3

    await alter(database, MailQuotaRow, began_at=now() - timedelta(minutes=61))
    await forget(nobody, ada.email)
    await send_mails(database, sending)
    assert len(mailbox.messages) == 4


async def test_an_unconfirmed_address_gets_three_of_these_mails_a_day(
    app: Gateway, nobody: httpx2.AsyncClient, database: Database, sending: Settings, mailbox: Mailbox
):
    bob = await arrive(app, "bob", is_confirmed=False)
    for hour in range(3):
        await alter(database, MailQuotaRow, began_at=now() - timedelta(minutes=61 * hour))
        await forget(nobody, bob.email)
        await forget(nobody, bob.email)
        await send_mails(database, sending)

    assert len(mailbox.messages) == 3


async def test_a_mail_that_is_tried_again_counts_once_and_has_another_token(
    nobody: httpx2.AsyncClient, ada: Person, database: Database, sending: Settings, mailbox: Mailbox
):
    mailbox.refusal = "451 try later"
    for _ in range(3):
        await forget(nobody, ada.email)
    await send_mails(database, sending)
    mailbox.refusal = None
    await alter(database, MailRow, fire_at=now())

    await send_mails(database, sending)

    assert len(set(mailbox.links())) == 3


async def test_a_password_that_breaks_a_rule_is_told_and_uses_the_link_not_up(
    nobody: httpx2.AsyncClient, ada: Person, database: Database, sending: Settings, mailbox: Mailbox
):
    await forget(nobody, ada.email)
    await send_mails(database, sending)

    weak = await reset(nobody, token_of(mailbox), "engine")

    assert (weak.status_code, weak.json()["errors"][0]["field"]) == (422, "new_password")
    assert (await me(ada))["email"] == ada.email
    assert (await reset(nobody, token_of(mailbox))).status_code == 204


async def test_of_twenty_who_follow_one_link_at_once_one_sets_the_password(
    nobody: httpx2.AsyncClient, ada: Person, database: Database, sending: Settings, mailbox: Mailbox
):
    await forget(nobody, ada.email)
    await send_mails(database, sending)

    passwords = [f"engine {number}" for number in range(1800, 1820)]
    answers = await asyncio.gather(*(reset(nobody, token_of(mailbox), password) for password in passwords))

    assert sorted(answer.status_code for answer in answers) == [204] + [410] * 19
    winner = passwords[[answer.status_code for answer in answers].index(204)]
    assert await login(nobody, ada.email, winner) == 200


async def test_a_link_is_good_for_half_an_hour_for_its_purpose_its_e_mail_and_an_account_that_is_open(
    nobody: httpx2.AsyncClient, ada: Person, database: Database, sending: Settings, mailbox: Mailbox
):
    async def token() -> str:
        await alter(database, MailQuotaRow, began_at=now() - timedelta(days=2))
        await forget(nobody, ada.email)
        await send_mails(database, sending)
        return token_of(mailbox)

    assert await problem(await follow(nobody, await token())) == (410, "link_over")
    late = await token()
    await alter(database, OneTimeTokenRow, expires_at=now())
    assert await problem(await reset(nobody, late)) == (410, "link_over")
    elsewhere = await token()
    await set_email(database, ada, "lovelace@example.com")
    assert await problem(await reset(nobody, elsewhere)) == (410, "link_over")
    await set_email(database, ada, ada.email)
    shut = await token()
    await users.disable(database, ada.id)
    assert await problem(await reset(nobody, shut)) == (410, "link_over")
    before = len(mailbox.messages)
    await forget(nobody, ada.email)
    await send_mails(database, sending)
    assert len(mailbox.messages) == before


@pytest.mark.parametrize("token", ["", "x", "x" * 5000, "\u202e"])
async def test_a_token_that_never_was_is_over(nobody: httpx2.AsyncClient, token: str):
    assert await problem(await reset(nobody, token)) == (410, "link_over")


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        (FORGOT, {}, "email"),
        (FORGOT, {"email": "ada"}, "email"),
        (FORGOT, {"email": "ada@example.com\x00"}, "email"),
        (FORGOT, {"email": "ada@example.com", "name": "x"}, "name"),
        (RESET, {"new_password": OTHER}, "token"),
        (RESET, {"token": "x"}, "new_password"),
        (RESET, {"token": "x", "new_password": 5}, "new_password"),
    ],
)
async def test_a_body_that_breaks_a_rule_names_its_field(
    nobody: httpx2.AsyncClient, path: str, body: dict, field: str
):
    answer = await nobody.post(path, json=body)

    assert answer.status_code == 422
    assert field in [error["field"] for error in answer.json()["errors"]]


async def test_a_network_asks_only_so_often(settings: Settings, database: Database):
    async with running(create_app(settings_of(settings.database_url, rate_limit_per_minute=5))) as app:
        answers = [await client(app).post(FORGOT, json={"email": f"x{n}@example.com"}) for n in range(7)]

    assert [answer.status_code for answer in answers] == [202] * 5 + [429] * 2
    assert len(await database.rows(WAITING)) == 5


async def test_production_without_mail_says_so_to_everybody(settings: Settings, ada: Person, database: Database):
    values = settings.model_dump() | {"environment": "production"}
    async with running(create_app(Settings(_env_file=None, **values))) as app:
        for email in (ada.email, "nobody@example.com"):
            answer = await client(app).post(FORGOT, json={"email": email})
            assert await problem(answer) == (503, "mail_not_configured")

    assert await database.rows(WAITING) == []


async def test_the_page_changes_the_password_by_its_form_alone(
    nobody: httpx2.AsyncClient, ada: Person, database: Database, sending: Settings, mailbox: Mailbox
):
    await forget(nobody, ada.email)
    await send_mails(database, sending)
    page = await nobody.get(mailbox.links()[0].removeprefix("http://127.0.0.1:8000"))
    assert (page.status_code, page.headers["Cache-Control"]) == (200, "no-store")
    assert "<script" not in page.text
    assert await login(nobody, ada.email, PASSWORD) == 200, "to look does nothing"

    form = {"token": token_of(mailbox), "new_password": "engine"}
    weak = await nobody.post("/account/reset-password", data=form)
    sent = [await nobody.post("/account/reset-password", data=form | {"new_password": OTHER}) for _ in range(2)]

    assert (weak.status_code, "8 to 128" in weak.text, token_of(mailbox) in weak.text) == (422, True, True)
    assert [answer.status_code for answer in sent] == [200, 410]
    assert all(answer.headers["Content-Type"].startswith("text/html") for answer in (weak, *sent))
    assert await login(nobody, ada.email, OTHER) == 200
