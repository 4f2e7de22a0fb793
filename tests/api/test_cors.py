"""Cross-origin requests, in every contract and on errors too."""

import httpx2
import pytest
import structlog

from taskwell.app import create_app
from taskwell.settings import Settings
from tests.support.people import Person, client

LISTED, UNLISTED = "http://localhost:3000", "http://evil.example"
EXPOSED = (
    "ETag, Location, Link, X-Request-ID, X-Total-Count, Retry-After, "
    "RateLimit, RateLimit-Policy, Idempotency-Replayed"
)
ASKED_FOR = (
    "authorization, content-type, if-match, if-none-match, idempotency-key, last-event-id, x-request-id, "
    "traceparent, tracestate, baggage, sentry-trace"
)
PATHS = [
    "/api/v1/tasks",
    "/api/v1/{user}/tasks",
    "/api/{user}/tasks",
    "/api/users/{user}/todos",
    "/api/auth/login",
    "/nowhere",
]


def preflight(origin: str, method: str = "POST", headers: str = ASKED_FOR) -> dict[str, str]:
    return {"Origin": origin, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": headers}


@pytest.mark.parametrize("path", PATHS)
async def test_a_preflight_of_a_listed_origin_is_answered_everywhere(ada: Person, nobody, path: str):
    for origin in (LISTED, "http://localhost:8000"):
        response = await nobody.options(path.format(user=ada.id), headers=preflight(origin))

        assert response.status_code == 200
        assert response.headers["access-control-allow-origin"] == origin
        allowed = {method.strip() for method in response.headers["access-control-allow-methods"].split(",")}
        assert allowed == {"GET", "POST", "PUT", "PATCH", "DELETE"}
        taken = {name.strip().lower() for name in response.headers["access-control-allow-headers"].split(",")}
        assert taken == {*ASKED_FOR.split(", "), "accept", "accept-language", "content-language"}
        assert response.headers["access-control-allow-credentials"] == "true"
        assert response.headers["x-content-type-options"] == "nosniff"
        assert "x-request-id" in response.headers
        assert "origin" in response.headers["vary"].lower()


@pytest.mark.parametrize(
    "origin", [UNLISTED, "null", "http://localhost:3001", "https://localhost:3000", f"{LISTED}.evil.example"]
)
async def test_another_origin_is_not_let_in(ada: Person, nobody, origin: str):
    for response in (
        await nobody.options("/api/v1/tasks", headers=preflight(origin)),
        await ada.http.get("/api/v1/tasks", headers={"Origin": origin}),
        await nobody.get("/api/v1/tasks", headers={"Origin": origin}),
    ):
        assert "access-control-allow-origin" not in response.headers
        assert "origin" in response.headers["vary"].lower()


async def test_a_refused_preflight_is_400_and_one_line_says_what_to_set(nobody: httpx2.AsyncClient):
    for headers, advice in (
        (preflight(UNLISTED), "ALLOWED_ORIGINS"),
        (preflight(LISTED, "TRACE"), "method"),
        (preflight(LISTED, headers="x-other"), "headers"),
    ):
        with structlog.testing.capture_logs() as lines:
            response = await nobody.options("/api/v1/tasks", headers=headers)

        assert response.status_code == 400
        (line,) = [line for line in lines if line["log_level"] == "warning"]
        assert line["origin"] == headers["Origin"]
        assert advice in line["reason"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/tasks", 200),
        ("GET", "/nowhere", 404),
        ("DELETE", "/api/v1/tasks", 405),
        ("POST", "/api/v1/tasks", 422),
        ("GET", "/api/{user}x/tasks", 403),
        ("GET", "/api/users/{user}x/todos", 403),
        ("POST", "/api/auth/login", 422),
        ("OPTIONS", "/api/v1/tasks", 405),
        ("DELETE", "/api/v1/users/{user}/", 404),
    ],
)
async def test_a_listed_origin_may_read_every_answer(ada: Person, method: str, path: str, status: int):
    response = await ada.http.request(method, path.format(user=ada.id), headers={"Origin": LISTED})

    assert response.status_code == status
    assert response.headers.get_list("access-control-allow-origin") == [LISTED]
    assert response.headers["access-control-expose-headers"] == EXPOSED


async def test_without_an_origin_no_cors_is_answered(ada: Person):
    response = await ada.http.get("/api/v1/tasks")

    assert not [name for name in response.headers if name.startswith("access-control")]


async def test_with_a_wildcard_anybody_may_read_but_nobody_with_credentials(database_url: str):
    app = create_app(Settings(_env_file=None, environment="test", allowed_origins="*", database_url=database_url))

    response = await client(app).get("/nowhere", headers={"Origin": UNLISTED})

    assert response.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in response.headers


async def test_an_options_request_without_its_headers_is_no_preflight(nobody: httpx2.AsyncClient):
    for headers in ({"Origin": LISTED}, {"Access-Control-Request-Method": "GET"}):
        assert (await nobody.options("/api/v1/tasks", headers=headers)).status_code == 405
