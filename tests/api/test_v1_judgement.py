"""v1: who is calling, and what is judged before what."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx2
import jwt
import pytest

from taskwell.api.gateway import Gateway
from taskwell.database import new_id
from tests.support.people import Person, client
from tests.support.tokens import claims_of, seconds_from_now, signed, unsigned

NOWHERE = "01938d1c-7d3a-7b6e-9f5e-0a4c1c2d3e4f"
INVALID = 'Bearer error="invalid_token"'


async def ask(nobody: httpx2.AsyncClient, *authorizations: str) -> httpx2.Response:
    return await nobody.get("/api/v1/tasks", headers=[("Authorization", each) for each in authorizations])


def assert_refused(response: httpx2.Response, challenge: str) -> None:
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == challenge
    assert response.headers["content-type"] == "application/problem+json"


async def test_without_a_token_nobody_is_let_in(nobody: httpx2.AsyncClient):
    assert_refused(await ask(nobody), "Bearer")


@pytest.mark.parametrize("authorization", ["Basic YWRhOnBhc3M=", "Token abc", "bearer", "", "abc.def.ghi"])
async def test_what_is_no_bearer_token_is_refused(nobody: httpx2.AsyncClient, authorization: str):
    response = await ask(nobody, authorization)

    assert response.status_code == 401
    assert response.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "token",
    ["", "abc", "a.b.c", "a.b.c.d", "..", "é.é.é", "x" * 65_536, "null", "e30.e30.e30", "two words", "\ta.b.c"],
)
async def test_a_malformed_token_is_refused(nobody: httpx2.AsyncClient, token: str):
    assert_refused(
        await nobody.get("/api/v1/tasks", headers=[(b"Authorization", f"Bearer {token}".encode())]), INVALID
    )


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "BeArEr"])
async def test_the_scheme_has_no_case(nobody: httpx2.AsyncClient, ada: Person, scheme: str):
    assert (await ask(nobody, f"{scheme} {ada.token}")).status_code == 200


async def test_two_authorization_headers_are_refused(nobody: httpx2.AsyncClient, ada: Person, eve: Person):
    for others in (f"Bearer {ada.token}", f"Bearer {eve.token}", "Basic YWRhOnBhc3M="):
        assert_refused(await ask(nobody, f"Bearer {ada.token}", others), INVALID)
        assert_refused(await ask(nobody, others, f"Bearer {ada.token}"), INVALID)


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": seconds_from_now(-3600)},
        {"exp": None},
        {"exp": "tomorrow"},
        {"exp": 10**30},
        {"exp": 10**18},
        {"exp": str(seconds_from_now(3600))},
        {"iat": str(seconds_from_now(-10))},
        {"iat": True},
        {"iat": seconds_from_now(86_400)},
        {"nbf": seconds_from_now(86_400)},
        {"iss": "somebody"},
        {"iss": None},
        {"aud": "somebody"},
        {"aud": None},
        {"sub": None},
        {"sub": 5},
        {"sub": ""},
        {"sub": "ada"},
        {"sub": "a\x00b"},
        {"sub": NOWHERE},
        {"jti": None},
        {"jti": ""},
        {"jti": 5},
        {"jti": "a\x00b"},
        {"jti": "x" * 3000},
    ],
    ids=lambda changes: next(iter(changes)),
)
async def test_a_token_with_a_wrong_claim_is_refused(app: Gateway, nobody, ada: Person, changes):
    claims = {name: value for name, value in (claims_of(ada) | changes).items() if value is not None}

    assert_refused(await ask(nobody, f"Bearer {signed(claims, app.settings.signing_key)}"), INVALID)


async def test_a_token_with_another_kind_of_jti_is_as_good(app: Gateway, nobody, ada: Person):
    for jti in (str(uuid4()), "42", new_id()):
        token = signed(claims_of(ada) | {"jti": jti}, app.settings.signing_key)
        there = client(app, {"Authorization": f"Bearer {token}"})
        assert (await there.get("/api/v1/auth/me")).status_code == 200
        assert (await there.post("/api/v1/auth/logout")).status_code == 200
        assert (await there.get("/api/v1/auth/me")).status_code == 401


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "HS256", "RS256"])
async def test_an_unsigned_token_is_refused(nobody: httpx2.AsyncClient, ada: Person, algorithm: str):
    assert_refused(await ask(nobody, f"Bearer {unsigned(claims_of(ada), algorithm)}"), INVALID)


async def test_a_token_of_another_key_or_algorithm_is_refused(app: Gateway, nobody, ada: Person):
    claims, key = claims_of(ada), app.settings.signing_key
    assert_refused(await ask(nobody, f"Bearer {signed(claims, 'another-key-of-at-least-32-bytes!!')}"), INVALID)
    for algorithm in ("HS384", "HS512"):
        assert_refused(await ask(nobody, f"Bearer {jwt.encode(claims, key * 2, algorithm=algorithm)}"), INVALID)
        assert_refused(
            await ask(nobody, f"Bearer {jwt.encode(claims, key.ljust(64, 'x'), algorithm=algorithm)}"), INVALID
        )


async def test_a_token_of_which_one_letter_was_changed_is_refused(nobody: httpx2.AsyncClient, ada: Person):
    head, body, signature = ada.token.split(".")
    for forged in (
        f"{head}.{body}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}",
        f"{head}.{body[:-2]}.{signature}",
    ):
        assert_refused(await ask(nobody, f"Bearer {forged}"), INVALID)


async def test_a_token_is_refused_as_soon_as_it_expires(app: Gateway, nobody, ada: Person):
    token = signed(claims_of(ada) | {"exp": seconds_from_now(2)}, app.settings.signing_key)
    assert (await ask(nobody, f"Bearer {token}")).status_code == 200

    await asyncio.sleep(2.1)

    assert_refused(await ask(nobody, f"Bearer {token}"), INVALID)


BAD_BODY: dict[str, Any] = {"content": b"{", "headers": {"Content-Type": "application/json"}}


async def test_the_token_is_judged_before_the_path_user(nobody: httpx2.AsyncClient, ada: Person):
    assert (await nobody.get(f"/api/v1/users/{ada.id}/tasks")).status_code == 401


@pytest.mark.parametrize("prefix", ["/api/v1/users/{}", "/api/v1/{}"])
async def test_the_path_user_is_judged_before_anything_else(ada: Person, eve: Person, prefix: str):
    tasks = prefix.format(eve.id) + "/tasks"
    for response in (
        await ada.http.get(tasks),
        await ada.http.get(f"{tasks}?limit=x"),
        await ada.http.post(tasks, **BAD_BODY),
        await ada.http.post(tasks, json={"title": ""}, headers={"Idempotency-Key": ""}),
        await ada.http.get(f"{tasks}/{NOWHERE}"),
        await ada.http.get(f"{tasks}/not-an-id"),
        await ada.http.delete(f"{tasks}/{NOWHERE}", headers={"If-Match": "broken"}),
    ):
        assert (response.status_code, response.json()["code"]) == (403, "forbidden")


async def test_the_body_is_judged_before_existence(ada: Person):
    path = f"/api/v1/tasks/{NOWHERE}"

    assert (await ada.http.patch(path, **BAD_BODY)).status_code == 400
    assert (await ada.http.patch(path, content=b"{}", headers={"Content-Type": "text/plain"})).status_code == 415
    assert (await ada.http.patch(path, json={"title": ""})).status_code == 422
    assert (await ada.http.patch(path, json={}, headers={"If-Match": "broken"})).status_code == 400
    assert (await ada.http.delete(f"{path}?permanent=perhaps")).status_code == 422
    assert (await ada.http.patch(path, json={"title": "x"})).status_code == 404


async def test_existence_is_judged_before_the_precondition(ada: Person):
    response = await ada.http.patch(f"/api/v1/tasks/{NOWHERE}", json={"title": "x"}, headers={"If-Match": '"1"'})

    assert response.status_code == 404


@pytest.mark.parametrize(
    "task_id", ["1", "abc", NOWHERE[:-1], NOWHERE + "0", "{" + NOWHERE + "}", NOWHERE.replace("-", "")]
)
async def test_an_id_that_is_not_a_uuid_names_nothing(ada: Person, task_id: str):
    for method in ("GET", "DELETE"):
        response = await ada.http.request(method, f"/api/v1/tasks/{task_id}")
        assert (response.status_code, response.json()["code"]) == (404, "not_found")


async def test_an_id_may_be_written_in_capitals(ada: Person):
    task = (await ada.http.post("/api/v1/tasks", json={"title": "Buy milk"})).json()

    assert (await ada.http.get(f"/api/v1/tasks/{task['id'].upper()}")).json()["id"] == task["id"]
