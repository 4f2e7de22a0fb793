"""What the tokens of an external user say of their e-mail and name."""

# ruff: noqa: RUF001  the letters that look alike are meant

import time
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from taskwell.api.gateway import Gateway
from taskwell.app import create_app
from taskwell.settings import Settings
from tests.conftest import running
from tests.support.issuer import SHARED, Issuer
from tests.support.people import client


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    async with Issuer() as issuer:
        yield issuer


@pytest.fixture
async def service(app: Gateway, settings: Settings, issuer: Issuer) -> AsyncIterator[Gateway]:
    changes = {"better_auth_url": issuer.url, "better_auth_secret": SHARED}
    async with running(create_app(Settings(_env_file=None, **settings.model_dump() | changes))) as service:
        yield service


def bearing(service: Gateway, token: str) -> httpx2.AsyncClient:
    return client(service, {"Authorization": f"Bearer {token}"})


async def test_the_e_mail_is_what_the_newest_token_says_of_it(service: Gateway, issuer: Issuer):
    async def shown(**claims: Any) -> tuple[str, bool]:
        me = (await bearing(service, issuer.token(**claims)).get("/api/v1/users/me")).json()
        return me["email"], me["email_verified"]

    then = int(time.time()) - 60
    grace, hopper = "grace@example.com", "hopper@example.com"
    assert await shown(iat=then) == (grace, False)
    assert await shown(iat=then + 1, emailVerified=True) == (grace, True)
    assert await shown(iat=then + 2, emailVerified=None, email_verified=True) == (grace, True)
    assert await shown(iat=then + 3, emailVerified="true", email=hopper) == (hopper, False)
    assert await shown(iat=then + 3, emailVerified=True, email=hopper) == (hopper, True)
    assert await shown(iat=then + 4, email=None) == (hopper, True)
    assert await shown(iat=then + 2, jti="older") == (hopper, True)


async def test_an_external_user_names_another_e_mail_without_a_password_and_it_counts_as_unconfirmed(
    service: Gateway, issuer: Issuer
):
    grace = bearing(service, issuer.token(emailVerified=True))
    assert (await grace.get("/api/v1/users/me")).json()["email_verified"] is True

    answer = await grace.patch("/api/v1/users/me", json={"email": "hopper@example.com"})

    assert answer.status_code == 200
    for shown in (answer.json(), (await grace.get("/api/v1/users/me")).json()):
        assert (shown["email"], shown["email_verified"]) == ("hopper@example.com", False)
        assert shown["space_id"] != shown["id"]
    task = (await grace.post("/api/v1/tasks", json={"title": "Call"})).json()
    refused = await grace.post(f"/api/v1/tasks/{task['id']}/reminders", json={"remind_at": "2999-01-01T00:00:00Z"})
    assert refused.json()["code"] == "email_unverified"
    assert (await grace.post("/api/v1/auth/email/verification")).status_code == 403


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ("علی\u200cرضا", "علی\u200cرضا"),
        ("Réunion\u202f12", "Réunion\u202f12"),
        ("a\r\nb\u2028c", "a b c"),
        ("\u200d\u200c", "grace"),
    ],
)
async def test_a_name_keeps_its_joiners_and_loses_line_ends(service: Gateway, issuer: Issuer, sent: str, name: str):
    assert (await bearing(service, issuer.token(name=sent)).get("/api/v1/users/me")).json()["name"] == name


async def test_an_external_user_sets_a_webhook_without_a_confirmed_e_mail(service: Gateway, issuer: Issuer):
    http = bearing(service, issuer.token())

    answer = await http.put("/api/v1/users/me/webhook", json={"url": "https://example.com/a"})

    assert answer.status_code == 200, answer.text
    assert (await http.get("/api/v1/users/me")).json()["email_verified"] is False
