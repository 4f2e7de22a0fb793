"""PostgreSQL's connections: lost, wrong, too many, encrypted."""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest
from sqlalchemy import func, select
from sqlalchemy.engine import make_url

from taskwell import migrations
from taskwell.api.gateway import Gateway
from taskwell.app import create_app
from taskwell.database import Database, Query, open_database, pool
from taskwell.database.postgres import PostgresDatabase
from taskwell.errors import Unavailable
from taskwell.settings import InvalidSettings, Settings
from tests.conftest import SECRET, new_postgres_database, running
from tests.support.people import arrive
from tests.support.proxy import Proxy

BACKENDS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""

BACKEND: Query[str] = Query(select(func.pg_backend_pid(), func.pg_sleep(0.02)), lambda pid, _: str(pid))


@pytest.fixture
async def url(worker_id: str) -> AsyncIterator[str]:
    async with new_postgres_database(f"taskwell_connections_{worker_id}") as url:
        yield url


def settings_of(url: str, **values: object) -> Settings:
    return Settings(_env_file=None, environment="test", secret_key=SECRET, database_url=url, **values)  # type: ignore[arg-type]


@pytest.fixture
async def service(url: str) -> AsyncIterator[Gateway]:
    async with running(create_app(settings_of(url))) as app:
        yield app


async def terminate_all(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(BACKENDS)
    finally:
        await connection.close()


async def test_after_every_connection_was_lost_the_next_requests_work(service: Gateway, url: str):
    ada = await arrive(service, "ada")
    for _ in range(5):
        await asyncio.gather(*(ada.http.get("/api/v1/tasks") for _ in range(8)))
        await terminate_all(url)

        answers = [await ada.http.get("/api/v1/tasks"), await ada.http.post("/api/v1/tasks", json={"title": "x"})]

        assert [answer.status_code for answer in answers] == [200, 201]


async def test_connections_lost_under_load_are_no_500(service: Gateway, url: str):
    ada = await arrive(service, "ada")
    statuses: list[int] = []

    async def work() -> None:
        while len(statuses) < 400:
            answer = await ada.http.post("/api/v1/tasks", json={"title": "x"})
            statuses.append(answer.status_code)
            if answer.status_code == 503:
                assert int(answer.headers["retry-after"]) > 0
            statuses.append((await ada.http.get("/api/v1/tasks")).status_code)

    async def disturb() -> None:
        while len(statuses) < 400:
            await asyncio.sleep(0.05)
            await terminate_all(url)

    await asyncio.gather(*(work() for _ in range(8)), disturb())

    assert set(statuses) <= {200, 201, 503}
    assert (await ada.http.get("/api/v1/tasks")).status_code == 200


async def test_who_finds_no_connection_in_time_is_turned_away(url: str):
    tight = settings_of(url, database_pool_size=1, database_pool_overflow=0, database_pool_timeout_seconds=0.2)
    async with running(create_app(tight)) as app:
        ada = await arrive(app, "ada")
        assert app.services is not None
        async with app.services.database.transaction():
            answer = await ada.http.get("/api/v1/tasks")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert (await ada.http.get("/api/v1/tasks")).status_code == 200


async def test_who_is_stopped_while_a_connection_is_asked_takes_no_place(url: str):
    database = await open_database(settings_of(url, database_ping_after_idle_seconds=0.000001))
    assert isinstance(database, PostgresDatabase)

    async def read() -> None:
        async with database.transaction():
            pass

    await read()
    for turns in range(20):
        reading = asyncio.create_task(read())
        for _ in range(turns):
            await asyncio.sleep(0)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)

        await none_in_use(database)  # a connection that was being opened is opened, and kept
    await database.close()


async def none_in_use(database: PostgresDatabase) -> None:
    async with asyncio.timeout(10):
        while database.pool.in_use:  # noqa: ASYNC110  # a pool tells nobody
            await asyncio.sleep(0.001)


