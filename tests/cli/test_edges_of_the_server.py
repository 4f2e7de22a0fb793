"""What only a server process can show: proxies before it, its signals, its file, and bodies that are too long."""

import asyncio
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.conftest import new_postgres_database
from tests.support.load import Load, signed_up
from tests.support.postgres import wait_until
from tests.support.server import Server

ADA = {"email": "ada@example.com", "password": "engine 1843", "name": "Ada"}


@pytest.fixture
def server(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Server]:
    settings: dict[str, Any] = getattr(request, "param", {})
    server = Server(tmp_path, f"sqlite:///{tmp_path}/taskwell.db", **settings)
    server.start()
    yield server
    server.stop()


def sign_up(server: Server, **headers: str) -> dict[str, str]:
    answer = httpx2.post(f"{server.url}/api/v1/auth/signup", json=ADA, headers=headers)
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


@pytest.mark.parametrize(
    ("server", "scheme", "forwarded", "address"),
    [
        ({"TRUSTED_PROXIES": "127.0.0.0/8"}, "https", ["6.6.6.6, 203.0.113.7"], "203.0.113.7"),
        ({"TRUSTED_PROXIES": "127.0.0.0/8"}, "https", ["6.6.6.6", "203.0.113.7, 127.0.0.2"], "203.0.113.7"),
        ({"TRUSTED_PROXIES": "127.0.0.0/8"}, "https", ["[2001:db8::7]:443"], "2001:db8::7"),
        ({"TRUSTED_PROXIES": "127.0.0.0/8", "HOST": "::"}, "https", ["203.0.113.7:55123"], "203.0.113.7"),
        ({"TRUSTED_PROXIES": "10.0.0.0/8"}, "http", ["203.0.113.7"], "127.0.0.1"),
        ({}, "http", ["203.0.113.7"], "127.0.0.1"),
    ],
    indirect=["server"],
)
def test_only_a_trusted_proxy_says_who_the_client_is_and_how_it_came(
    server: Server, scheme: str, forwarded: list[str], address: str
):
    said = [("X-Forwarded-Proto", "https"), *(("X-Forwarded-For", each) for each in forwarded)]
    home = httpx2.get(server.url, headers=said)
    answer = httpx2.post(f"{server.url}/api/v1/auth/signup", json=ADA, headers=said)
    token = {"Authorization": f"Bearer {answer.json()['access_token']}"}

    assert f"curl -s {scheme}://127.0.0.1" in home.text
    assert address in httpx2.get(f"{server.url}/api/v1/users/me/activity", headers=token).text


def test_sighup_ends_one_process_as_sigterm_does(server: Server):
    server.process.send_signal(signal.SIGHUP)

    assert server.process.wait(15) == 0
    assert "stopped" in server.log.read_text() or "Traceback" not in server.log.read_text()


async def test_no_accepted_request_fails_while_sighup_replaces_the_workers(tmp_path: Path):
    async with new_postgres_database("taskwell_rolling") as url:
        server = Server(tmp_path, url, workers=2)
        await asyncio.to_thread(server.start, 60)
        before = _children(server.process.pid)
        token = await signed_up(server.port, "ada")
        loads = [Load(server.port, token, keeps=keeps) for keeps in (True, False)]
        loading = asyncio.gather(*(load.run(10) for load in loads))
        await asyncio.sleep(1)
        server.process.send_signal(signal.SIGHUP)
        started = time.monotonic()
        while _children(server.process.pid) & before or len(_children(server.process.pid)) != len(before):
            assert time.monotonic() - started < 60, "the workers are not replaced"
            await asyncio.sleep(0.1)
        await asyncio.sleep(1)
        for load in loads:
            load.is_over = True
        await asyncio.wait_for(loading, 10)

        for load in loads:
            assert load.lost == {}
            assert load.refused == 0
            assert set(load.statuses) == {200, 201}
        assert await asyncio.to_thread(server.stop) == 0


def _children(process_id: int) -> set[int]:
    """The processes that serve."""
    found = set()
    for children in Path(f"/proc/{process_id}/task").glob("*/children"):
        for child in children.read_text().split():
            if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes():
                found.add(int(child))
    return found


def test_a_database_file_that_is_deleted_is_no_database_any_more(server: Server, tmp_path: Path):
    token = sign_up(server)
    for name in ("taskwell.db", "taskwell.db-wal", "taskwell.db-shm"):
        (tmp_path / name).unlink()

    ready = httpx2.get(f"{server.url}/health/ready")
    written = httpx2.post(f"{server.url}/api/v1/tasks", json={"title": "Buy milk"}, headers=token)
    read = httpx2.get(f"{server.url}/api/v1/tasks", headers=token)

    assert [ready.status_code, written.status_code, read.status_code] == [503, 503, 503]
    assert written.json()["code"] == "unavailable"
    assert str(tmp_path) not in written.text
    told = [line for line in server.log.read_text().splitlines() if "deleted or replaced" in line]
    assert len(told) == 1
    assert not (tmp_path / "taskwell.db").exists()


@pytest.mark.parametrize("megabytes", [2, 7])
def test_whoever_sends_a_body_over_the_limit_reads_that_it_is_413(server: Server, megabytes: int):
    token = sign_up(server)["Authorization"]
    head = f"POST /api/v1/tasks HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\nContent-Type: application/json\r\n"
    length = megabytes * 1024 * 1024
    with closing(socket.create_connection(("127.0.0.1", server.port), timeout=10)) as connection:
        connection.sendall(f"{head}Content-Length: {length}\r\n\r\n".encode())
        connection.sendall(b" " * length)
        answer = b""
        while received := connection.recv(65_536):
            answer += received

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"\r\nconnection: close\r\n" in answer.lower()
    assert b"body_too_large" in answer


@pytest.mark.parametrize("server", [{"KEEP_ALIVE_SECONDS": "1"}], indirect=True)
def test_an_idle_connection_is_kept_for_its_time(server: Server):
    with closing(socket.create_connection(("127.0.0.1", server.port), timeout=10)) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(65_536).startswith(b"HTTP/1.1 200 ")
        wait_until(lambda: connection.recv(65_536) == b"", 5)
