"""Confirming an e-mail: the mail, the link in it, and what waits for it."""

import asyncio

import httpx2
import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from taskwell import users, worker
from taskwell.api.gateway import Gateway
from taskwell.app import create_app
from taskwell.database import Database, Query, now
from taskwell.errors import LinkOver
from taskwell.mail.tables import MailRow
from taskwell.settings import Settings
from taskwell.users.tables import OneTimeTokenRow
from tests.conftest import running
from tests.support.deliveries import alter, send_mails, until
from tests.support.letters import NEW, WAITING, follow, me, problem, sign_up, token_of
from tests.support.people import PASSWORD, Person, arrive, client
from tests.support.smtp import Mailbox


async def test_a_sign_up_confirms_nothing_and_its_link_does_once(
    nobody: httpx2.AsyncClient, database: Database, sending: Settings, mailbox: Mailbox
):
    bob = await sign_up(nobody)
    assert bob["user"]["email_verified"] is False
    assert bob["user"]["space_id"] == bob["user"]["id"]

    await send_mails(database, sending)

    (message,) = mailbox.messages
    assert message["To"] == "bob@example.com"
    assert "evil" not in message.as_string()
    (link,) = mailbox.links()
    assert link.startswith("http://127.0.0.1:8000/account/verify-email?token=")
    assert [(await follow(nobody, token_of(mailbox))).status_code for _ in range(2)] == [204, 410]
    signed_in = await nobody.post("/api/v1/auth/login", json={"email": "bob@example.com", "password": PASSWORD})
    assert signed_in.json()["user"]["email_verified"] is True
    assert await database.rows(WAITING) == []


async def test_the_running_worker_sends_what_a_sign_up_queued(
    nobody: httpx2.AsyncClient, database: Database, sending: Settings, mailbox: Mailbox
):
    async with worker.running(database, sending):
        await sign_up(nobody)
        await until(lambda: mailbox.messages)

    assert mailbox.recipients == ["bob@example.com"]


async def test_a_mail_that_is_tried_again_is_the_same_with_another_token(
    nobody: httpx2.AsyncClient, database: Database, sending: Settings, mailbox: Mailbox
):
    await sign_up(nobody)
    mailbox.refusal = "451 try later"
    with capture_logs() as logged:
        await send_mails(database, sending)
        assert await send_mails(database, sending) == 0, "it waits for a while"
        mailbox.refusal = None
        await alter(database, MailRow, fire_at=now())
        await send_mails(database, sending)
        await sign_up(nobody, "eve@example.com")
        await send_mails(database, sending)

    tokens = [link.rpartition("token=")[2] for link in mailbox.links()]
    assert len({message["Message-ID"] for message in mailbox.messages}) == len(set(tokens)) == 2
    assert [line["status"] for line in logged if line["event"] == "mail"] == ["retrying", "sent", "sent"]
    assert not any(token in str(logged) for token in tokens)
    kept = await database.rows(Query(select(OneTimeTokenRow.hash), str))
    assert len(kept) == 3, "of each attempt"
    assert not set(tokens) & set(kept)


async def test_without_a_mail_server_the_log_of_a_developer_shows_the_mail(
    nobody: httpx2.AsyncClient, database: Database, settings: Settings
):
    await sign_up(nobody)

    with capture_logs() as logged:
        await send_mails(database, settings)

    (shown,) = [line for line in logged if line["event"] == "mail without SMTP_HOST"]
    assert shown["to"] == "bob@example.com"
    token = shown["text"].partition("token=")[2].split()[0]
    assert (await follow(nobody, token)).status_code == 204


async def test_an_address_gets_three_of_these_mails_a_day(
    app: Gateway, database: Database, sending: Settings, mailbox: Mailbox
):
    bob = await arrive(app, "bob", is_confirmed=False)

    answers = await asyncio.gather(*(bob.http.post("/api/v1/auth/email/verification") for _ in range(5)))

    assert sorted(answer.status_code for answer in answers) == [202] * 3 + [429] * 2
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert 86_000 < int(refused.headers["Retry-After"]) <= 86_400
    await send_mails(database, sending)
    assert len(mailbox.messages) == 3


