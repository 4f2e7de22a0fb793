"""A client that remembers what it was promised, and can check it."""

import asyncio
import random
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx2

JSON = dict[str, Any]
BULK_SIZE = 5
TROUBLE = {503: "unavailable", 504: "timed_out", 507: "storage_full"}


class Unanswered(Exception):
    """The connection ended before the answer, or it was one of ``TROUBLE``: nobody has said that it took place."""


@dataclass
class Doubt:
    """A write whose outcome is not known; it took place wholly or not at all.

    Attributes:
        after: What the tasks that it was about have become if it took place; None for one that is gone.
        titles: Those of the tasks that it made.
        again: Sends it once more with the same idempotency key; None where it had none.
    """

    after: dict[str, JSON | None] = field(default_factory=dict)
    titles: frozenset[str] = frozenset()
    again: Callable[[], Awaitable[None]] | None = None


@dataclass
class Writer:
    """One user who writes without a pause, one request after the other.

    Attributes:
        kept: The last requests with an idempotency key, and their answers.
        seen: How many writes were acknowledged, left in doubt, and sent again.
        longest: How many seconds the slowest answer took.
    """

    http: httpx2.AsyncClient
    dice: random.Random
    promised: dict[str, JSON] = field(default_factory=dict)
    newest: int = 0
    doubts: list[Doubt] = field(default_factory=list)
    kept: deque[tuple[str, JSON, str, bytes]] = field(default_factory=lambda: deque(maxlen=3))
    seen: Counter[str] = field(default_factory=Counter)
    longest: float = 0.0

    @classmethod
    async def arrive(cls, url: str, name: str) -> "Writer":
        http = httpx2.AsyncClient(base_url=url, timeout=20, trust_env=False, verify=False)
        account = {"email": f"{name}@example.com", "password": "engine 1843", "name": name}
        token = (await http.post("/api/v1/auth/signup", json=account)).json()["access_token"]
        http.headers["Authorization"] = f"Bearer {token}"
        return cls(http, random.Random(name))

    async def write_until_it_breaks(self, is_over: asyncio.Event | None = None) -> None:
        """Ends with the first write whose outcome is not known, or when it is told to."""
        verbs = (self._create, self._bulk, self._change, self._complete, self._delete, self._rework)
        try:
            while is_over is None or not is_over.is_set():
                await self.dice.choice(verbs)()
        except Unanswered:
            return

    async def check(self) -> None:
        """Everything acknowledged is there; each doubt took place wholly or not; what is sent again is done once."""
        found = await self._all()
        doubts, self.doubts = self.doubts, []
        for doubt in doubts:
            self._settle(doubt, found)
        self._compare(found)
        for doubt in doubts:
            if doubt.again is not None:
                self.doubts = [doubt]
                await doubt.again()
        self.doubts = []
        for path, body, key, content in self.kept:
            answer = await self._answer("POST", path, json=body, headers={"Idempotency-Key": key})
            assert answer.headers.get("idempotency-replayed") == "true"
            assert answer.content == content
            self.seen["sent again"] += 1
        self._compare(await self._all())

    def _compare(self, found: dict[str, JSON]) -> None:
        assert {each: self.promised[each] for each in sorted(self.promised)} == {
            each: _seen(found[each]) for each in sorted(found)
        }

    def _settle(self, doubt: Doubt, found: dict[str, JSON]) -> None:
        """Finds out whether the write took place, and that nothing of it is missing if it did."""
        new = [task for task in found.values() if task["title"] in doubt.titles]
        changed = [found.get(each) for each in doubt.after]
        took_place = bool(new) or any(
            now is None or now["revision"] != self.promised[each]["revision"]
            for each, now in zip(doubt.after, changed, strict=True)
        )
        self.seen["in doubt, took place" if took_place else "in doubt, did not"] += 1
        if not took_place:
            return
        assert {task["title"] for task in new} == doubt.titles, "half of it is there"
        assert len(new) == len(doubt.titles), "it was done twice"
        assert [now and _state(now) for now in changed] == list(doubt.after.values()), "half of it is there"
        self._store([*new, *(now for now in changed if now is not None)])
        for each, after in doubt.after.items():
            if after is None:
                del self.promised[each]

    async def _create(self) -> None:
        title = f"One {uuid4()}"
        await self._keyed("/api/v1/tasks", {"title": title}, {title}, lambda answer: [answer])

    async def _bulk(self) -> None:
        titles = [f"Bulk {uuid4()}" for _ in range(BULK_SIZE)]
        operations = [{"op": "create", "data": {"title": title}} for title in titles]
        body = {"operations": operations}
        await self._keyed(
            "/api/v1/tasks/bulk", body, titles, lambda answer: [each["task"] for each in answer["results"]]
        )

    async def _keyed(self, path: str, body: JSON, titles: Any, tasks: Callable[[JSON], list[JSON]]) -> None:
        key = str(uuid4())

        async def send() -> None:
            answer = await self._answer("POST", path, json=body, headers={"Idempotency-Key": key})
            self._store(tasks(answer.json()))
            self.kept.append((path, body, key, answer.content))

        await self._certain(send, Doubt(titles=frozenset(titles), again=send))

    async def _change(self) -> None:
        for task in self._some(1):
            await self._patch(task, f"/api/v1/tasks/{task['id']}", {"title": f"Changed {uuid4()}"})

    async def _complete(self) -> None:
        for task in self._some(1):
            await self._patch(task, f"/api/v1/tasks/{task['id']}/complete", {"completed": not task["completed"]})

    async def _patch(self, task: JSON, path: str, body: JSON) -> None:
        async def send() -> None:
            self._store([(await self._answer("PATCH", path, json=body)).json()])

        await self._certain(send, Doubt({task["id"]: _state(task) | body}))

    async def _delete(self) -> None:
        for task in self._some(1, but=5):

            async def send(task: JSON = task) -> None:
                await self._answer("DELETE", f"/api/v1/tasks/{task['id']}")
                del self.promised[task["id"]]

            await self._certain(send, Doubt({task["id"]: None}))

    async def _rework(self) -> None:
        """A bulk that renames, completes and deletes, without a key."""
        if not (chosen := self._some(3, but=5)):
            return
        renamed, completed, deleted = chosen
        title = f"Reworked {uuid4()}"
        verb = "reopen" if completed["completed"] else "complete"
        operations = [
            {"op": "update", "id": renamed["id"], "data": {"title": title}},
            {"op": verb, "id": completed["id"]},
            {"op": "delete", "id": deleted["id"]},
        ]

        async def send() -> None:
            results = (await self._answer("POST", "/api/v1/tasks/bulk", json={"operations": operations})).json()
            self._store([each["task"] for each in results["results"][:2]])
            del self.promised[deleted["id"]]

        after = {
            renamed["id"]: _state(renamed) | {"title": title},
            completed["id"]: _state(completed) | {"completed": not completed["completed"]},
            deleted["id"]: None,
        }
        await self._certain(send, Doubt(after))

    async def _certain(self, send: Callable[[], Awaitable[None]], doubt: Doubt) -> None:
        try:
            await send()
        except (httpx2.TransportError, Unanswered):
            self.doubts.append(doubt)
            raise Unanswered from None
        self.seen["acknowledged"] += 1

    async def _answer(self, method: str, path: str, **options: Any) -> httpx2.Response:
        started = time.monotonic()
        answer = await self.http.request(method, path, **options)
        self.longest = max(self.longest, time.monotonic() - started)
        if answer.status_code in TROUBLE:
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["code"] == TROUBLE[answer.status_code]
            assert answer.status_code == 504 or int(answer.headers["retry-after"]) >= 1
            self.seen[str(answer.status_code)] += 1
            raise Unanswered
        assert answer.status_code < 300, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer

    def _some(self, count: int, *, but: int = 0) -> list[JSON]:
        """Tasks by chance; none where so many would not be left."""
        enough = len(self.promised) >= count + but
        return [self.promised[each] for each in self.dice.sample(sorted(self.promised), count)] if enough else []

    def _store(self, tasks: list[JSON]) -> None:
        """One write has one revision, later than every revision before it, unless its answer has come before."""
        for task in tasks:
            known = self.promised.get(task["id"])
            is_replay = known is not None and known["revision"] == task["revision"]
            assert is_replay or task["revision"] > self.newest, "a revision came twice or went back"
        revisions = {task["revision"] for task in tasks}
        assert len(revisions) <= 1, "a bulk is one write"
        self.newest = max({self.newest, *revisions})
        self.promised |= {task["id"]: _seen(task) for task in tasks}

    async def _all(self) -> dict[str, JSON]:
        found: dict[str, JSON] = {}
        cursor: str | None = ""
        while cursor is not None:
            page = (await self._answer("GET", f"/api/v1/tasks?limit=200&cursor={cursor}")).json()
            found |= {task["id"]: task for task in page["items"]}
            cursor = page["next_cursor"]
        return found


@asynccontextmanager
async def writers(url: str, count: int = 4, *, prefix: str = "writer") -> AsyncIterator[list[Writer]]:
    arrived = await asyncio.gather(*(Writer.arrive(url, f"{prefix}{number}") for number in range(count)))
    try:
        yield arrived
    finally:
        for writer in arrived:
            await writer.http.aclose()


def total(writers: list[Writer]) -> dict[str, Any]:
    """What all of them saw."""
    seen = sum((writer.seen for writer in writers), Counter())
    longest = round(max(writer.longest for writer in writers), 2)
    return {name: seen[name] for name in sorted(seen)} | {"slowest answer, seconds": longest}


def _seen(task: JSON) -> JSON:
    return {name: task[name] for name in ("id", "title", "completed", "revision")}


def _state(task: JSON) -> JSON:
    return {name: task[name] for name in ("id", "title", "completed")}
