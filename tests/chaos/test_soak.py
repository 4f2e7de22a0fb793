"""Ten minutes of everything that clients do, on both databases at once: nothing grows, nothing fails."""

import asyncio
import os
import random
import time
from collections import Counter
from collections.abc import Awaitable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx2

from tests.conftest import new_postgres_database
from tests.support.sampling import Course, percentile, use_of
from tests.support.server import Server

SECONDS = float(os.environ.get("SOAK_SECONDS", "0"))
CLIENTS = 4
PAUSE = 0.03
MOST_TASKS = 150
PASSWORD = "engine 1843"
COURSES = ("megabytes", "open files", "connections", "p50", "p95", "p99")


@dataclass
class Soaked:
    """One server under load, and what was measured of it. Latencies are in milliseconds."""

    server: Server
    database_url: str
    statuses: Counter[int] = field(default_factory=Counter)
    window: list[float] = field(default_factory=list)
    courses: dict[str, Course] = field(default_factory=lambda: {name: Course() for name in COURSES})

    async def run(self) -> None:
        await asyncio.to_thread(self.server.start, 60)
        try:
            end = time.monotonic() + SECONDS
            clients = [Client(self, number) for number in range(CLIENTS)]
            await asyncio.gather(self._sample(end), *(client.run(end) for client in clients))
        finally:
            assert await asyncio.to_thread(self.server.stop) == 0

    async def _sample(self, end: float) -> None:
        every = max(1.0, SECONDS / 120)
        while time.monotonic() < end:
            await asyncio.sleep(every)
            use = await asyncio.to_thread(use_of, self.server.process.pid)
            window, self.window = self.window, []
            if not window:
                continue
            values = (use.megabytes, use.open_files, await self._connections())
            for name, value in zip(COURSES, (*values, *(percentile(window, n) for n in (50, 95, 99))), strict=True):
                self.courses[name].values.append(value)

    async def _connections(self) -> int:
        if self.database_url.startswith("sqlite"):
            return 0
        connection = await asyncpg.connect(self.database_url)
        try:
            counted = "SELECT count(*) - 1 FROM pg_stat_activity WHERE datname = current_database()"
            return int(await connection.fetchval(counted))
        finally:
            await connection.close()

    def figures(self) -> dict[str, Any]:
        shown = {
            f"{name}, early and late": f"{course.early:.1f}, {course.late:.1f}"
            for name, course in self.courses.items()
            if any(course.values)
        }
        return {"requests": self.statuses.total(), "answers of 500 and more": self.failures} | shown

    @property
    def failures(self) -> int:
        return sum(count for status, count in self.statuses.items() if status >= 500)


class Client:
    """Somebody who does a bit of everything, on a connection that is made anew now and then."""

    def __init__(self, soaked: Soaked, number: int) -> None:
        self._soaked = soaked
        self._dice = random.Random(number)
        self._email = f"client{number}@example.com"
        self._ids: list[str] = []
        self._http = self._connected()

    async def run(self, end: float) -> None:
        await self._enter("signup", name="Client")
        turns = 0
        try:
            while time.monotonic() < end:
                await self._dice.choice((self._read, self._read, self._write, self._write, self._tidy))()
                turns += 1
                if turns % 100 == 0:
                    await self._http.aclose()
                    self._http = self._connected(self._http.headers["Authorization"])
                if turns % 500 == 0:
                    await self._ask(self._http.post("/api/v1/auth/logout"))
                    await self._enter("login")
                await asyncio.sleep(PAUSE)
        finally:
            await self._http.aclose()

    def _connected(self, authorization: str = "") -> httpx2.AsyncClient:
        headers = {"Authorization": authorization} if authorization else {}
        return httpx2.AsyncClient(base_url=self._soaked.server.url, headers=headers, timeout=30, trust_env=False)

    async def _enter(self, way: str, **more: str) -> None:
        account = {"email": self._email, "password": PASSWORD} | more
        answer = await self._http.post(f"/api/v1/auth/{way}", json=account)
        self._http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    async def _ask(self, request: Awaitable[httpx2.Response]) -> httpx2.Response:
        started = time.monotonic()
        answer = await request
        self._soaked.window.append((time.monotonic() - started) * 1000)
        self._soaked.statuses[answer.status_code] += 1
        return answer

    async def _read(self) -> None:
        paths = [
            "tasks?limit=50",
            "tasks?q=task&sort=relevance",
            "tasks?tag=home&status=pending&sort=due",
            "tasks/stats",
            "tasks/export?format=csv",
            "tasks/trash",
            "tags",
            "lists",
            "auth/me",
            "users/me",
            *(f"tasks/{each}" for each in self._ids[:2]),
        ]
        await self._ask(self._http.get(f"/api/v1/{self._dice.choice(paths)}"))

    async def _write(self) -> None:
        draft = {"title": f"Task {uuid4()}", "tags": ["home"], "description": "x" * self._dice.randrange(500)}
        match self._dice.randrange(4):
            case 0:
                key = {"Idempotency-Key": str(uuid4())}
                for _ in range(2):
                    made = await self._ask(self._http.post("/api/v1/tasks", json=draft, headers=key))
                self._ids.append(made.json()["id"])
            case 1:
                body = {"operations": [{"op": "create", "data": draft}] * 3}
                made = await self._ask(self._http.post("/api/v1/tasks/bulk", json=body))
                self._ids += [each["task"]["id"] for each in made.json()["results"]]
            case 2 if self._ids:
                await self._ask(self._http.patch(f"/api/v1/tasks/{self._any()}", json={"title": f"Task {uuid4()}"}))
            case _ if self._ids:
                await self._ask(self._http.patch(f"/api/v1/tasks/{self._any()}/complete"))

    async def _tidy(self) -> None:
        """Keeps the number of tasks, so that the same request costs the same at the end."""
        while len(self._ids) > MOST_TASKS:
            task_id = self._ids.pop(self._dice.randrange(len(self._ids)))
            await self._ask(self._http.delete(f"/api/v1/tasks/{task_id}?permanent=true"))

    def _any(self) -> str:
        return self._dice.choice(self._ids)


async def test_nothing_grows_under_load(tmp_path: Path, tried):
    async with new_postgres_database("taskwell_soak") as url:
        sqlite_url = f"sqlite:///{tmp_path}/taskwell.db"
        both = {
            "SQLite": Soaked(Server(_folder(tmp_path, "sqlite"), sqlite_url), sqlite_url),
            "PostgreSQL, two processes": Soaked(Server(_folder(tmp_path, "postgresql"), url, workers=2), url),
        }
        await asyncio.gather(*(soaked.run() for soaked in both.values()))
    shown = {f"{name}: {what}": value for name, each in both.items() for what, value in each.figures().items()}
    tried(minutes=round(SECONDS / 60, 1), clients=2 * CLIENTS, **shown)
    for soaked in both.values():
        assert soaked.failures == 0
        assert "Traceback" not in soaked.server.log.read_text()
        assert not soaked.courses["megabytes"].grows(factor=1.05, allowance=10)
        assert not soaked.courses["open files"].grows(factor=1, allowance=6)
        assert not soaked.courses["connections"].grows(factor=1, allowance=3)
        assert not soaked.courses["p50"].grows(factor=2, allowance=5), "others may need the machine as well"


def _folder(parent: Path, name: str) -> Path:
    folder = parent / name
    folder.mkdir()
    return folder
