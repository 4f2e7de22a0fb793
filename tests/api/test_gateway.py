"""What every response has, whichever operation answers, and what the gateway refuses."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from copy import copy
from typing import Any

import httpx2
import orjson
import pytest

from taskwell import tasks
from taskwell.api.call import Services
from taskwell.api.gateway import Gateway
from taskwell.api.time_limit import TimeLimit
from taskwell.settings import InvalidSettings
from tests.support.people import Person, client

SECURITY = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "permissions-policy": ".+",
    "content-security-policy": ".*frame-ancestors 'none'.*",
}
TOO_MUCH = b'"' + b"x" * 1_048_576 + b'"'


def assert_secured(response: httpx2.Response) -> None:
    for name, expected in SECURITY.items():
        assert re.fullmatch(expected, response.headers[name]), name
        assert len(response.headers.get_list(name)) == 1, name
    assert len(response.headers.get_list("x-request-id")) == 1


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/health", 200),
        ("GET", "/api/v1/tasks", 200),
        ("GET", "/api/v1/tasks/01938d1c-7d3a-7b6e-9f5e-0a4c1c2d3e4f", 404),
        ("GET", "/nowhere", 404),
        ("GET", "/api/v1/nowhere", 404),
        ("POST", "/health", 405),
        ("POST", "/api/v1/tasks", 422),
        ("OPTIONS", "/api/v1/tasks", 405),
    ],
)
async def test_every_response_is_secured_and_has_a_request_id(ada: Person, method: str, path: str, status: int):
    response = await ada.http.request(method, path)

    assert response.status_code == status
    assert_secured(response)


async def test_no_strict_transport_security_outside_production(ada: Person):
    assert "strict-transport-security" not in (await ada.http.get("/health")).headers


@pytest.mark.parametrize("given", ["a", "0" * 128, "Az09._-", "req-1.2_3"])
async def test_a_good_request_id_comes_back(nobody: httpx2.AsyncClient, given: str):
    response = await nobody.get("/nowhere", headers={"X-Request-ID": given})

    assert response.headers["x-request-id"] == given
    assert response.json()["request_id"] == given


@pytest.mark.parametrize("given", ["", "0" * 129, "with space", "a/b", "a\tb", "é", "<script>", "a,b"])
async def test_another_request_id_is_replaced(nobody: httpx2.AsyncClient, given: str):
    response = await nobody.get("/nowhere", headers=[(b"X-Request-ID", given.encode())])

    assert re.fullmatch(r"[0-9a-f-]{36}", response.headers["x-request-id"])
    assert response.json()["request_id"] == response.headers["x-request-id"]


async def test_of_two_request_ids_the_first_good_one_counts(nobody: httpx2.AsyncClient):
    response = await nobody.get("/health", headers=[("X-Request-ID", "not good!"), ("X-Request-ID", "good")])

    assert response.headers["x-request-id"] == "good"


async def test_a_body_over_the_limit_is_refused_where_it_announces_itself(ada: Person):
    response = await ada.http.post("/api/v1/tasks", content=TOO_MUCH, headers={"Content-Type": "application/json"})

    assert (response.status_code, response.json()["code"]) == (413, "body_too_large")
    assert_secured(response)


@pytest.mark.parametrize("path", ["/api/v1/tasks", "/api/v1/auth/login", "/api/v1/auth/token"])
async def test_a_body_over_the_limit_is_refused_where_it_comes_in_chunks(ada: Person, path: str):
    async def chunks():
        for _ in range(1025):
            yield b" " * 1024

    response = await ada.http.post(path, content=chunks(), headers={"Content-Type": "application/json"})

    assert response.status_code == 413


async def test_a_body_of_just_the_limit_is_read(ada: Person):
    body = b'{"title":"Buy milk"}'.ljust(1_048_576)

    response = await ada.http.post("/api/v1/tasks", content=body, headers={"Content-Type": "application/json"})

    assert response.status_code == 201


@pytest.mark.parametrize("announced", [b"9" * 5000, b"18446744073709551617", b"1048577"])
async def test_a_monstrous_content_length_is_too_large(app: Gateway, ada: Person, announced: bytes):
    sent = await call_raw(
        app,
        "POST",
        b"/api/v1/tasks",
        [bearer(ada), (b"content-length", announced), (b"content-type", b"application/json")],
    )

    assert sent[0]["status"] == 413


@pytest.fixture
def broken_verb(monkeypatch: pytest.MonkeyPatch):
    """A bug in a verb, with a secret in its message."""

    async def crash(*_, **__):
        raise RuntimeError("SELECT password_hash FROM users")

    monkeypatch.setattr(tasks, "create", crash)


@pytest.mark.parametrize("origin", [None, "http://localhost:3000"])
async def test_a_bug_is_a_500_without_its_text(ada: Person, broken_verb: None, origin: str | None):
    headers = {"Origin": origin} if origin else {}
    response = await ada.http.post("/api/v1/tasks", json={"title": "Buy milk"}, headers=headers)

    assert response.status_code == 500
    assert response.json()["code"] == "internal_error"
    assert "password_hash" not in response.text
    assert_secured(response)
    assert response.headers.get("access-control-allow-origin") == origin


async def test_a_request_past_its_time_limit_is_stopped_and_stores_nothing(app: Gateway, ada: Person, monkeypatch):
    create = tasks.create

    async def create_slowly(*arguments, **options):
        await create(*arguments, **options)
        await asyncio.sleep(30)

    monkeypatch.setattr(tasks, "create", create_slowly)
    monkeypatch.setattr(app, "_time_limit", TimeLimit(0.2))

    headers = {"Idempotency-Key": "all-of-it-in-one-transaction"}
    response = await ada.http.post("/api/v1/tasks", json={"title": "Buy milk"}, headers=headers)

    assert (response.status_code, response.json()["code"]) == (504, "timed_out")
    assert (await ada.http.get("/api/v1/tasks")).json()["items"] == []


async def test_a_client_that_hangs_up_is_not_answered(app: Gateway, ada: Person):
    async def hang_up():
        return {"type": "http.disconnect"}

    assert await call_raw(app, "POST", b"/api/v1/tasks", [bearer(ada)], receive=hang_up) == []


async def test_before_its_services_are_open_it_is_unavailable(app: Gateway, ada: Person):
    young = Gateway(app.settings, app._switchboard, app._lifespan)

    response = await client(young).get("/api/v1/tasks")

    assert (response.status_code, response.headers["retry-after"]) == (503, "2")


async def test_a_websocket_is_closed(app: Gateway):
    sent = []

    async def send(message):
        sent.append(message)

    await app({"type": "websocket", "path": "/", "headers": []}, None, send)  # type: ignore[arg-type]

    assert sent == [{"type": "websocket.close", "code": 1008}]


async def test_no_cookie_is_a_credential(app: Gateway, ada: Person):
    for name in ("token", "access_token", "session", "better-auth.session_token", "Authorization"):
        response = await client(app, {"Cookie": f"{name}={ada.token}"}).get("/api/v1/tasks")
        assert response.status_code == 401


async def test_a_token_in_the_query_is_no_credential(nobody: httpx2.AsyncClient, ada: Person):
    assert (await nobody.get("/api/v1/tasks", params={"access_token": ada.token})).status_code == 401


def bearer(person: Person) -> tuple[bytes, bytes]:
    return b"authorization", f"Bearer {person.token}".encode()


async def call_raw(
    app: Gateway, method: str, path: bytes, headers, *, query: bytes = b"", receive=None
) -> list[dict]:
    """A request as no client library would send it; gives the messages of the answer."""
    sent: list[dict] = []

    async def send(message):
        sent.append(message)

    async def nothing():
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "path": path.decode("latin-1"),
        "raw_path": path,
        "query_string": query,
        "headers": [(b"host", b"test"), *headers],
    }
    await app(scope, receive or nothing, send)
    return sent


@pytest.mark.parametrize("query", [b"q=caf\xff", b"\xff=1", b"status=%FF", b"status=%00", b"cursor=\xc3", b"%00=1"])
async def test_a_query_that_is_not_utf_8_is_told(app: Gateway, ada: Person, query: bytes):
    start, body = await call_raw(app, "GET", b"/api/v1/tasks", [bearer(ada)], query=query)

    assert start["status"] in (400, 422)
    assert orjson.loads(body["body"])["status"] == start["status"]


@pytest.mark.parametrize(
    "path",
    [
        b"/api/v1/tasks/%ff",
        b"/api/v1/tasks/\xff",
        b"/api/v1/tasks/%00",
        b"/api/v1/tasks/..",
        b"/api/v1/tasks/%2e%2e",
        b"/api/v1/%2e%2e/v1/tasks",
        b"/api/v1/tasks/%2F",
        b"/api/v1/tasks/a%2Fb",
        b"/api/v1/tasks%2F01938d1c-7d3a-7b6e-9f5e-0a4c1c2d3e4f",
        b"/api/v1/tasks/%",
        b"/api/v1/tasks/%zz",
        b"/api/v1//tasks",
        b"/api/v1/tasks/" + b"x" * 5000,
        b"/" * 5000 + b"x",
    ],
)
async def test_a_strange_path_leads_nowhere(app: Gateway, ada: Person, path: bytes):
    start, body = await call_raw(app, "GET", path, [bearer(ada)])

    assert start["status"] == 404
    assert orjson.loads(body["body"])["code"] == "not_found"


@pytest.mark.parametrize("error", [InvalidSettings("PORT cannot be used"), ValueError("a bug")])
@pytest.mark.parametrize("phase", ["startup", "shutdown"])
async def test_the_server_is_told_why_it_could_not_start_or_end(app: Gateway, phase: str, error: Exception):
    @asynccontextmanager
    async def lifespan() -> AsyncIterator[Services]:
        assert app.services is not None
        if phase == "startup":
            raise error
        yield copy(app.services)
        raise error

    told: list[Any] = []

    async def send(message: Any) -> None:
        told.append(message)

    async def receive() -> Any:
        return {"type": "lifespan"}

    await Gateway(app.settings, app._switchboard, lifespan)({"type": "lifespan"}, receive, send)

    assert told[-1] == {"type": f"lifespan.{phase}.failed", "message": str(error)}
    assert len(told) == (1 if phase == "startup" else 2)
