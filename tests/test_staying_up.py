"""What befalls a service in its life: its database goes and comes back, the network stalls, it is asked to end."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest
from sqlalchemy.engine import make_url

from taskwell.api.gateway import Gateway
from taskwell.app import create_app
from tests.conftest import new_postgres_database, running, settings_of
from tests.support.command import measured
from tests.support.load import Connection, Load, signed_up
from tests.support.people import Person, arrive, client
from tests.support.postgres import DURABLE, PostgresServer
from tests.support.proxy import Proxy
from tests.support.server import Server


@pytest.fixture
async def own_postgres() -> AsyncIterator[PostgresServer]:
    """A server that a test may stop and start."""
    server = await asyncio.to_thread(PostgresServer, DURABLE)
    await asyncio.to_thread(server.start)
    yield server
    await asyncio.to_thread(server.remove)


async def test_postgresql_stopped_for_two_seconds_under_load(own_postgres: PostgresServer, tmp_path: Path):
    server = Server(tmp_path, own_postgres.url("postgres"))
    await asyncio.to_thread(server.start)
    try:
        load = Load(server.port, await signed_up(server.port, "ada"))
        running_load = asyncio.create_task(load.run(20))
        await asyncio.sleep(1.5)
        await asyncio.to_thread(own_postgres.stop, "immediate")
        await asyncio.sleep(2)
        assert await _statuses(server.port, "/health", "/health/live", "/health/ready", "/health/db") == [
            200,
            200,
            503,
            503,
        ]
        before = len(load.acknowledged)
        await asyncio.to_thread(own_postgres.start)
        started = time.monotonic()
        while load.last_success < started:
            assert time.monotonic() - started < 5, "it has not come back by itself"
            await asyncio.sleep(0.05)
        await asyncio.sleep(1)
        load.is_over = True
        await running_load

        assert set(load.statuses) == {200, 201, 503}
        assert load.lost == {}
        assert load.longest < 10
        assert all(int(answer.headers["retry-after"]) >= 1 for answer in load.unavailable)
        assert len(load.acknowledged) > before > 0
        assert await _stored(own_postgres.url("postgres")) >= load.acknowledged
    finally:
        await asyncio.to_thread(server.stop)


async def _statuses(port: int, *paths: str) -> list[int]:
    connection = await Connection.open(port)
    statuses = [(await connection.ask("GET", path)).status for path in paths]
    connection.writer.close()
    return statuses


async def _stored(url: str) -> set[str]:
    connection = await asyncpg.connect(url)
    try:
        return {str(row["id"]) for row in await connection.fetch("SELECT id FROM tasks")}
    finally:
        await connection.close()


@asynccontextmanager
async def behind_a_proxy(**changes: Any) -> AsyncIterator[tuple[Proxy, Gateway]]:
    """The application, whose way to PostgreSQL can be broken."""
    there = make_url(os.environ["TEST_DATABASE_URL"])
    async with (
        new_postgres_database("taskwell_behind_a_proxy") as direct,
        Proxy(there.host or "", there.port or 5432) as proxy,
    ):
        url = make_url(direct).set(host="127.0.0.1", port=proxy.port)
        settings = settings_of(url.render_as_string(hide_password=False), **changes)
        async with running(create_app(settings)) as app:
            yield proxy, app
            proxy.thaw()


async def everything(ada: Person) -> list[httpx2.Response]:
    """A read, a write of one statement, and one of several."""
    bulk = {"operations": [{"op": "create", "data": {"title": "a"}}]}
    return [
        await ada.http.get("/api/v1/tasks"),
        await ada.http.post("/api/v1/tasks", json={"title": "Buy milk"}),
        await ada.http.post("/api/v1/tasks/bulk", json=bulk),
    ]


async def test_connections_that_were_cut_while_idle_fail_no_request():
    async with behind_a_proxy() as (proxy, app):
        ada = await arrive(app, "ada")
        for _ in range(3):
            await asyncio.gather(*(ada.http.get("/api/v1/tasks") for _ in range(8)))
            proxy.cut()
            await asyncio.sleep(0.05)

            assert [each.status_code for each in await everything(ada)] == [200, 201, 200]


async def test_a_read_whose_connection_is_cut_under_it_is_read_again():
    async with behind_a_proxy() as (proxy, app):
        ada = await arrive(app, "ada")
        proxy.freeze()
        reading = asyncio.create_task(ada.http.get("/api/v1/tasks"))
        await asyncio.sleep(0.2)
        proxy.cut()
        proxy.thaw()

        assert (await reading).status_code == 200


async def test_a_write_whose_connection_is_cut_under_it_is_not_written_again():
    async with behind_a_proxy() as (proxy, app):
        ada = await arrive(app, "ada")
        await ada.http.get("/api/v1/tasks")  # from now on the token is known
        proxy.freeze()
        writing = asyncio.create_task(ada.http.post("/api/v1/tasks", json={"title": "Once"}))
        await asyncio.sleep(0.2)
        taken = proxy.taken
        proxy.cut()
        proxy.thaw()

        assert (await writing).status_code == 503
        assert proxy.taken == taken
        assert (await ada.http.get("/api/v1/tasks")).json()["items"] == []


async def test_a_frozen_network_costs_a_bounded_time_and_leaves_nothing_behind():
    patience: dict[str, Any] = {"database_command_timeout_seconds": 0.5, "database_connect_timeout_seconds": 0.5}
    async with behind_a_proxy(**patience, request_timeout_seconds=8) as (proxy, app):
        ada = await arrive(app, "ada")
        await asyncio.gather(*(ada.http.get("/api/v1/tasks") for _ in range(8)))
        proxy.freeze()
        for attempt in ("GET", "/api/v1/tasks", None), ("POST", "/api/v1/tasks", {"title": "a"}):
            started = time.monotonic()
            response = await ada.http.request(*attempt[:2], json=attempt[2])
            assert (response.status_code, response.headers["retry-after"]) == (503, "2")
            assert time.monotonic() - started < 3
        bulk = {"operations": [{"op": "create", "data": {"title": "a"}}]}
        assert (await ada.http.post("/api/v1/tasks/bulk", json=bulk)).status_code == 503
        assert (await ada.http.get("/health")).status_code == 200
        assert (await ada.http.get("/health/ready")).status_code == 503

        proxy.thaw()
        await asyncio.sleep(0.1)
        assert [each.status_code for each in await everything(ada)] == [200, 201, 200]
        assert app.services is not None
        assert app.services.database.pool_use().in_use == 0


async def test_connections_that_idled_too_long_on_a_frozen_network_are_tried_once_and_not_one_by_one():
    changes: dict[str, Any] = {"database_ping_after_idle_seconds": 0.0, "database_connect_timeout_seconds": 0.5}
    async with behind_a_proxy(**changes) as (proxy, app):
        ada = await arrive(app, "ada")
        await asyncio.gather(*(ada.http.get("/api/v1/tasks") for _ in range(8)))
        proxy.freeze()
        started = time.monotonic()

        assert (await ada.http.get("/api/v1/tasks")).status_code == 503
        assert time.monotonic() - started < 5


@pytest.mark.parametrize("workers", [1, 2])
async def test_no_accepted_request_fails_when_it_is_asked_to_end_under_load(workers: int, tmp_path: Path):
    """Neither over connections that clients keep, nor over those that they make for each request."""
    async with new_postgres_database(f"taskwell_drain_{workers}") as url:
        server = Server(tmp_path, url, workers=workers)
        await asyncio.to_thread(server.start, 60)
        token = await signed_up(server.port, "ada")
        loads = [Load(server.port, token, keeps=keeps) for keeps in (True, False)]
        loading = asyncio.gather(*(load.run(20) for load in loads))
        await asyncio.sleep(1.5)
        asked = time.monotonic()

        assert await asyncio.to_thread(server.stop) == 0
        assert time.monotonic() - asked < 20
        await asyncio.wait_for(loading, 10)
        stored = await _stored(url)
        for load in loads:
            assert load.lost == {}
            assert load.refused == 20, "every client was let go by an answer"
            assert set(load.statuses) == {200, 201}
            assert stored >= load.acknowledged


async def test_while_it_ends_it_is_not_ready_and_lets_go_of_connections(tmp_path: Path):
    server = Server(tmp_path, f"sqlite:///{tmp_path}/taskwell.db", DRAIN_DELAY_SECONDS="2")
    server.environment |= measured()
    await asyncio.to_thread(server.start)
    kept, silent = await Connection.open(server.port), await Connection.open(server.port)
    assert (await kept.ask("GET", "/health/ready")).status == 200
    assert (await silent.ask("GET", "/health/ready")).status == 200

    server.process.send_signal(signal.SIGTERM)
    await asyncio.sleep(0.5)
    ready = await kept.ask("GET", "/health/ready")
    late = await Connection.open(server.port)
    new = await late.ask("GET", "/health")

    assert (ready.status, ready.headers["connection"]) == (503, "close")
    assert (new.status, new.headers["connection"]) == (200, "close")
    assert await asyncio.to_thread(server.process.wait, 20) == 0
    for connection in (kept, silent, late):
        connection.writer.close()


async def test_it_waits_a_moment_for_a_database_that_starts_later(own_postgres: PostgresServer, tmp_path: Path):
    await asyncio.to_thread(own_postgres.stop)
    server = Server(tmp_path, own_postgres.url("postgres"), DATABASE_WAIT_SECONDS="30")
    starting = asyncio.create_task(asyncio.to_thread(server.start, 60))
    await asyncio.sleep(3)
    assert server.process.poll() is None
    await asyncio.to_thread(own_postgres.start)

    await starting
    assert await asyncio.to_thread(server.stop) == 0


async def test_a_serving_process_that_dies_is_replaced(tmp_path: Path):
    async with new_postgres_database("taskwell_replaced") as url:
        server = Server(tmp_path, url, workers=2)
        server.environment |= measured()
        await asyncio.to_thread(server.start, 60)
        try:
            first = await _process(server.port)
            os.kill(first, signal.SIGKILL)
            deadline = time.monotonic() + 30
            seen: set[int] = set()
            while len(seen - {first}) < 2:
                assert time.monotonic() < deadline, seen
                await asyncio.sleep(0.05)
                seen.add(await _process(server.port))
        finally:
            assert await asyncio.to_thread(server.stop) == 0


async def _process(port: int) -> int:
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, verify=False) as http:
        try:
            return int((await http.get("/health/system")).json()["process_id"])
        except httpx2.TransportError:
            return 0


async def test_a_request_that_waits_for_a_connection_is_turned_away_in_time():
    changes: dict[str, Any] = {
        "database_pool_size": 1,
        "database_pool_overflow": 0,
        "database_pool_timeout_seconds": 0.3,
    }
    async with behind_a_proxy(**changes) as (proxy, app):
        ada = await arrive(app, "ada")
        await ada.http.get("/api/v1/tasks")
        proxy.freeze()
        first = asyncio.create_task(ada.http.get("/api/v1/tasks"))
        await asyncio.sleep(0.1)
        started = time.monotonic()

        second = await ada.http.get("/api/v1/tasks")

        assert (second.status_code, second.headers["retry-after"]) == (503, "1")
        assert time.monotonic() - started < 2
        assert (await client(app).get("/metrics")).text.count("taskwell_database_pool_wait_seconds_count 0") == 0
        proxy.thaw()
        assert (await first).status_code == 200
