"""The edges: hosts, bodies, the time limit, headers, and cookies that mean nothing."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx2
import orjson
import pytest

from taskwell.api.gateway import Gateway
from taskwell.api.hosts import Hosts
from taskwell.api.time_limit import TimeLimit
from taskwell.database import Database
from taskwell.settings import Settings
from taskwell.spaces.revision import lock_space
from tests.support.people import PASSWORD, Person, client

ACCOUNT = "/api/v1/auth/me"


@pytest.fixture
def gateway(app: Gateway) -> Iterator[Gateway]:
    """The application, whose settings are put back after the test."""
    before = app.settings, app._hosts
    yield app
    app.settings, app._hosts = before
    if app.services is not None:
        app.services.settings = before[0]


def use(gateway: Gateway, **changes: object) -> None:
    assert gateway.services is not None
    gateway.settings = gateway.services.settings = gateway.settings.model_copy(update=changes)
    gateway._hosts = Hosts(gateway.settings.allowed_hosts)
    gateway._time_limit = TimeLimit(gateway.settings.request_timeout_seconds)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("api.example.com", 200),
        ("API.example.com:8443", 200),
        ("a.b.example.org", 200),
        ("[::1]:8000", 200),
        ("evil.example", 400),
        ("example.org", 400),
        ("evilexample.org", 400),
        ("api.example.com.evil.example", 400),
        ("", 400),
    ],
)
async def test_only_the_allowed_hosts_are_answered(gateway: Gateway, host: str, status: int):
    use(gateway, allowed_hosts=("api.example.com", "*.example.org", "::1"))

    answer = await client(gateway).get("/api/v1/nothing" if status == 400 else "/errors", headers={"Host": host})

    assert answer.status_code == status
    if status == 400:
        assert answer.json()["code"] == ("unknown_host" if host else "invalid_header")
        assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("version", "hosts", "status"),
    [
        ("1.1", [], 400),
        ("1.0", [], 200),
        ("1.1", [b"a.example", b"a.example"], 400),
        ("1.0", [b"a.example", b"b.example"], 400),
        ("1.1", [b"a b"], 400),
        ("1.1", [b""], 400),
        ("1.1", [b"a.example/x"], 400),
        ("1.1", [b"ada@a.example"], 400),
        ("1.1", [b"a.example:http"], 400),
        ("1.1", [b"a.example:"], 200),
        ("1.1", [b"my_host:8000"], 200),
        ("1.1", [b"[::1]:8000"], 200),
        ("1.1", [b"b%C3%BCcher.example"], 200),
    ],
)
@pytest.mark.parametrize("path", ["/health", "/errors"])
async def test_a_request_names_one_valid_host(app: Gateway, version: str, hosts: list[bytes], status: int, path: str):
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    await app(
        {
            "type": "http",
            "http_version": version,
            "method": "GET",
            "path": path,
            "query_string": b"",
            "headers": [(b"host", host) for host in hosts],
        },
        receive,
        send,
    )

    assert sent[0]["status"] == status


async def test_a_probe_is_answered_by_whatever_name_it_knows(gateway: Gateway):
    use(gateway, allowed_hosts=("api.example.com",))

    for path, status in (("/health", 200), ("/health/live", 200), ("/health/ready", 200), ("/health/database", 400)):
        assert (await client(gateway).get(path, headers={"Host": "10.1.2.3:8000"})).status_code == status


async def test_any_host_is_answered_unless_some_are_named(nobody: httpx2.AsyncClient):
    assert (await nobody.get("/health", headers={"Host": "whatever.example"})).status_code == 200


@pytest.mark.parametrize("path", ["/api/v1/tasks", "/api/users/{me}/todos", "/api/{me}/tasks"])
@pytest.mark.parametrize("is_chunked", [False, True])
async def test_a_body_over_the_limit_is_refused_also_in_chunks(ada: Person, path: str, *, is_chunked: bool):
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(64):
            yield b" " * 32_768

    body = chunks() if is_chunked else b" " * 2_097_152
    answer = await ada.http.post(path.format(me=ada.id), content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 413


@pytest.mark.parametrize(
    "path", ["/api/v1/tasks", "/api/users/{me}/todos", "/api/{me}/tasks", "/api/v1/tasks/import"]
)
@pytest.mark.parametrize(("coding", "status"), [("gzip", 415), ("br, gzip", 415), ("identity", 201)])
async def test_a_body_in_a_content_coding_is_refused_and_told_so(ada: Person, path: str, coding: str, status: int):
    is_import = path.endswith("import")
    body = orjson.dumps([{"title": "Buy milk"}] if is_import else {"title": "Buy milk"})
    headers = {"Content-Type": "application/json", "Content-Encoding": coding}
    answer = await ada.http.post(path.format(me=ada.id), content=body, headers=headers)

    assert answer.status_code == (200 if is_import and status == 201 else status)
    if status == 415:
        assert "Content-Encoding" in answer.text
        assert answer.headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("path", ["/api/v1/tasks", "/api/users/{me}/todos", "/api/{me}/tasks"])
@pytest.mark.parametrize("depth", [34, 1_000, 100_000])
async def test_a_body_nested_too_deeply_is_400_and_costs_little(ada: Person, path: str, depth: int):
    body = b'{"title": ' + b"[" * depth + b"]" * depth + b"}"
    started = time.perf_counter()
    answer = await ada.http.post(path.format(me=ada.id), content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 400
    assert time.perf_counter() - started < 1


async def test_a_flat_body_of_many_objects_is_not_deep(ada: Person):
    operations = [{"op": "create", "data": {"title": f"Task {n}", "tags": []}} for n in range(200)]
    answer = await ada.http.post("/api/v1/tasks", json={"title": "x", "tags": [[]] * 40, "operations": operations})

    assert answer.status_code == 422


async def test_a_request_past_its_time_is_stopped_and_leaves_nothing(
    gateway: Gateway, database: Database, ada: Person
):
    use(gateway, request_timeout_seconds=0.2)
    async with database.transaction() as transaction:
        await lock_space(transaction, ada.space)
        stopped = await ada.http.post("/api/v1/tasks", json={"title": "Too late"})
        keyed = await ada.http.post("/api/v1/tasks", json={"title": "Too late"}, headers={"Idempotency-Key": "late"})
    use(gateway, request_timeout_seconds=30)

    assert stopped.status_code == keyed.status_code == 504
    assert stopped.json()["code"] == "timed_out"
    await asyncio.sleep(0.2)
    assert (await ada.http.get("/api/v1/tasks")).json()["items"] == []
    again = await ada.http.post("/api/v1/tasks", json={"title": "In time"}, headers={"Idempotency-Key": "late"})
    assert again.status_code == 201
    assert [task["title"] for task in (await ada.http.get("/api/v1/tasks")).json()["items"]] == ["In time"]


async def test_many_requests_past_their_time_leave_the_service_able_to_work(
    gateway: Gateway, database: Database, ada: Person, eve: Person
):
    use(gateway, request_timeout_seconds=0.2)
    async with database.transaction() as transaction:
        await lock_space(transaction, ada.space)
        answers = await asyncio.gather(
            *(ada.http.post("/api/v1/tasks", json={"title": f"Late {n}"}) for n in range(30))
        )
        await asyncio.sleep(0.5)  # a cancelled statement ends when the server has heard of it
    use(gateway, request_timeout_seconds=30)

    assert {answer.status_code for answer in answers} <= {503, 504}
    made = await asyncio.gather(*(eve.http.post("/api/v1/tasks", json={"title": f"Task {n}"}) for n in range(30)))
    assert {answer.status_code for answer in made} == {201}
    assert (await ada.http.get("/api/v1/tasks")).json()["items"] == []


@pytest.mark.parametrize(
    "path", ["/health", "/api/v1/tasks", "/api/v1/nothing", "/api/users/x/todos", "/api/x/tasks"]
)
async def test_every_answer_carries_the_security_headers(nobody: httpx2.AsyncClient, path: str):
    headers = (await nobody.get(path)).headers

    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "camera=()" in headers["permissions-policy"]
    assert "strict-transport-security" not in headers
    assert "server" not in headers


async def test_production_asks_for_https_for_a_year(settings: Settings, app: Gateway):
    production = settings.model_copy(update={"environment": "production"})
    strict = Gateway(production, app._switchboard, app._lifespan)

    headers = (await client(strict).get("/health")).headers

    assert headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"


async def test_tokens_and_accounts_are_kept_by_no_cache(nobody: httpx2.AsyncClient, ada: Person):
    account = {"email": ada.email, "password": PASSWORD}
    answers = [
        await nobody.post("/api/v1/auth/login", json=account),
        await nobody.post("/api/v1/auth/token", data={"username": ada.email, "password": PASSWORD}),
        await nobody.post("/api/auth/login", json=account),
        await nobody.post("/api/v1/auth/signup", json=account | {"email": "new@example.com", "name": "New"}),
        await ada.http.get(ACCOUNT),
        await ada.http.get("/api/auth/me"),
        await ada.http.get("/api/v1/users/me/activity"),
        await nobody.get(ACCOUNT),
    ]

    assert [answer.headers["cache-control"] for answer in answers] == ["no-store"] * len(answers)
    assert (await ada.http.get("/api/v1/tasks")).headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize(
    "path", [ACCOUNT, "/api/v1/tasks", "/api/auth/me", "/api/users/{me}/todos", "/api/{me}/tasks"]
)
async def test_a_cookie_is_no_credential(nobody: httpx2.AsyncClient, ada: Person, path: str):
    names = ("access_token", "token", "session", "Authorization", "better-auth.session_token", "jwt")
    cookie = "; ".join(f"{name}={ada.token}" for name in names)

    answer = await nobody.get(path.format(me=ada.id), headers={"Cookie": cookie})

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_token_in_the_query_or_the_body_is_no_credential(nobody: httpx2.AsyncClient, ada: Person):
    for name in ("access_token", "token", "authorization"):
        assert (await nobody.get(ACCOUNT, params={name: ada.token})).status_code == 401
        assert (await nobody.post("/api/v1/tasks", json={name: ada.token, "title": "x"})).status_code == 401


async def test_no_answer_sets_a_cookie(nobody: httpx2.AsyncClient, ada: Person):
    account = {"email": ada.email, "password": PASSWORD}
    answers = [
        await nobody.post("/api/v1/auth/login", json=account),
        await nobody.post("/api/auth/login", json=account),
        await nobody.get("/docs"),
        await ada.http.get("/api/v1/tasks"),
        await ada.http.post("/api/v1/auth/logout"),
    ]

    assert not [answer for answer in answers if "set-cookie" in answer.headers]


async def test_where_if_match_is_required_a_write_without_it_changes_nothing(gateway: Gateway, ada: Person):
    task = (await ada.http.post("/api/v1/tasks", json={"title": "Buy milk"})).json()
    use(gateway, require_if_match=True)
    operation = {"op": "update", "id": task["id"], "data": {"title": "Buy bread"}}

    alone = await ada.http.patch(f"/api/v1/tasks/{task['id']}", json={"title": "Buy bread"})
    among = await ada.http.post("/api/v1/tasks/bulk", json={"operations": [operation]})
    named = [operation | {"if_match": task["revision"]}]
    accepted = await ada.http.post("/api/v1/tasks/bulk", json={"operations": named})

    assert (alone.status_code, among.status_code, accepted.status_code) == (428, 428, 200)
