"""The mail to the owner of an account that many fail to sign in to, and what following its link does."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from taskwell.api.gateway import Gateway
from taskwell.app import create_app
from taskwell.database import Database
from taskwell.settings import Settings
from tests.conftest import running, settings_of
from tests.support.deliveries import send_mails
from tests.support.letters import WAITING, token_of
from tests.support.limiting import networks, sign_in, via
from tests.support.people import PASSWORD, Person, arrive, client
from tests.support.smtp import Mailbox

ABROAD = "192.0.2.1"


@pytest.fixture
async def limited(settings: Settings) -> AsyncIterator[Gateway]:
    proxies = networks("127.0.0.0/8")
    changed = settings_of(settings.database_url, rate_limit_per_minute=5).model_copy(
        update={"trusted_proxies": proxies}
    )
    async with running(create_app(changed)) as app:
        yield app


async def fail_fifty_times(http: httpx2.AsyncClient, email: str) -> None:
    for number in range(50):
        assert (await sign_in(http, email, **via(f"198.51.100.{number}"))).status_code == 401


async def test_after_fifty_failures_the_owner_is_mailed_once_and_the_link_opens_the_account_from_there(
    limited: Gateway, ada: Person, database: Database, sending: Settings, mailbox: Mailbox
):
    http = client(limited)
    await fail_fifty_times(http, "ADA@example.com")
    assert (await sign_in(http, ada.email, PASSWORD, **via(ABROAD))).status_code == 429
    assert await database.rows(WAITING) == ["ADA@example.com"]
    await send_mails(database, sending)
    assert mailbox.recipients == [ada.email]
    assert "/verify-email?token=" in mailbox.links()[0]

    followed = await http.post("/api/v1/auth/email/verify", json={"token": token_of(mailbox)}, headers=via(ABROAD))

    assert followed.status_code == 204
    assert (await sign_in(http, ada.email, PASSWORD, **via(ABROAD))).status_code == 200
    assert (await sign_in(http, ada.email, PASSWORD, **via("192.0.2.2"))).status_code == 429


async def test_the_owner_is_mailed_once_a_day(
    limited: Gateway, ada: Person, database: Database, sending: Settings, mailbox: Mailbox
):
    await fail_fifty_times(client(limited), ada.email)
    await send_mails(database, sending)
    async with running(create_app(limited.settings)) as other:
        await fail_fifty_times(client(other), ada.email)
        await send_mails(database, sending)

    assert len(mailbox.messages) == 1


@pytest.mark.parametrize("email", ["bob@example.com", "nobody@example.com", "a password typed here by mistake"])
async def test_an_account_that_is_unconfirmed_or_not_there_is_locked_alike_and_nobody_is_mailed(
    limited: Gateway, database: Database, sending: Settings, mailbox: Mailbox, email: str
):
    await arrive(limited, "bob", is_confirmed=False)
    http = client(limited)
    await fail_fifty_times(http, email)
    assert (await sign_in(http, email, PASSWORD, **via(ABROAD))).status_code == 429

    await send_mails(database, sending)

    assert mailbox.messages == []
    assert await database.rows(WAITING) == []


async def test_wrong_passwords_of_a_signed_in_caller_tell_the_owner_too(
    limited: Gateway, ada: Person, database: Database, sending: Settings, mailbox: Mailbox
):
    http = client(limited, {"Authorization": f"Bearer {ada.token}"})
    body = {"current_password": "engine 1", "new_password": "engine 1852"}
    for number in range(50):
        answer = await http.post("/api/v1/auth/password", json=body, headers=via(f"198.51.100.{number}"))
        assert answer.status_code == 403

    await send_mails(database, sending)

    assert mailbox.recipients == [ada.email]
