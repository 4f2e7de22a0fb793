"""What the machine itself does: its disk fills up, its clock jumps."""

import asyncio
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.chaos.writer import total, writers
from tests.conftest import new_postgres_database
from tests.support.server import Server, installed

FULL = "FAULT_ROUNDS" in os.environ
PASSWORD, NEW_PASSWORD = "engine 1843", "difference 1822"
NAMESPACE = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--mount"]
FAKETIME = next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))), None)


def can_mount() -> bool:
    command = [*NAMESPACE, "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    return bool(shutil.which("unshare")) and not subprocess.run(command, check=False, capture_output=True).returncode


@pytest.mark.skipif(not can_mount(), reason="a small disk needs a mount namespace")
async def test_a_full_disk_refuses_writes_and_lets_reads_and_what_is_stored_alone(tmp_path: Path, tried):
    disk = tmp_path / "disk"
    disk.mkdir()
    server = installed(tmp_path, f"sqlite:///{disk}/taskwell.db")
    mount = 'mount -t tmpfs -o size=32m tmpfs "$0" && exec "$@"'
    server.command = [*NAMESPACE, "sh", "-c", mount, str(disk), *server.command]
    await asyncio.to_thread(server.start)
    inside = Path(f"/proc/{server.process.pid}/root{disk}")
    try:
        async with writers(server.url) as busy:
            await fill(inside)
            await asyncio.wait_for(asyncio.gather(*(writer.write_until_it_breaks() for writer in busy)), 60)
            full = total(busy)
            assert full.keys().isdisjoint({"503", "504"})
            assert full["507"] == len(busy), "each has been told, and reads are answered:"
            assert [await status(busy[0].http, path) for path in ("/api/v1/tasks", "/health/ready")] == [200, 200]
            account = {"email": "writer0@example.com", "password": PASSWORD}
            assert (await busy[0].http.post("/api/v1/auth/login", json=account)).status_code == 200
            (inside / "ballast").unlink()
            await asyncio.gather(*(writer.check() for writer in busy))
            assert "in doubt, took place" not in total(busy)
            is_over = asyncio.Event()
            writing = asyncio.gather(*(writer.write_until_it_breaks(is_over) for writer in busy))
            await asyncio.sleep(0.5)
            is_over.set()
            await writing
            await asyncio.gather(*(writer.check() for writer in busy))
            assert total(busy)["acknowledged"] > full.get("acknowledged", 0)
            tried(times=1, clients=len(busy), **total(busy))
    finally:
        await asyncio.to_thread(server.stop)
    assert "Traceback" not in server.log.read_text()


async def fill(disk: Path) -> None:
    """Leaves room for some writes more."""
    with (disk / "ballast").open("wb") as ballast:
        free = shutil.disk_usage(disk).free
        ballast.write(bytes(max(0, free - 200_000)))


async def status(http: httpx2.AsyncClient, path: str) -> int:
    return (await http.get(path)).status_code


class Clock:
    """The clock of a process that can be set while it runs."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "clock"
        self.set("+0")
        self.environment = {
            "LD_PRELOAD": str(FAKETIME),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }

    def set(self, offset: str) -> None:
        """Args:
        offset: From the true time, such as ``+1h``.
        """
        self._file.write_text(offset)


@pytest.mark.skipif(not FULL, reason="a false clock costs half a minute: make faults")
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_a_clock_that_jumps_loses_nothing_and_locks_nobody_out(kind: str, tmp_path: Path, tried):
    assert FAKETIME, "it needs Debian's faketime"
    clock = Clock(tmp_path)
    if kind == "sqlite":
        seen = await jumping(installed(tmp_path, f"sqlite:///{tmp_path}/taskwell.db", **clock.environment), clock)
    else:
        async with new_postgres_database("taskwell_clock") as url:
            seen = await jumping(installed(tmp_path, url, **clock.environment), clock)
    tried(jumps=3, **seen)


async def jumping(server: Server, clock: Clock) -> dict[str, Any]:
    await asyncio.to_thread(server.start, 60)
    try:
        async with writers(server.url, 2) as busy:
            is_over = asyncio.Event()
            writing = asyncio.gather(*(writer.write_until_it_breaks(is_over) for writer in busy))
            token = await the_password_changes_in_the_future(server.url, clock)
            is_over.set()
            await writing
            await asyncio.gather(*(writer.check() for writer in busy))
            seen = total(busy)
            assert seen.keys().isdisjoint({"503", "504"})
            clock.set("+8d")
            assert await me(busy[0].http, token) == 401, "it has expired"
            return seen
    finally:
        await asyncio.to_thread(server.stop)


async def the_password_changes_in_the_future(url: str, clock: Clock) -> str:
    """An hour ahead and back again: each change ends the tokens from before it; gives the one that is left."""
    account = {"email": "ada@example.com", "password": PASSWORD, "name": "Ada"}
    async with httpx2.AsyncClient(base_url=url, timeout=30, trust_env=False) as http:
        first = (await http.post("/api/v1/auth/signup", json=account)).json()["access_token"]
        clock.set("+1h")
        assert await me(http, first) == 200
        assert await change(http, first, PASSWORD, NEW_PASSWORD) == 204
        clock.set("+0")
        body = {"email": "ada@example.com", "password": NEW_PASSWORD}
        second, third = [(await http.post("/api/v1/auth/login", json=body)).json()["access_token"] for _ in range(2)]
        assert await me(http, second) == 200, "whoever comes after a change in the future is let in"
        assert await change(http, second, NEW_PASSWORD, PASSWORD) == 204
        assert [await me(http, token) for token in (second, third)] == [200, 401]
        return str(second)


async def me(http: httpx2.AsyncClient, token: str) -> int:
    return (await http.get("/api/v1/auth/me", headers={"Authorization": f"Bearer {token}"})).status_code


async def change(http: httpx2.AsyncClient, token: str, current: str, new: str) -> int:
    body = {"current_password": current, "new_password": new}
    headers = {"Authorization": f"Bearer {token}"}
    return (await http.post("/api/v1/auth/password", json=body, headers=headers)).status_code
