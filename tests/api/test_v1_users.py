"""v1: one's own account, seen and changed."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import select

from taskwell.api.gateway import Gateway
from taskwell.app import create_app
from taskwell.database import Database, Query
from taskwell.settings import Settings
from taskwell.tasks.tables import TaskRow
from tests.conftest import running
from tests.support.people import PASSWORD, USER_FIELDS, Person, client


@pytest.fixture
async def other_process(app: Gateway, settings: Settings) -> AsyncIterator[Gateway]:
    async with running(create_app(settings)) as other:
        yield other


async def problem(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def test_one_sees_oneself_by_either_name(ada: Person):
    mine = (await ada.http.get("/api/v1/users/me")).json()

    assert mine == (await ada.http.get(f"/api/v1/users/{ada.id}")).json()
    assert set(mine) == USER_FIELDS
    assert (mine["id"], mine["email"], mine["name"]) == (ada.id, "ada@example.com", "Ada")
    assert (await ada.http.get("/api/v1/users/me")).headers["Cache-Control"] == "no-store"


async def test_one_touches_nobody_else(ada: Person, eve: Person):
    for answer in (
        await eve.http.get(f"/api/v1/users/{ada.id}"),
        await eve.http.patch(f"/api/v1/users/{ada.id}", json={"name": "Eve"}),
        await eve.http.request("DELETE", f"/api/v1/users/{ada.id}", json={"password": PASSWORD}),
        await eve.http.get("/api/v1/users/no-such-user"),
    ):
        assert await problem(answer) == (403, "forbidden")
    assert (await ada.http.get("/api/v1/users/me")).json()["name"] == "Ada"


async def test_a_name_is_changed(ada: Person):
    before = (await ada.http.get("/api/v1/users/me")).json()

    answer = await ada.http.patch("/api/v1/users/me", json={"name": "  Ada Lovelace "})

    assert answer.status_code == 200
    after = answer.json()
    assert after["name"] == "Ada Lovelace"
    assert after["updated_at"] > before["updated_at"]
    assert after == (await ada.http.get("/api/v1/users/me")).json()


async def test_what_is_not_named_or_not_different_stays(ada: Person):
    before = (await ada.http.get("/api/v1/users/me")).json()

    for body in ({}, {"name": "Ada"}, {"email": "ada@example.com", "time_zone": "UTC"}):
        assert (await ada.http.patch("/api/v1/users/me", json=body)).json() == before


async def test_an_e_mail_that_is_named_and_stays_is_no_event(ada: Person):
    await ada.http.patch("/api/v1/users/me", json={"email": "ada@example.com", "name": "Ada Lovelace"})

    assert (await ada.http.get("/api/v1/users/me/activity")).json()["items"] == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "A"}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": None}, "name"),
        ({"name": "A\x00da"}, "name"),
        ({"email": "not an e-mail"}, "email"),
        ({"email": None}, "email"),
        ({"email": f"{'x' * 250}@example.com"}, "email"),
        ({"email": f"{'x' * 65}@example.com"}, "email"),
        ({"email": f"{'ä' * 33}@example.com"}, "email"),
        ({"email": "new@example.com"}, "current_password"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"time_zone": "../../etc/passwd"}, "time_zone"),
        ({"time_zone": "europe/paris"}, "time_zone"),
        ({"time_zone": ""}, "time_zone"),
        ({"time_zone": None}, "time_zone"),
        ({"time_zone": 2}, "time_zone"),
        ({"id": "x"}, "id"),
        ({"password": "engine 1852"}, "password"),
        ({"revision": 7}, "revision"),
    ],
)
async def test_a_value_that_breaks_a_rule_is_told_by_its_field(ada: Person, body: dict, field: str):
    answer = await ada.http.patch("/api/v1/users/me", json=body)

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_moving_to_another_time_zone_moves_what_is_due_on_a_day(ada: Person, database: Database):
    by_day = (await ada.http.post("/api/v1/tasks", json={"title": "Day", "due_date": "2026-12-24"})).json()
    trashed = (await ada.http.post("/api/v1/tasks", json={"title": "Gone", "due_date": "2026-12-25"})).json()
    await ada.http.post("/api/v1/tasks", json={"title": "Instant", "due_at": "2026-12-24T22:30:00Z"})
    await ada.http.delete(f"/api/v1/tasks/{trashed['id']}")
    listed = await ada.http.get("/api/v1/tasks?sort=due&order=asc")
    assert [task["title"] for task in listed.json()["items"]] == ["Instant", "Day"]

    answer = await ada.http.patch("/api/v1/users/me", json={"time_zone": "Asia/Tokyo"})

    assert answer.json()["time_zone"] == "Asia/Tokyo"
    again = await ada.http.get("/api/v1/tasks?sort=due&order=asc", headers={"If-None-Match": listed.headers["ETag"]})
    assert [task["title"] for task in again.json()["items"]] == ["Day", "Instant"]
    assert (await ada.http.get(f"/api/v1/tasks/{by_day['id']}")).json() == by_day
    keys: Query[Any] = Query(select(TaskRow.title, TaskRow.due_key), lambda *row: row)
    found = {title: key.isoformat() for title, key in await database.rows(keys)}
    assert found == {
        "Day": "2026-12-24T14:59:59.999999+00:00",
        "Gone": "2026-12-25T14:59:59.999999+00:00",
        "Instant": "2026-12-24T22:30:00+00:00",
    }


async def test_a_task_that_is_made_while_its_user_moves_is_due_where_the_user_ends_up(
    ada: Person, database: Database
):
    zones = ["Asia/Tokyo", "America/New_York", "Europe/Paris", "Pacific/Kiritimati"]

    async def move() -> None:
        for zone in zones:
            await ada.http.patch("/api/v1/users/me", json={"time_zone": zone})

    body = {"title": "x", "due_date": "2026-12-24"}
    await asyncio.gather(move(), *(ada.http.post("/api/v1/tasks", json=body) for _ in range(20)))

    keys = set(await database.rows(Query(select(TaskRow.due_key), lambda key: key.isoformat())))
    assert keys == {"2026-12-24T09:59:59.999999+00:00"}


async def test_the_farthest_days_move_too(ada: Person):
    for day in ("0001-01-01", "0001-01-02", "9999-12-30", "9999-12-31"):
        assert (await ada.http.post("/api/v1/tasks", json={"title": day, "due_date": day})).status_code == 201

    for zone in ("Pacific/Kiritimati", "Pacific/Niue"):
        assert (await ada.http.patch("/api/v1/users/me", json={"time_zone": zone})).status_code == 200
    listed = (await ada.http.get("/api/v1/tasks?sort=due&order=asc")).json()["items"]
    assert [task["title"] for task in listed] == ["0001-01-01", "0001-01-02", "9999-12-30", "9999-12-31"]


async def test_ten_thousand_tasks_move_in_a_moment(ada: Person, database: Database):
    imported = [{"op": "create", "data": {"title": "x", "due_date": f"20{n:02}-01-01"}} for n in range(100)]
    for _ in range(20):
        answer = await ada.http.post("/api/v1/tasks/bulk", json={"operations": imported})
        assert answer.status_code == 200

    started = time.perf_counter()
    assert (await ada.http.patch("/api/v1/users/me", json={"time_zone": "Asia/Tokyo"})).status_code == 200
    assert time.perf_counter() - started < 5


async def test_another_process_knows_of_the_move_within_two_seconds(ada: Person, other_process: Gateway):
    elsewhere = client(other_process, dict(ada.http.headers))
    await elsewhere.get("/api/v1/tasks")

    await ada.http.patch("/api/v1/users/me", json={"time_zone": "Pacific/Kiritimati"})
    ends = time.monotonic() + 2
    while time.monotonic() < ends:
        caller = await other_process.services.identities.identify([f"Bearer {ada.token}".encode()])  # type: ignore[union-attr]
        if caller.space.time_zone == "Pacific/Kiritimati":
            return
        await asyncio.sleep(0.05)
    pytest.fail("it did not hear of it")
