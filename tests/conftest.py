"""Real databases, and named people. Tests run on SQLite and on PostgreSQL, and leave both empty."""

import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import httpx2
import pytest
from sqlalchemy import delete

from taskwell.api.gateway import Gateway
from taskwell.app import create_app
from taskwell.database import Database, Query
from taskwell.mail.tables import MailQuotaRow, MailRow
from taskwell.settings import Settings
from taskwell.spaces.tables import SpaceRow
from taskwell.users.event_tables import SecurityEventRow
from taskwell.users.tables import RevokedTokenRow, UserRow
from tests.support import hashing
from tests.support.authenticator import authenticator as authenticator  # noqa: PLC0414  # a fixture
from tests.support.order import long_first, needs_to_run
from tests.support.people import Person, arrive, client
from tests.support.pictures import pictures_since
from tests.support.postgres import PostgresServer

SERVER_URL = "TEST_DATABASE_URL"
SERVER = pytest.StashKey[PostgresServer]()
BEGINNING = pytest.StashKey[float]()
SECRET = "tests-only-0123456789-abcdefghijklmnopqrstuvwxyz"

T = TypeVar("T")

hashing.make_quick()


def pytest_configure(config: pytest.Config) -> None:
    """One server for the whole run, whoever runs it: the controller of xdist's workers, or the one process."""
    config.stash[BEGINNING] = time.time()
    if not hasattr(config, "workerinput") and SERVER_URL not in os.environ:
        server = config.stash[SERVER] = PostgresServer()
        server.start()
        os.environ[SERVER_URL] = server.url("postgres")


def pytest_unconfigure(config: pytest.Config) -> None:
    if SERVER in config.stash:
        config.stash[SERVER].remove()
        del os.environ[SERVER_URL]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items[:] = [item for item in items if needs_to_run(item)]
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if workers > 1:
        items[:] = long_first(items, workers)


def pytest_report_header() -> str:
    return f"databases: SQLite in a temporary folder, PostgreSQL at {os.environ[SERVER_URL]}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for path in pictures_since(config.stash[BEGINNING]):
        terminalreporter.write_line(f"picture: {path}")


@asynccontextmanager
async def new_postgres_database(name: str) -> AsyncIterator[str]:
    """The URL of an empty database of this worker's, dropped afterwards."""
    server = os.environ[SERVER_URL]
    name = f"{name}_{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
    connection = await asyncpg.connect(server)
    try:
        await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        await connection.execute(f'CREATE DATABASE "{name}"')
        yield server.rsplit("/", 1)[0] + f"/{name}"
        await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    finally:
        await connection.close()


class Lasting:
    """What is there until the run ends, so that the tests may go to and fro between the databases."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self._stack = stack
        self._there: dict[str, Any] = {}

    async def once(self, name: str, made: Callable[[], AbstractAsyncContextManager[T]]) -> T:
        """What the context gives that is made and entered for the first who asks for this name."""
        if name not in self._there:
            self._there[name] = await self._stack.enter_async_context(made())
        return self._there[name]


@pytest.fixture(scope="session")
async def lasting() -> AsyncIterator[Lasting]:
    async with AsyncExitStack() as stack:
        yield Lasting(stack)


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
async def database_url(request, lasting: Lasting, tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path_factory.getbasetemp()}/taskwell.db"
    return await lasting.once("postgresql", lambda: new_postgres_database(f"taskwell_{worker_id}"))


@pytest.fixture(params=["sqlite", "postgresql"])
async def empty_url(request, tmp_path: Path, worker_id: str) -> AsyncIterator[str]:
    """Of a database of the test's own, without a schema."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/taskwell.db"
        return
    async with new_postgres_database(f"taskwell_empty_{worker_id}") as url:
        yield url


def settings_of(database_url: str, **changes: Any) -> Settings:
    """Without limits, since tests send more than a person would."""
    values: dict[str, Any] = {"secret_key": SECRET, "rate_limit_per_minute": 0, "worker_in_serve": False} | changes
    return Settings(_env_file=None, environment="test", database_url=database_url, **values)


@pytest.fixture(scope="session")
def settings(database_url: str) -> Settings:
    """With time to clear away ten thousand tasks on a busy machine."""
    return settings_of(database_url, database_command_timeout_seconds=60)


@pytest.fixture(scope="session")
async def shared_app(settings: Settings, lasting: Lasting) -> Gateway:
    """The application over the migrated database."""
    return await lasting.once(settings.database_url, lambda: running(create_app(settings)))


@asynccontextmanager
async def running(app: Gateway) -> AsyncIterator[Gateway]:
    """The application, started and in the end stopped as its server would."""
    async with app.lifespan():
        yield app


@pytest.fixture
async def app(shared_app: Gateway) -> AsyncIterator[Gateway]:
    yield shared_app
    assert shared_app.services is not None
    await shared_app.services.journal.flush()
    for table in (SpaceRow, UserRow, RevokedTokenRow, SecurityEventRow, MailRow, MailQuotaRow):
        await shared_app.services.database.rows(Query(delete(table), lambda *_: None))


@pytest.fixture
def database(app: Gateway) -> Database:
    assert app.services is not None
    return app.services.database


@pytest.fixture
def nobody(app: Gateway) -> httpx2.AsyncClient:
    """A client without a token."""
    return client(app)


@pytest.fixture
async def ada(app: Gateway) -> Person:
    return await arrive(app, "ada")


@pytest.fixture
async def eve(app: Gateway) -> Person:
    return await arrive(app, "eve")