async def test_nothing_is_sent_where_nothing_waits_to_be_confirmed(ada: Person, database: Database):
    assert (await ada.http.post("/api/v1/auth/email/verification")).status_code == 202
    assert await database.rows(WAITING) == []


async def test_production_without_mail_signs_up_and_says_what_needs_mail(settings: Settings, ada: Person, database):
    values = settings.model_dump() | {"environment": "production"}
    async with running(create_app(Settings(_env_file=None, **values))) as app:
        await sign_up(client(app))
        http = client(app, {"Authorization": f"Bearer {ada.token}"})
        assert await problem(await http.post("/api/v1/auth/email/verification")) == (503, "mail_not_configured")
        assert await problem(await http.patch("/api/v1/users/me", json=NEW)) == (503, "mail_not_configured")
        assert (await http.patch("/api/v1/users/me", json={"name": "Ada Lovelace"})).status_code == 200

    assert await database.rows(WAITING) == []


async def test_where_e_mails_must_be_confirmed_nobody_signs_in_before(
    settings: Settings, database: Database, sending: Settings, mailbox: Mailbox
):
    async with running(create_app(settings.model_copy(update={"require_verified_email": True}))) as app:
        nobody = client(app)
        bob = await sign_up(nobody)
        assert (bob["access_token"], bob["expires_at"]) == (None, None)
        login = {"email": "BOB@example.com", "password": PASSWORD}
        form = {"username": "bob@example.com", "password": PASSWORD}
        answers = [await nobody.post("/api/v1/auth/login", json=login) for _ in range(4)]
        assert {await problem(answer) for answer in answers} == {(403, "sign_in_unconfirmed")}
        assert (await nobody.post("/api/auth/login", json=login)).status_code == 403
        assert (await nobody.post("/api/v1/auth/token", data=form)).json()["error"] == "invalid_grant"
        wrong = await nobody.post("/api/v1/auth/login", json=login | {"password": "engine 1844"})
        assert await problem(wrong) == (401, "invalid_credentials")
        await send_mails(database, sending)
        assert len(mailbox.messages) == 3, "the sign-up's is one of them"
        await follow(nobody, token_of(mailbox))
        assert (await nobody.post("/api/v1/auth/login", json=login)).status_code == 200


async def test_the_links_lead_to_the_front_end_where_there_is_one(
    nobody: httpx2.AsyncClient, database: Database, sending: Settings, mailbox: Mailbox
):
    await sign_up(nobody)

    await send_mails(database, sending.model_copy(update={"frontend_url": "https://app.example.com"}))

    assert mailbox.links()[0].startswith("https://app.example.com/verify-email?token=")


async def test_the_page_confirms_by_its_button_alone(
    nobody: httpx2.AsyncClient, ada: Person, database: Database, sending: Settings, mailbox: Mailbox
):
    await ada.http.patch("/api/v1/users/me", json=NEW)
    await send_mails(database, sending)
    path = mailbox.links()[0].removeprefix("http://127.0.0.1:8000")

    page = await nobody.get(path)
    assert (page.status_code, page.headers["Cache-Control"]) == (200, "no-store")
    assert "form-action 'self'" in page.headers["Content-Security-Policy"]
    assert token_of(mailbox) in page.text
    assert (await me(ada))["email"] == ada.email, "to look does nothing"

    form = {"token": token_of(mailbox)}
    pressed = [await nobody.post("/account/verify-email", data=form) for _ in range(2)]

    assert [answer.status_code for answer in pressed] == [200, 410]
    assert all(answer.headers["Content-Type"].startswith("text/html") for answer in pressed)
    assert (await me(ada))["email"] == NEW["email"]


async def test_the_page_shows_no_token_as_markup(nobody: httpx2.AsyncClient):
    page = await nobody.get("/account/verify-email", params={"token": '"><script>alert(1)</script>'})

    assert "<script>" not in page.text


async def test_the_operator_confirms_an_e_mail(app: Gateway, database: Database):
    bob = await arrive(app, "bob", is_confirmed=False)

    assert await users.confirm(database, bob.id)

    assert (await me(bob))["email_verified"] is True
    with pytest.raises(LinkOver):
        await users.verify_email(database, "x", group="home")
