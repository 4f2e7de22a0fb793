"""A client that remembers what it was promised, and can check it."""

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx2

JSON = dict[str, Any]
BULK_SIZE = 5


class Unanswered(Exception):
    """The connection ended before the answer: whether the write took place is not known."""


@dataclass
class Doubt:
    """A write whose answer never came.

    Attributes:
        task_id: The task that it was about; None for new tasks.
        after: What that task has become if it did take place; None if it is gone.
        again: Sends it once more with the same idempotency key, for new tasks.
    """

    task_id: str | None = None
    after: JSON | None = None
    again: Callable[[], Awaitable[None]] | None = None


@dataclass
class Writer:
    """One user who writes without a pause, one request after the other."""

    http: httpx2.AsyncClient
    dice: random.Random
    promised: dict[str, JSON] = field(default_factory=dict)
    newest: int = 0
    doubts: list[Doubt] = field(default_factory=list)
    acknowledged: int = 0

    @classmethod
    async def arrive(cls, url: str, name: str) -> "Writer":
        http = httpx2.AsyncClient(base_url=url, timeout=20)
        account = {"email": f"{name}@example.com", "password": "engine 1843", "name": name}
        token = (await http.post("/api/v1/auth/signup", json=account)).json()["access_token"]
        http.headers["Authorization"] = f"Bearer {token}"
        return cls(http, random.Random(name))

    async def write_until_it_breaks(self) -> None:
        try:
            while True:
                await self.dice.choice((self._create, self._bulk, self._change, self._complete, self._delete))()
        except Unanswered:
            return

    async def check(self) -> None:
        """Everything that was acknowledged is there, and each doubt was all or nothing."""
        for doubt in self.doubts:
            if doubt.again is not None:
                await doubt.again()
        found = await self._all()
        for doubt in self.doubts:
            if doubt.task_id is not None:
                self._settle(doubt, found)
        self.doubts.clear()
        assert {each: self.promised[each] for each in sorted(self.promised)} == {
            each: _seen(found[each]) for each in sorted(found)
        }

    def _settle(self, doubt: Doubt, found: dict[str, JSON]) -> None:
        assert doubt.task_id is not None
        now = found.get(doubt.task_id)
        if doubt.after is None and now is None:
            del self.promised[doubt.task_id]
        elif (
            now is not None
            and doubt.after is not None
            and now["revision"] != self.promised[doubt.task_id]["revision"]
        ):
            assert _without_revision(_seen(now)) == doubt.after
            self._remember(now)

    async def _create(self) -> None:
        body = {"title": f"One {uuid4()}"}
        await self._post("/api/v1/tasks", body, str(uuid4()), lambda answer: [answer])

    async def _bulk(self) -> None:
        operations = [{"op": "create", "data": {"title": f"Bulk {uuid4()}"}} for _ in range(BULK_SIZE)]

        def tasks(answer: JSON) -> list[JSON]:
            return [result["task"] for result in answer["results"]]

        await self._post("/api/v1/tasks/bulk", {"operations": operations}, str(uuid4()), tasks)

    async def _post(self, path: str, body: JSON, key: str, tasks: Callable[[JSON], list[JSON]]) -> None:
        async def send() -> None:
            answer = await self._send("POST", path, json=body, headers={"Idempotency-Key": key})
            made = tasks(answer)
            assert len({task["revision"] for task in made}) == 1
            for task in made:
                self._remember(task)

        await self._certain(send, Doubt(again=send))

    async def _change(self) -> None:
        task = self._any()
        if task is not None:
            await self._patch(task, f"/api/v1/tasks/{task['id']}", {"title": f"Changed {uuid4()}"})

    async def _complete(self) -> None:
        task = self._any()
        if task is not None:
            await self._patch(task, f"/api/v1/tasks/{task['id']}/complete", {"completed": not task["completed"]})

    async def _patch(self, task: JSON, path: str, body: JSON) -> None:
        async def send() -> None:
            self._remember(await self._send("PATCH", path, json=body))

        await self._certain(send, Doubt(task["id"], _without_revision(task) | body))

    async def _delete(self) -> None:
        task = self._any()
        if task is None or len(self.promised) < 5:
            return

        async def send() -> None:
            await self._send("DELETE", f"/api/v1/tasks/{task['id']}")
            del self.promised[task["id"]]

        await self._certain(send, Doubt(task["id"], None))

    async def _certain(self, send: Callable[[], Awaitable[None]], doubt: Doubt) -> None:
        try:
            await send()
        except httpx2.TransportError:
            self.doubts.append(doubt)
            raise Unanswered from None
        self.acknowledged += 1

    async def _send(self, method: str, path: str, **options: Any) -> JSON:
        answer = await self.http.request(method, path, **options)
        assert answer.status_code < 300, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else {}

    def _any(self) -> JSON | None:
        return self.promised[self.dice.choice(sorted(self.promised))] if self.promised else None

    def _remember(self, task: JSON) -> None:
        """A revision comes only once and never goes back; the rows of one bulk share theirs."""
        is_replay = task["id"] in self.promised and self.promised[task["id"]]["revision"] == task["revision"]
        assert is_replay or task["revision"] >= self.newest, "a revision went back"
        self.newest = max(self.newest, task["revision"])
        self.promised[task["id"]] = _seen(task)

    async def _all(self) -> dict[str, JSON]:
        found: dict[str, JSON] = {}
        cursor: str | None = ""
        while cursor is not None:
            page = await self._send("GET", f"/api/v1/tasks?limit=200&cursor={cursor}")
            found |= {task["id"]: task for task in page["items"]}
            cursor = page["next_cursor"]
        return found


def _seen(task: JSON) -> JSON:
    return {name: task[name] for name in ("id", "title", "completed", "revision")}


def _without_revision(task: JSON) -> JSON:
    return {name: value for name, value in task.items() if name != "revision"}
