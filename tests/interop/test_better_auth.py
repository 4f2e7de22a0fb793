"""A front end with Better Auth gets in at once: a real server of it, and its own tokens, on both databases."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from functools import cache
from typing import Any

import httpx2
import jwt
import pytest

from taskwell.api.gateway import Gateway
from taskwell.app import create_app
from tests.conftest import new_postgres_database, running, settings_of
from tests.support.better_auth import SECRET, BetterAuth, better_auth
from tests.support.people import client

Issuers = Callable[..., BetterAuth]
"""Gives the running server with these variables."""


@pytest.fixture(scope="module")
def issuers() -> Iterator[Issuers]:
    """One of each kind for everybody here: each takes more than a second to start."""
    with ExitStack() as started:

        @cache
        def issuer(**variables: str) -> BetterAuth:
            return started.enter_context(better_auth(**variables))

        yield issuer


@pytest.fixture(scope="module")
async def databases(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> AsyncIterator[list[str]]:
    async with new_postgres_database(f"taskwell_better_auth_{worker_id}") as url:
        yield [f"sqlite:///{tmp_path_factory.mktemp('better_auth')}/taskwell.db", url]


@asynccontextmanager
async def serving(databases: list[str], **changes: Any) -> AsyncIterator[list[Gateway]]:
    """A process of the deployment on each database, with only these settings of Better Auth."""
    async with AsyncExitStack() as both:
        yield [await both.enter_async_context(running(create_app(settings_of(url, **changes)))) for url in databases]


async def bearing(service: Gateway, issuer: BetterAuth) -> httpx2.AsyncClient:
    return client(service, {"Authorization": f"Bearer {await issuer.token()}"})


async def works_everywhere(http: httpx2.AsyncClient, user_id: str) -> None:
    """Makes a task in one contract and finds it in the others."""
    made = (await http.post(f"/api/{user_id}/tasks", json={"title": "Buy milk"})).raise_for_status().json()
    assert made["user_id"] == user_id
    for path in ("/api/v1/tasks", f"/api/v1/users/{user_id}/tasks"):
        page = (await http.get(path)).raise_for_status().json()
        assert made["id"] in [task["id"] for task in page["items"]]
    assert made["id"] in [task["id"] for task in (await http.get(f"/api/{user_id}/tasks")).json()]
    todos = (await http.get(f"/api/users/{user_id}/todos")).raise_for_status().json()["todos"]
    assert made["id"] in [todo["id"] for todo in todos]
    assert (await http.get("/api/v1/somebody-else/tasks")).status_code == 403


@pytest.mark.parametrize("algorithm", ["EdDSA", "RS256", "ES256", "PS256", "ES512"])
async def test_its_tokens_work_on_every_contract_with_its_url_alone(
    databases: list[str], issuers: Issuers, algorithm: str
):
    issuer = issuers(BA_ALG=algorithm)
    user_id = await issuer.sign_up("grace")
    assert jwt.get_unverified_header(await issuer.token())["alg"] == algorithm

    async with serving(databases, better_auth_url=issuer.url) as services:
        for service in services:
            http = await bearing(service, issuer)
            await works_everywhere(http, user_id)
            me = (await http.get("/api/v1/users/me")).json()
            assert (me["id"], me["email"], me["name"]) == (user_id, "grace@example.com", "Grace")


async def test_it_may_rotate_its_key_and_be_stopped(databases: list[str]):
    with better_auth() as issuer:
        user_id = await issuer.sign_up("grace")
        async with serving(databases, better_auth_url=issuer.url) as services:
            for service in services:
                await works_everywhere(await bearing(service, issuer), user_id)
            await issuer.rotate()
            for service in services:
                rotated = await bearing(service, issuer)
                for _ in range(50):
                    if (await rotated.get("/api/v1/tasks")).status_code == 200:
                        break
                    await asyncio.sleep(0.1)
                await works_everywhere(rotated, user_id)
            unused = [await bearing(service, issuer) for service in services]
            issuer.stop()
            for http in unused:
                await works_everywhere(http, user_id)


async def test_a_key_that_expires_by_itself_is_followed(databases: list[str], issuers: Issuers):
    issuer = issuers(BA_ROTATION_S="1", BA_GRACE_S="60")
    user_id = await issuer.sign_up("grace")
    async with serving(databases, better_auth_url=issuer.url) as services:
        for service in services:
            await works_everywhere(await bearing(service, issuer), user_id)
        await asyncio.sleep(1.1)
        for service in services:
            await works_everywhere(await bearing(service, issuer), user_id)


async def test_its_shared_secret_works_alone_and_beside_the_url(databases: list[str], issuers: Issuers):
    issuer = issuers(BA_ALG="HS256")
    user_id = await issuer.sign_up("grace")
    for url in ({}, {"better_auth_url": issuer.url}):
        async with serving(databases, better_auth_secret=SECRET, **url) as services:
            for service in services:
                await works_everywhere(await bearing(service, issuer), user_id)


async def test_its_issuer_and_audience_may_be_other_ones(databases: list[str], issuers: Issuers):
    issuer = issuers(BA_ISSUER="https://app.example.com", BA_AUDIENCE="taskwell-api")
    user_id = await issuer.sign_up("grace")
    names = {"better_auth_issuer": "https://app.example.com", "better_auth_audience": "taskwell-api"}
    async with serving(databases, better_auth_url=issuer.url, **names) as services:
        for service in services:
            await works_everywhere(await bearing(service, issuer), user_id)
    async with serving(databases, better_auth_url=issuer.url) as services:
        for service in services:
            assert (await (await bearing(service, issuer)).get("/api/v1/tasks")).status_code == 401


async def test_a_token_of_another_server_of_its_kind_is_refused(databases: list[str], issuers: Issuers):
    issuer, other = issuers(BA_ALG="EdDSA"), issuers(BA_ROTATION_S="1", BA_GRACE_S="60")
    for each in (issuer, other):
        await each.sign_up("heidi")
    async with serving(databases, better_auth_url=issuer.url) as services:
        for service in services:
            assert (await (await bearing(service, other)).get("/api/v1/tasks")).status_code == 401
            assert (await (await bearing(service, issuer)).get("/api/v1/tasks")).status_code == 200


async def test_its_session_cookie_is_no_credential(databases: list[str], issuers: Issuers):
    issuer = issuers(BA_ALG="EdDSA")
    await issuer.sign_up("ivan")
    token = await issuer.token()
    cookies = {"Cookie": f"better-auth.session_token={issuer.session}; token={token}; access_token={token}"}
    async with serving(databases, better_auth_url=issuer.url) as services:
        for service in services:
            for path in ("/api/v1/tasks", f"/api/v1/tasks?access_token={token}", f"/api/v1/tasks?token={token}"):
                assert (await client(service, cookies).get(path)).status_code == 401
