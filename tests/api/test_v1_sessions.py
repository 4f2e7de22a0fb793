"""v1: renewing a token, and signing out everywhere."""

import asyncio
import time
from datetime import timedelta
from typing import Any

import httpx2
import jwt
import pytest

from taskwell import users
from taskwell.api.gateway import Gateway
from taskwell.app import create_app
from taskwell.database import Database, now
from taskwell.security import tokens
from taskwell.settings import Settings
from taskwell.users.tables import RevokedTokenRow
from tests.conftest import running
from tests.support.deliveries import alter
from tests.support.issuer import SHARED, shared_secret_token
from tests.support.letters import problem
from tests.support.people import PASSWORD, Person, client

RENEW, LOGOUT = "/api/v1/auth/renew", "/api/v1/auth/logout"


def bearing(app: Gateway, token: str) -> httpx2.AsyncClient:
    return client(app, {"Authorization": f"Bearer {token}"})


def claims_of(token: str) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})


def signed_in(app: Gateway, person: Person, ago: timedelta) -> httpx2.AsyncClient:
    """With a token of just now, of a sign-in that long ago."""
    settings = app.settings
    at = now()
    token = tokens.issue(
        person.id,
        key=settings.signing_key,
        algorithm=settings.algorithm,
        now=at,
        lifetime=timedelta(days=1),
        signed_in_at=at - ago,
    )
    return bearing(app, token.text)


async def status(http: httpx2.AsyncClient) -> int:
    return (await http.get("/api/v1/tasks")).status_code


async def test_a_renewal_answers_as_a_login_and_keeps_when_the_user_signed_in(app: Gateway, ada: Person):
    phone = signed_in(app, ada, timedelta(days=89))

    answer = await phone.post(RENEW)

    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    session = answer.json()
    login = await client(app).post("/api/v1/auth/login", json={"email": ada.email, "password": PASSWORD})
    assert session.keys() == login.json().keys()
    assert session["user"] == login.json()["user"]
    new = claims_of(session["access_token"])
    assert time.time() - new["auth_time"] == pytest.approx(89 * 86_400, abs=5)
    assert time.time() - new["iat"] < 5
    assert await status(bearing(app, session["access_token"])) == 200
    assert (await bearing(app, session["access_token"]).post(RENEW)).status_code == 200


async def test_the_old_token_ends_a_minute_later_on_every_server(
    app: Gateway, ada: Person, database: Database, settings: Settings
):
    async with running(create_app(settings)) as other:
        here, there = ada.http, bearing(other, ada.token)
        assert [await status(here), await status(there)] == [200, 200]
        renewed = (await here.post(RENEW)).json()["access_token"]
        assert [await status(here), await status(there)] == [200, 200]
        again = (await here.post(RENEW)).json()["access_token"]

        await alter(database, RevokedTokenRow, revoked_at=now())  # a minute has passed

        ends = time.monotonic() + 2
        for old in (here, there):
            while await status(old) != 401:
                assert time.monotonic() < ends
                await asyncio.sleep(0.05)
        assert [await status(bearing(other, token)) for token in (renewed, again)] == [200, 200]
        assert (await here.post(RENEW)).status_code == 401


async def test_renewing_again_and_again_gives_the_old_token_no_more_time(ada: Person, database: Database):
    await ada.http.post(RENEW)
    first = await users.recently_revoked(database, timedelta(hours=1))
    await asyncio.sleep(0.05)

    await ada.http.post(RENEW)

    assert await users.recently_revoked(database, timedelta(hours=1)) == first
    ((token_id, ends_at),) = first
    assert token_id == ada.principal.token_id
    assert timedelta(seconds=50) < ends_at - now() <= timedelta(minutes=1)


async def test_a_token_that_was_renewed_signs_out_at_once(ada: Person):
    await ada.http.post(RENEW)

    await ada.http.post(LOGOUT)

    assert await status(ada.http) == 401


async def test_ninety_days_after_the_sign_in_there_is_no_renewal(app: Gateway, ada: Person):
    phone = signed_in(app, ada, timedelta(days=90))

    assert await problem(await phone.post(RENEW)) == (403, "sign_in_again")
    assert await status(phone) == 200


async def test_a_renewal_that_a_new_password_overtakes_renews_nothing(app: Gateway, ada: Person, settings: Settings):
    """The other server has not heard of it yet."""
    async with running(create_app(settings)) as other:
        elsewhere = bearing(other, ada.token)
        await status(elsewhere)
        laptop = signed_in(app, ada, timedelta(0))
        await laptop.post("/api/v1/auth/password", json={"current_password": PASSWORD, "new_password": "engine 1852"})

        assert (await elsewhere.post(RENEW)).status_code == 401


async def test_the_token_of_a_repeated_renewal_is_told_once(ada: Person):
    key = {"Idempotency-Key": "again"}
    first, again = [await ada.http.post(RENEW, headers=key) for _ in range(2)]

    assert first.json()["access_token"] is not None
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json() == first.json() | {"access_token": None}


async def test_signing_out_everywhere_refuses_every_token_of_the_user_and_nobody_elses(
    app: Gateway, ada: Person, eve: Person, settings: Settings
):
    phone = signed_in(app, ada, timedelta(0))
    async with running(create_app(settings)) as other:
        elsewhere = bearing(other, ada.token)
        assert [await status(each) for each in (phone, elsewhere, ada.http)] == [200] * 3

        answer = await phone.post(f"{LOGOUT}?everywhere=true&personal=true")

        assert answer.status_code == 200
        assert [await status(each) for each in (phone, ada.http, eve.http)] == [401, 401, 200]
        await asyncio.sleep(1.5)
        assert await status(elsewhere) == 401
    login = await client(app).post("/api/v1/auth/login", json={"email": ada.email, "password": PASSWORD})
    http = bearing(app, login.json()["access_token"])
    kinds = [event["kind"] for event in (await http.get("/api/v1/users/me/activity")).json()["items"]]
    assert "signed_out_everywhere" in kinds


async def test_signing_out_ends_one_token_unless_told_otherwise(app: Gateway, ada: Person):
    phone = signed_in(app, ada, timedelta(0))

    assert (await phone.post(f"{LOGOUT}?everywhere=false")).status_code == 200

    assert [await status(phone), await status(ada.http)] == [401, 200]


@pytest.mark.parametrize("query", ["everywhere=perhaps", "anywhere=true"])
async def test_a_query_that_breaks_a_rule_signs_nobody_out(ada: Person, query: str):
    assert (await ada.http.post(f"{LOGOUT}?{query}")).status_code == 422
    assert await status(ada.http) == 200


async def test_an_external_user_signs_out_everywhere_and_renews_elsewhere(app: Gateway, settings: Settings):
    values = settings.model_dump() | {"better_auth_secret": SHARED}
    async with running(create_app(Settings(_env_file=None, **values))) as service:
        dated, undated = (
            bearing(service, shared_secret_token(SHARED, sub="grace", iat=iat)) for iat in (int(time.time()), None)
        )
        assert [await status(dated), await status(undated)] == [200, 200]
        assert (await dated.post(RENEW)).status_code == 403

        await dated.post(f"{LOGOUT}?everywhere=true")

        assert [await status(dated), await status(undated)] == [401, 401]
