"""v1: taking everything along, and leaving."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from typing import Any, NoReturn

import pytest
from sqlalchemy import Table, delete, func, select

from taskwell.api import streaming
from taskwell.api.call import STREAMS
from taskwell.api.gateway import Gateway
from taskwell.api.v1.users import EXPORT
from taskwell.app import create_app
from taskwell.database import Base, Database, Query
from taskwell.errors import Unavailable
from taskwell.settings import Settings
from taskwell.users.export import LEFT_OUT
from taskwell.users.tables import UserRow
from tests.conftest import running
from tests.support.people import PASSWORD, Person, arrive, client

EXPORTS = ("/api/v1/users/me/export", "/api/v1/tasks/export")


@pytest.fixture
async def other_process(app: Gateway, settings: Settings) -> AsyncIterator[Gateway]:
    async with running(create_app(settings)) as other:
        yield other


async def problem(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def fill(person: Person) -> None:
    """Gives the person something of everything that the contracts can make."""
    made = (await person.http.post("/api/v1/lists", json={"name": "Home", "color": "#aabbcc"})).json()
    body = {"title": 'Buy "milk" \\ 🥛', "tags": ["a", "B"], "priority": "high", "list_id": made["id"]}
    task = (await person.http.post("/api/v1/tasks", json=body | {"due_date": "2026-12-24"})).json()
    trashed = (await person.http.post("/api/v1/tasks", json={"title": "Trashed"})).json()
    await person.http.delete(f"/api/v1/tasks/{trashed['id']}")
    await person.http.post(
        f"/api/v1/tasks/{task['id']}/reminders", json={"minutes_before_due": 30, "channel": "email"}
    )
    await person.http.post("/api/v1/tasks", json={"title": "Kept"}, headers={"Idempotency-Key": "one"})
    await person.http.patch("/api/v1/users/me", json={"email": f"new-{person.email}", "current_password": PASSWORD})


async def test_the_export_is_everything_that_one_owns(ada: Person, eve: Person):
    await fill(eve)
    await fill(ada)

    answer = await ada.http.get("/api/v1/users/me/export")

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "attachment" in answer.headers["Content-Disposition"]
    document = answer.json()
    assert document["user"] == (await ada.http.get("/api/v1/users/me")).json()
    tasks = {task["title"]: task for task in document["tasks"]}
    assert set(tasks) == {'Buy "milk" \\ 🥛', "Trashed", "Kept"}
    bought = tasks['Buy "milk" \\ 🥛']
    assert (bought["priority"], bought["tags"], bought["due_date"]) == ("high", ["a", "B"], "2026-12-24")
    assert tasks["Trashed"]["deleted_at"] is not None
    assert [each["name"] for each in document["lists"]] == ["Home"]
    assert [each["minutes_before_due"] for each in document["reminders"]] == [30]
    assert "email_change_asked" in [event["kind"] for event in document["activity"]]
    assert eve.id not in answer.text
    assert "eve@" not in answer.text


def test_no_table_of_a_users_things_is_forgotten():
    named = {"users": "user", "security_events": "activity", "api_tokens": "tokens"}
    owned = {table.name for table in Base.metadata.tables.values() if is_of_users(table)}

    shared = {"shared_tasks", "shared_comments"}
    assert {named.get(name, name) for name in owned - set(LEFT_OUT)} == set(EXPORT.sections) - shared
    assert set(LEFT_OUT) <= owned


async def test_no_secret_is_exported(ada: Person, database: Database):
    await fill(ada)
    document = (await ada.http.get("/api/v1/users/me/export")).json()

    def names(value: Any) -> set[str]:
        if isinstance(value, dict):
            return set(value).union(*map(names, value.values()))
        return set().union(*map(names, value)) if isinstance(value, list) else set()

    for name in names(document) - {"tokens"}:  # their names and scopes
        assert not any(word in name for word in ("password", "secret", "hash", "token", "_key")), name
    assert PASSWORD not in json.dumps(document)


async def test_a_large_export_is_of_one_instant_and_comes_in_pieces(app: Gateway, ada: Person, database: Database):
    operations = [{"op": "create", "data": {"title": f"Task {n}", "description": "x" * 500}} for n in range(500)]
    for _ in range(4):
        await ada.http.post("/api/v1/tasks/bulk", json={"operations": operations})

    chunks: list[bytes] = []
    async for chunk in EXPORT.document(database, ada.principal, ada.space):
        if not chunks:
            await ada.http.post("/api/v1/tasks", json={"title": "Too late"})
        chunks.append(chunk)

    assert len(chunks) > 10
    assert max(map(len, chunks)) < 100_000
    assert len(json.loads(b"".join(chunks))["tasks"]) == 2000


@pytest.mark.parametrize("path", EXPORTS)
@pytest.mark.parametrize("way", ["cut off", "gone", "stalled"])
async def test_an_export_that_is_given_up_leaves_nothing_open(
    app: Gateway, ada: Person, path: str, way: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(streaming, "STALLED_SECONDS", 0.01)
    operations = [{"op": "create", "data": {"title": "x", "description": "x" * 1000}} for _ in range(500)]
    await ada.http.post("/api/v1/tasks/bulk", json={"operations": operations})

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body":
            if way == "cut off":
                raise ConnectionResetError
            await asyncio.sleep(60 if way == "stalled" else 0)

    async def receive() -> Any:
        if way == "stalled":
            await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"test"), (b"authorization", f"Bearer {ada.token}".encode())],
        "client": ("127.0.0.1", 1),
    }
    for _ in range(20):
        with suppress(ConnectionResetError):
            await app(scope, receive, send)
    assert (await ada.http.get(path)).status_code == 200


@pytest.mark.parametrize("path", EXPORTS)
async def test_an_export_waits_for_its_turn(app: Gateway, ada: Person, path: str):
    assert app.services is not None
    async with AsyncExitStack() as others:
        for _ in range(STREAMS):
            await others.enter_async_context(app.services.streams)
        waiting = asyncio.create_task(ada.http.get(path))
        await asyncio.wait([waiting], timeout=0.1)
        assert not waiting.done()

    assert (await waiting).status_code == 200


@pytest.mark.parametrize("path", EXPORTS)
async def test_an_export_that_the_database_has_no_room_for_is_a_status(
    app: Gateway, ada: Person, path: str, monkeypatch: pytest.MonkeyPatch
):
    def refused(database: Database) -> NoReturn:
        raise Unavailable("No connection came free.")

    assert app.services is not None
    monkeypatch.setattr(type(app.services.database), "snapshot", refused)

    assert (await ada.http.get(path)).status_code == 503


def is_of_users(table: Table) -> bool:
    return table.name in ("users", "spaces") or bool({"user_id", "space_id"} & set(table.columns.keys()))


async def rows_of_users(database: Database) -> dict[str, int]:
    counts = {}
    for table in Base.metadata.sorted_tables:
        if is_of_users(table) and table.name != "revoked_tokens":
            counts[table.name] = await database.row(Query(select(func.count()).select_from(table), int))
    return {name: count for name, count in counts.items() if count}


async def test_deletion_removes_everything_and_refuses_the_token(
    app: Gateway, ada: Person, nobody, database: Database
):
    await fill(ada)
    assert {"users", "spaces", "memberships", "tasks", "lists", "reminders", "idempotency_keys", "task_tags"} <= set(
        await rows_of_users(database)
    )

    answer = await ada.http.request("DELETE", "/api/v1/users/me", json={"password": PASSWORD})

    assert (answer.status_code, answer.content) == (204, b"")
    for path in ("/api/v1/users/me", "/api/v1/tasks", f"/api/{ada.id}/tasks", "/api/auth/me"):
        assert (await ada.http.get(path)).status_code == 401
    assert (await ada.http.post("/api/v1/tasks", json={"title": "x"})).status_code == 401
    login = {"email": "new-ada@example.com", "password": PASSWORD}
    assert (await nobody.post("/api/v1/auth/login", json=login)).status_code == 401
    assert app.services is not None
    await app.services.journal.flush()
    left = await rows_of_users(database)
    assert left.keys() <= {"security_events"}
    assert (await nobody.post("/api/v1/auth/signup", json=login | {"name": "Ada"})).status_code == 201


async def test_deletion_by_ones_own_id(ada: Person):
    answer = await ada.http.request("DELETE", f"/api/v1/users/{ada.id}", json={"password": PASSWORD})

    assert answer.status_code == 204


async def test_deletion_needs_the_password(ada: Person):
    for body, status, code in (
        ({"password": "wrong password 1"}, 403, "wrong_password"),
        ({"password": ""}, 403, "wrong_password"),
        ({}, 422, "validation_failed"),
        ({"password": None}, 422, "validation_failed"),
        ({"password": 7}, 422, "validation_failed"),
        ({"password": PASSWORD, "sure": True}, 422, "validation_failed"),
    ):
        answer = await ada.http.request("DELETE", "/api/v1/users/me", json=body)
        assert await problem(answer) == (status, code)
    without_one = await ada.http.delete("/api/v1/users/me")
    assert without_one.status_code == 422
    assert without_one.json()["errors"] == [
        {"location": "body", "field": "password", "message": "This field is required.", "type": "missing"}
    ]
    assert (await ada.http.get("/api/v1/users/me")).status_code == 200


async def test_every_other_process_refuses_the_deleted_within_two_seconds(ada: Person, other_process: Gateway):
    elsewhere = client(other_process, dict(ada.http.headers))
    assert (await elsewhere.get("/api/v1/tasks")).status_code == 200

    await ada.http.request("DELETE", "/api/v1/users/me", json={"password": PASSWORD})

    ends = time.monotonic() + 2
    while (await elsewhere.get("/api/v1/tasks")).status_code != 401:
        assert time.monotonic() < ends
        await asyncio.sleep(0.05)


async def test_deleting_one_user_leaves_the_others(app: Gateway, ada: Person, database: Database):
    bob = await arrive(app, "bob")
    await fill(bob)
    before = (await bob.http.get("/api/v1/tasks")).json()
    await fill(ada)

    await ada.http.request("DELETE", "/api/v1/users/me", json={"password": PASSWORD})

    assert (await bob.http.get("/api/v1/tasks")).json() == before
    assert (await bob.http.get("/api/v1/users/me/export")).json()["user"]["id"] == bob.id


def test_everything_of_a_user_goes_with_the_user():
    def reaches_users(name: str) -> bool:
        cascades = [key for key in Base.metadata.tables[name].foreign_key_constraints if key.ondelete == "CASCADE"]
        targets = {key.referred_table.name for key in cascades}
        return bool(targets & {"users", "spaces"}) or any(reaches_users(target) for target in targets - {name})

    for table in Base.metadata.tables.values():
        if "user_id" in table.columns and table.name != "revoked_tokens":
            assert reaches_users(table.name), table.name


async def test_a_user_whose_row_went_is_told_to_sign_in(ada: Person, database: Database):
    await ada.http.get("/api/v1/users/me")
    await database.rows(Query(delete(UserRow), lambda *_: None))

    for answer in (
        await ada.http.get("/api/v1/users/me"),
        await ada.http.patch("/api/v1/users/me", json={"name": "Ada Lovelace"}),
        await ada.http.request("DELETE", "/api/v1/users/me", json={"password": PASSWORD}),
        await ada.http.get("/api/v1/users/me/export"),
        await ada.http.post(
            "/api/v1/auth/password", json={"current_password": PASSWORD, "new_password": "engine 1852"}
        ),
    ):
        assert answer.status_code == 401