@asynccontextmanager
async def far_away(url: str, **values: object) -> AsyncIterator[tuple[Proxy, PostgresDatabase]]:
    """The database at the other end of a network that can be frozen."""
    there = make_url(url)
    async with Proxy(there.host or "", there.port or 5432) as proxy:
        through = there.set(port=proxy.port).render_as_string(hide_password=False)
        database = await open_database(settings_of(through, **values))
        assert isinstance(database, PostgresDatabase)
        yield proxy, database
        await database.close()


@pytest.fixture
async def complaints() -> AsyncIterator[list[str]]:
    """What asyncio would log of errors that nobody took."""
    gc.collect()  # not those of other tests
    told: list[str] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: told.append(context["message"]))
    yield told
    loop.set_exception_handler(None)


@pytest.mark.parametrize("network", ["flowing", "frozen"])
async def test_who_is_stopped_while_a_connection_is_opened_leaves_nothing_in_the_log(
    url: str, network: str, complaints: list[str]
):
    async with far_away(url) as (proxy, database):
        for turns in range(20):
            if network == "frozen":
                proxy.freeze()
            reading = asyncio.create_task(database.rows(BACKEND))
            for _ in range(turns):
                await asyncio.sleep(0)
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            proxy.thaw()
            await none_in_use(database)
            assert database.pool.open <= 1
            database.pool.drop_idle()
    gc.collect()

    assert complaints == []


async def test_a_connection_opened_for_somebody_who_is_gone_serves_who_waits(url: str):
    async with far_away(url, database_pool_size=1, database_pool_overflow=0) as (proxy, database):
        proxy.freeze()
        taken = proxy.taken
        gone, waiting = (asyncio.create_task(database.rows(BACKEND)) for _ in range(2))
        await asyncio.sleep(0.05)
        gone.cancel()
        proxy.thaw()

        assert len(await waiting) == 1
        assert proxy.taken == taken + 1


async def test_closing_does_not_wait_for_a_frozen_network(url: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pool, "CLOSE_SECONDS", 0.1)
    async with far_away(url) as (proxy, database):
        proxy.freeze()
        reading = asyncio.create_task(database.rows(BACKEND))
        await asyncio.sleep(0.05)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)

        async with asyncio.timeout(5):
            await database.close()

        assert database.pool.open == 0


async def test_connections_of_a_busy_moment_are_kept_for_the_next_and_closed_when_it_is_over(
    url: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(pool, "SURPLUS_SECONDS", 0.1)
    database = await open_database(settings_of(url, database_pool_size=1, database_pool_overflow=3))
    assert isinstance(database, PostgresDatabase)
    seen: set[str] = set()

    for _ in range(5):
        names = await asyncio.gather(*(database.rows(BACKEND) for _ in range(4)))
        seen |= {name for (name,) in names}

    assert len(seen) == 4
    async with asyncio.timeout(10):
        while database.pool.open > 1:  # noqa: ASYNC110  # a pool tells nobody
            await asyncio.sleep(0.02)
    assert (await database.rows(BACKEND))[0] in seen
    await database.close()
    assert database.pool.open == 0


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        (lambda url: url.rsplit("/", 1)[0] + "/nowhere", InvalidSettings),
        (lambda url: url.replace("postgres@", "nobody@"), InvalidSettings),
        (lambda url: url + "?nonsense=1", InvalidSettings),
        (lambda url: url + "?sslmode=require", Unavailable),
        (lambda url: "postgresql://127.0.0.1:1/x", Unavailable),
    ],
)
async def test_what_is_wrong_at_the_start_is_told(url: str, change, refusal: type[Exception]):
    with pytest.raises(refusal, match="DATABASE_URL"):
        await open_database(settings_of(change(url), database_wait_seconds=0))


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg"])
async def test_every_spelling_reaches_the_server(url: str, scheme: str):
    settings = settings_of(url.replace("postgresql", scheme, 1) + "?application_name=spelled&sslmode=prefer")

    await migrations.upgrade(settings)
    database = await open_database(settings)

    try:
        assert await name_of(database) == "spelled"
    finally:
        await database.close()


async def name_of(database: Database) -> str:
    assert isinstance(database, PostgresDatabase)
    pooled = await database.pool.acquire()
    try:
        return str(await pooled.connection.fetchval("SHOW application_name"))
    finally:
        database.pool.release(pooled)
