"""A front end with Better Auth gets in at once: a real server of it, and its own tokens."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import jwt
import pytest

from taskwell.api.gateway import Gateway
from taskwell.app import create_app
from taskwell.settings import Settings
from tests.conftest import running
from tests.support.better_auth import SECRET, BetterAuth, better_auth
from tests.support.people import client


@asynccontextmanager
async def serving(settings: Settings, **changes: Any) -> AsyncIterator[Gateway]:
    """Another process of the deployment, with only these settings of Better Auth."""
    async with running(create_app(Settings(_env_file=None, **settings.model_dump() | changes))) as service:
        yield service


async def bearing(service: Gateway, issuer: BetterAuth) -> httpx2.AsyncClient:
    return client(service, {"Authorization": f"Bearer {await issuer.token()}"})


async def works_everywhere(http: httpx2.AsyncClient, user_id: str) -> None:
    """Makes a task in one contract and finds it in the others."""
    made = (await http.post(f"/api/{user_id}/tasks", json={"title": "Buy milk"})).raise_for_status().json()
    assert made["user_id"] == user_id
    for path in ("/api/v1/tasks", f"/api/v1/{user_id}/tasks", f"/api/v1/users/{user_id}/tasks"):
        page = (await http.get(path)).raise_for_status().json()
        assert made["id"] in [task["id"] for task in page["items"]]
    assert made["id"] in [task["id"] for task in (await http.get(f"/api/{user_id}/tasks")).json()]
    todos = (await http.get(f"/api/users/{user_id}/todos")).raise_for_status().json()["todos"]
    assert made["id"] in [todo["id"] for todo in todos]
    assert (await http.get("/api/v1/somebody-else/tasks")).status_code == 403


@pytest.mark.parametrize("algorithm", ["EdDSA", "RS256", "ES256", "PS256", "ES512"])
async def test_its_tokens_work_on_every_contract_with_its_url_alone(app: Gateway, settings: Settings, algorithm: str):
    with better_auth(BA_ALG=algorithm) as issuer:
        user_id = await issuer.sign_up("grace")
        assert jwt.get_unverified_header(await issuer.token())["alg"] == algorithm

        async with serving(settings, better_auth_url=issuer.url) as service:
            http = await bearing(service, issuer)
            await works_everywhere(http, user_id)
            me = (await http.get("/api/v1/users/me")).json()

    assert (me["id"], me["email"], me["name"]) == (user_id, "grace@example.com", "Grace")


async def test_it_may_rotate_its_key_and_be_stopped(app: Gateway, settings: Settings):
    with better_auth() as issuer:
        user_id = await issuer.sign_up("grace")
        async with serving(settings, better_auth_url=issuer.url) as service:
            await works_everywhere(await bearing(service, issuer), user_id)
            await issuer.rotate()
            rotated = await bearing(service, issuer)
            for _ in range(50):
                if (await rotated.get("/api/v1/tasks")).status_code == 200:
                    break
                await asyncio.sleep(0.1)
            await works_everywhere(rotated, user_id)
            unused = await bearing(service, issuer)
            issuer.stop()
            await works_everywhere(unused, user_id)


async def test_a_key_that_expires_by_itself_is_followed(app: Gateway, settings: Settings):
    with better_auth(BA_ROTATION_S="1", BA_GRACE_S="60") as issuer:
        user_id = await issuer.sign_up("grace")
        async with serving(settings, better_auth_url=issuer.url) as service:
            await works_everywhere(await bearing(service, issuer), user_id)
            await asyncio.sleep(1.1)
            await works_everywhere(await bearing(service, issuer), user_id)


@pytest.mark.parametrize("beside", ["nothing", "the URL"])
async def test_its_shared_secret_works_alone_and_beside_the_url(app: Gateway, settings: Settings, beside: str):
    with better_auth(BA_ALG="HS256") as issuer:
        user_id = await issuer.sign_up("grace")
        url = {"better_auth_url": issuer.url} if beside == "the URL" else {}
        async with serving(settings, better_auth_secret=SECRET, **url) as service:
            await works_everywhere(await bearing(service, issuer), user_id)


async def test_its_issuer_and_audience_may_be_other_ones(app: Gateway, settings: Settings):
    with better_auth(BA_ISSUER="https://app.example.com", BA_AUDIENCE="taskwell-api") as issuer:
        user_id = await issuer.sign_up("grace")
        names = {"better_auth_issuer": "https://app.example.com", "better_auth_audience": "taskwell-api"}
        async with serving(settings, better_auth_url=issuer.url, **names) as service:
            await works_everywhere(await bearing(service, issuer), user_id)
        async with serving(settings, better_auth_url=issuer.url) as service:
            assert (await (await bearing(service, issuer)).get("/api/v1/tasks")).status_code == 401


async def test_a_token_of_another_server_of_its_kind_is_refused(app: Gateway, settings: Settings):
    with better_auth() as issuer, better_auth() as other:
        await issuer.sign_up("grace")
        await other.sign_up("grace")
        async with serving(settings, better_auth_url=issuer.url) as service:
            assert (await (await bearing(service, other)).get("/api/v1/tasks")).status_code == 401
            assert (await (await bearing(service, issuer)).get("/api/v1/tasks")).status_code == 200


async def test_its_session_cookie_is_no_credential(app: Gateway, settings: Settings):
    with better_auth() as issuer:
        await issuer.sign_up("grace")
        token = await issuer.token()
        async with serving(settings, better_auth_url=issuer.url) as service:
            cookies = {"Cookie": f"better-auth.session_token={issuer.session}; token={token}; access_token={token}"}
            for path in ("/api/v1/tasks", f"/api/v1/tasks?access_token={token}", f"/api/v1/tasks?token={token}"):
                assert (await client(service, cookies).get(path)).status_code == 401
