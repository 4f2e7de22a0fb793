"""Others at the same database: a transaction that runs into ours, another process that writes."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from typing import Any

import asyncpg
import httpx2
import pytest

from taskwell.app import create_app
from taskwell.database.lanes import ATTEMPTS, InTheWay, retry_deadlocks
from taskwell.database.sqlite import connect
from tests.chaos.test_races import at_once, statuses
from tests.conftest import new_postgres_database, running, settings_of
from tests.support.people import Person, arrive


@asynccontextmanager
async def beside_somebody() -> "AsyncIterator[tuple[Person, asyncpg.Connection[Any]]]":
    """Ada, and a connection that is not ours, whose deadlocks PostgreSQL always breaks at our cost."""
    async with new_postgres_database("taskwell_deadlock") as url:
        somebody = await asyncpg.connect(url, server_settings={"deadlock_timeout": "30s"})
        try:
            async with running(create_app(settings_of(f"{url}?deadlock_timeout=500ms"))) as app:
                yield await arrive(app, "ada"), somebody
        finally:
            await somebody.close()


WRITES = [
    ("PATCH", "", {"title": "Ours"}, {}),
    ("POST", "/bulk", {"operations": [{"op": "update", "data": {"title": "Ours"}}]}, {"Idempotency-Key": "once"}),
]


@pytest.mark.parametrize(("method", "path", "body", "headers"), WRITES, ids=["one statement", "keyed bulk"])
async def test_a_deadlock_reaches_no_caller(method: str, path: str, body: Any, headers: dict[str, str], tried):
    async with beside_somebody() as (ada, somebody):
        task = (await ada.http.post("/api/v1/tasks", json={"title": "Contested"})).json()
        body = {"operations": [body["operations"][0] | {"id": task["id"]}]} if path else body
        await somebody.execute("BEGIN")
        await somebody.execute("SELECT 1 FROM tasks WHERE id = $1 FOR UPDATE", task["id"])
        url = f"/api/v1/tasks{path or '/' + task['id']}"
        writing = asyncio.create_task(ada.http.request(method, url, json=body, headers=headers))
        while not await somebody.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await somebody.execute("SELECT 1 FROM users WHERE id = $1 FOR UPDATE", ada.id)
        assert not writing.done(), "ours has been ended, and has to begin again"
        await somebody.execute("COMMIT")

        assert (await writing).status_code == 200
        after = (await ada.http.get(f"/api/v1/tasks/{task['id']}")).json()
        assert (after["title"], after["revision"]) == ("Ours", 2)
        tried(deadlocks=1, refused=0)


async def test_it_does_not_try_for_ever():
    tries = 0

    async def always_in_the_way() -> None:
        nonlocal tries
        tries += 1
        raise InTheWay

    with pytest.raises(InTheWay):
        await retry_deadlocks(always_in_the_way)
    assert tries == ATTEMPTS


async def test_another_process_that_writes_to_the_same_file_is_waited_for(tmp_path, tried):
    path = tmp_path / "taskwell.db"
    is_over = threading.Event()
    held = 0

    def write_without_a_pause() -> None:
        nonlocal held
        with closing(connect(path)) as other:
            while not is_over.is_set():
                other.execute("BEGIN IMMEDIATE")
                other.execute("UPDATE users SET name = name")
                is_over.wait(0.03)
                other.execute("COMMIT")
                held += 1
                is_over.wait(0.005)

    async with running(create_app(settings_of(f"sqlite:///{path}"))) as app:
        ada = await arrive(app, "ada")
        other = threading.Thread(target=write_without_a_pause)
        other.start()
        answers: list[httpx2.Response] = []
        try:
            while held < 5:
                answers += await at_once(ada.http.post("/api/v1/tasks", json={"title": "Task"}) for _ in range(20))
        finally:
            is_over.set()
            await asyncio.to_thread(other.join)
        assert statuses(answers) == {201: len(answers)}
        tried(requests=len(answers), transactions_of_the_other=held, locked=0)
