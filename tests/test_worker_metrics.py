"""Where the worker's metrics and its health are, and where they cannot be."""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest
from sqlalchemy.engine import make_url

from taskwell import migrations, worker
from taskwell.database import open_database
from taskwell.observability.metrics import REMINDERS
from taskwell.settings import InvalidSettings, Settings
from taskwell.worker import Worker
from taskwell.worker_metrics import answering
from tests.conftest import SECRET, new_postgres_database, settings_of
from tests.support.postgres import free_port
from tests.support.proxy import Proxy

TOKEN = "for-prometheus-only-0123456789"


@asynccontextmanager
async def asked(settings: Settings, work: Worker) -> AsyncIterator[httpx2.AsyncClient]:
    """Somebody who asks the worker at its port."""
    address = f"http://127.0.0.1:{settings.worker_metrics_port}"
    with answering(settings, work):
        async with httpx2.AsyncClient(base_url=address, trust_env=False) as http:
            yield http


@pytest.fixture
async def idle(tmp_path: Path) -> AsyncIterator[Worker]:
    """A worker that has not begun."""
    settings = settings_of(f"sqlite:///{tmp_path}/taskwell.db", worker_metrics_port=free_port())
    database = await open_database(settings)
    yield Worker(database, settings)
    await database.close()


async def test_a_worker_tells_its_own(idle: Worker, tmp_path: Path):
    settings = Settings(
        _env_file=None,
        environment="production",
        secret_key=SECRET,
        metrics_token=TOKEN,
        worker_metrics_port=free_port(),
        database_url=f"sqlite:///{tmp_path}/taskwell.db",
    )
    REMINDERS.labels("email", "sent").inc()
    async with asked(settings, idle) as http:
        answer = await http.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        assert 'taskwell_reminders_total{channel="email",outcome="sent"} ' in answer.text
        assert (await http.get("/metrics")).status_code == 401
        assert (await http.get("/")).status_code == 404
        assert (await http.get("/health/live")).json() == {"status": "alive"}, "its health is no secret"


async def test_in_development_nobody_needs_a_token(idle: Worker):
    async with asked(idle.settings, idle) as http:
        answer = await http.get("/metrics")

    assert (answer.status_code, "taskwell_processes" in answer.text) == (200, True)


async def test_a_port_that_is_taken_is_told(idle: Worker):
    told = pytest.raises(InvalidSettings, match="WORKER_METRICS_PORT cannot be used: Address already in use")

    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = idle.settings.model_copy(update={"worker_metrics_port": taken.getsockname()[1]})
        with told, answering(settings, idle):
            pytest.fail("it has answered")


async def becomes(http: httpx2.AsyncClient, path: str, status: int, said: str) -> None:
    async with asyncio.timeout(20):
        while (answer := await http.get(path)).status_code != status:  # noqa: ASYNC110  # a process tells nobody
            await asyncio.sleep(0.05)
    assert answer.json() == {"status": said}


async def test_a_worker_is_ready_once_it_has_looked_and_until_it_stops(database_url: str):
    settings = settings_of(database_url, worker_metrics_port=free_port(), worker_poll_seconds=0.1)
    await migrations.upgrade(settings)
    database = await open_database(settings)
    work = Worker(database, settings)
    async with asked(settings, work) as http:
        assert (await http.get("/health/ready")).status_code == 503
        working = asyncio.create_task(work.run())
        await becomes(http, "/health/ready", 200, "ready")
        assert (await http.get("/health")).json() == {"status": "alive"}
        work.stop()
        await becomes(http, "/health/ready", 503, "not ready")
        await working
    await database.close()


async def test_a_worker_whose_database_does_not_answer_is_not_ready_and_in_the_end_stuck(
    monkeypatch: pytest.MonkeyPatch,
):
    there = make_url(os.environ["TEST_DATABASE_URL"])
    async with (
        new_postgres_database("taskwell_worker_health") as direct,
        Proxy(there.host or "", there.port or 5432) as proxy,
    ):
        url = make_url(direct).set(host="127.0.0.1", port=proxy.port).render_as_string(hide_password=False)
        settings = settings_of(url, worker_metrics_port=free_port(), worker_poll_seconds=0.1)
        await migrations.upgrade(settings)
        database = await open_database(settings)
        async with worker.running(database, settings) as work, asked(settings, work) as http:
            await becomes(http, "/health/ready", 200, "ready")
            monkeypatch.setattr(worker, "PATIENCE_SECONDS", 0.5)
            proxy.freeze()
            await becomes(http, "/health/live", 503, "stuck")
            assert (await http.get("/health/ready")).status_code == 503

            proxy.cut()
            proxy.thaw()
            await becomes(http, "/health/live", 200, "alive")
            await becomes(http, "/health/ready", 200, "ready")
        await database.close()


async def test_a_worker_under_systemd_says_that_it_lives(tmp_path: Path):
    """The process itself, with its health where an orchestrator looks for it."""
    port = free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "ENVIRONMENT": "test",
        "DATABASE_URL": f"sqlite:///{tmp_path}/taskwell.db",
        "SECRET_KEY": SECRET,
        "WORKER_METRICS_PORT": str(port),
        "NOTIFY_SOCKET": str(tmp_path / "notify"),
        "WATCHDOG_USEC": "200000",
    }
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(environment["NOTIFY_SOCKET"])
        systemd.settimeout(30)
        command = (sys.executable, "-m", "taskwell", "worker")
        process = await asyncio.create_subprocess_exec(*command, cwd=tmp_path, env=environment)
        try:
            told = [await asyncio.to_thread(systemd.recv, 100) for _ in range(2)]
            async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:
                await becomes(http, "/health/ready", 200, "ready")
            process.terminate()
            assert await process.wait() == 0
        finally:
            if process.returncode is None:
                process.kill()

    assert told == [b"WATCHDOG=1"] * 2
