"""``taskwell serve`` as a process: it ends cleanly, and started again it knows what it knew."""

import os
import signal
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from tests.conftest import new_postgres_database
from tests.support.command import measured
from tests.support.postgres import wait_until
from tests.support.server import Server, installed

ADA = {"email": "ada@example.com", "password": "engine 1843", "name": "Ada"}


@pytest.fixture
async def empty_database(request: pytest.FixtureRequest, worker_id: str) -> AsyncIterator[str]:
    """PostgreSQL, unless the test asks for SQLite."""
    if getattr(request, "param", "postgresql") == "sqlite":
        yield "sqlite:///taskwell.db"
        return
    async with new_postgres_database(f"taskwell_serve_{worker_id}") as url:
        yield url


def sign_up(server: Server) -> dict[str, str]:
    token = httpx2.post(f"{server.url}/api/v1/auth/signup", json=ADA).json()["access_token"]
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize(
    ("empty_database", "end", "prepared"),
    [("sqlite", signal.SIGINT, installed), ("postgresql", signal.SIGTERM, Server)],
    indirect=["empty_database"],
)
def test_it_ends_cleanly_and_started_again_its_data_and_tokens_are_good(
    tmp_path: Path, empty_database: str, end, prepared
):
    """In development without a SECRET_KEY, as ``make run`` starts it."""
    server = prepared(tmp_path, empty_database, SECRET_KEY="")
    server.environment |= measured()
    server.start()
    headers = sign_up(server)
    task = httpx2.post(f"{server.url}/api/v1/tasks", json={"title": "Buy milk"}, headers=headers).json()

    server.process.send_signal(end)
    assert server.process.wait(15) == 0
    assert "Traceback" not in server.log.read_text()

    server.start()
    try:
        page = httpx2.get(f"{server.url}/api/v1/tasks", headers=headers).json()
        assert page["items"] == [task]
    finally:
        assert server.stop() == 0
    assert stat.S_IMODE((tmp_path / ".taskwell-secret-key").stat().st_mode) == 0o600


def test_a_killed_server_answers_a_repeated_request_from_before(tmp_path: Path, empty_database: str):
    server = Server(tmp_path, empty_database)
    server.start()
    headers = sign_up(server) | {"Idempotency-Key": "once"}
    first = httpx2.post(f"{server.url}/api/v1/tasks", json={"title": "Buy milk"}, headers=headers)

    server.kill()
    server.start()

    try:
        again = httpx2.post(f"{server.url}/api/v1/tasks", json={"title": "Buy milk"}, headers=headers)
        assert (again.status_code, again.json()) == (201, first.json())
        assert again.headers["idempotency-replayed"] == "true"
    finally:
        server.stop()


def test_two_workers_on_an_empty_database_start_and_end_together(tmp_path: Path, empty_database: str):
    server = Server(tmp_path, empty_database, workers=2)
    server.environment |= measured()
    server.start()
    assert httpx2.get(f"{server.url}/health").status_code == 200
    group = os.getpgid(server.process.pid)

    assert server.stop() == 0

    wait_until(lambda: not is_anybody_in(group))


@pytest.mark.parametrize("workers", [1, 2])
def test_it_says_once_that_it_serves_and_then_it_can_be_called(
    tmp_path: Path, empty_database: str, workers: int, monkeypatch: pytest.MonkeyPatch
):
    server = Server(tmp_path, empty_database, workers=workers)
    server.log.touch()
    said = f"Taskwell serves {server.url} "
    monkeypatch.setattr(server, "is_ready", lambda: said in server.log.read_text())
    server.start()
    try:
        assert httpx2.get(f"{server.url}/health/ready").status_code == 200
    finally:
        assert server.stop() == 0
    assert server.log.read_text().count(said) == 1


def is_anybody_in(process_group: int) -> bool:
    try:
        os.killpg(process_group, 0)
    except ProcessLookupError:
        return False
    return True


def test_without_a_public_url_links_lead_to_the_port_that_it_was_told(tmp_path: Path):
    server = Server(tmp_path, "sqlite:///taskwell.db", GITHUB_CLIENT_ID="taskwell", GITHUB_CLIENT_SECRET="hunter2")
    server.start()
    try:
        query = {"redirect_to": "http://localhost:3000/", "code_challenge": "A" * 43}
        left = httpx2.get(f"{server.url}/api/v1/auth/github/authorize", params=query)
    finally:
        assert server.stop() == 0

    asked = parse_qs(urlsplit(left.headers["location"]).query)
    assert asked["redirect_uri"] == [f"{server.url}/api/v1/auth/github/callback"]
