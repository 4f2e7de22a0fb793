"""The one door: what is no JSON operation comes in by it too."""

import asyncio
from dataclasses import replace

import pytest
from fastapi import FastAPI
from starlette.responses import Response, StreamingResponse

from taskwell.api.admission import Handler
from taskwell.api.call import RequestContext
from taskwell.api.gateway import Gateway
from taskwell.api.problems import render_problem
from taskwell.api.routing import Contract, Switchboard
from taskwell.api.time_limit import TimeLimit
from taskwell.errors import NotFound
from taskwell.users.principal import Scope
from tests.support.limiting import Limit
from tests.support.people import Person

PATH = "/calendars/{user_id}/{name}"


async def show(call: RequestContext) -> Response:
    name = call.path_params["name"]
    if name == "missing":
        raise NotFound("There is no such calendar.")
    if name == "slow":
        await asyncio.sleep(60)

    async def pieces():
        for piece in (call.user.user_id, call.scope["method"]):
            yield piece.encode()

    return StreamingResponse(pieces(), 207, media_type="text/plain")


async def take(call: RequestContext) -> Response:
    return Response(await call.body(), 201)


@pytest.fixture
def calendars(app: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    handlers = (Handler(PATH, ("GET", "PROPFIND"), "read", show), Handler(PATH, ("PUT",), "write", take))
    contract = Contract(FastAPI(), render_problem, ("/",), handlers=handlers)
    monkeypatch.setattr(app, "_switchboard", Switchboard([contract], fallback=contract))


def allow(app: Gateway, *scopes: Scope) -> None:
    """From now on the tokens that were used allow these alone."""
    assert app.services is not None
    entries = app.services.identities._entries
    for digest, entry in entries.items():
        caller = replace(entry.caller, actor=replace(entry.caller.actor, scopes=frozenset(scopes)))
        entries[digest] = replace(entry, caller=caller)


@pytest.mark.usefixtures("calendars")
async def test_a_handler_answers_its_own_methods_with_a_stream(ada: Person):
    answer = await ada.http.request("PROPFIND", f"/calendars/{ada.id}/home")

    assert (answer.status_code, answer.text) == (207, f"{ada.id}PROPFIND")
    assert answer.headers["X-Request-ID"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert (await ada.http.put(f"/calendars/{ada.id}/home", content=b"BEGIN")).content == b"BEGIN"
    refused = await ada.http.request("REPORT", f"/calendars/{ada.id}/home")
    assert (refused.status_code, refused.headers["Allow"]) == (405, "GET, HEAD, PROPFIND, PUT")


@pytest.mark.usefixtures("calendars")
async def test_a_handler_is_closed_to_whoever_has_no_token_and_to_other_users(ada: Person, eve: Person, nobody):
    path = f"/calendars/{ada.id}/home"

    assert (await nobody.get(path)).json()["code"] == "unauthorized"
    assert (await nobody.get(path, headers={"Authorization": "Bearer none"})).json()["code"] == "invalid_token"
    assert (await eve.http.get(path)).json()["code"] == "forbidden"


@pytest.mark.usefixtures("calendars")
async def test_a_handlers_calls_count_as_requests_of_the_user(ada: Person, limit: Limit):
    limit(api_rate_limit_per_minute=2)
    answers = [await ada.http.get(f"/calendars/{ada.id}/{name}") for name in ("home", "missing", "home")]

    assert [each.status_code for each in answers] == [207, 404, 429]
    assert [each.headers["RateLimit"].split(";")[1] for each in answers] == ["r=1", "r=0", "r=0"]


@pytest.mark.usefixtures("calendars")
async def test_a_handler_has_a_time_limit_and_a_line_in_the_log(
    app: Gateway, ada: Person, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(app, "_time_limit", TimeLimit(0.1))
    lines: list[dict[str, object]] = []
    monkeypatch.setattr(app, "_write_request", lambda **line: lines.append(line))
    answer = await ada.http.get(f"/calendars/{ada.id}/slow")

    assert answer.json()["code"] == "timed_out"
    (line,) = lines
    assert (line["route"], line["status"], line["user_id"]) == (PATH, answer.status_code, ada.id)


@pytest.mark.usefixtures("calendars")
async def test_a_handler_asks_for_its_scope(app: Gateway, ada: Person):
    path = f"/calendars/{ada.id}/home"
    await ada.http.get(path)
    allow(app, "read")

    assert (await ada.http.get(path)).status_code == 207
    assert (await ada.http.put(path, content=b"BEGIN")).status_code == 403


async def test_a_token_that_may_only_read_writes_nothing(app: Gateway, ada: Person):
    task = (await ada.http.post("/api/v1/tasks", json={"title": "Buy milk"})).json()
    allow(app, "read")
    path = f"/api/v1/tasks/{task['id']}"

    assert (await ada.http.get(path)).status_code == 200
    for method, address in (("POST", "/api/v1/tasks"), ("PATCH", path), ("PUT", path), ("DELETE", path)):
        refused = await ada.http.request(method, address)
        assert (refused.status_code, refused.json()["code"]) == (403, "insufficient_scope"), method
        assert refused.headers["WWW-Authenticate"] == 'Bearer error="insufficient_scope", scope="write"'
