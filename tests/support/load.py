"""Clients that keep connections, or make new ones, and notice every request that gets no answer."""

import asyncio
import json
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float


@dataclass
class Connection:
    """One HTTP/1.1 connection, written by hand so that nothing is sent a second time behind our back."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def open(cls, port: int) -> "Connection":
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def ask(self, method: str, path: str, token: str = "", body: Any = None, *, keep: bool = True) -> Answer:
        """Raises:
        OSError: or ``IncompleteReadError``; the connection ended before the answer did.
        """
        content = b"" if body is None else json.dumps(body).encode()
        lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(content)}"]
        lines += ["Content-Type: application/json"] if content else []
        lines += [f"Authorization: Bearer {token}"] if token else []
        lines += [] if keep else ["Connection: close"]
        started = time.monotonic()
        self.writer.write("\r\n".join([*lines, "\r\n"]).encode() + content)
        first, *rest = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").strip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
        answer = await self.reader.readexactly(int(headers.get("content-length", "0")))
        return Answer(int(first.split()[1]), headers, answer, time.monotonic() - started)


@dataclass
class Load:
    """What many clients saw.

    Attributes:
        lost: Requests that were sent and not answered, by the kind of failure.
        refused: Attempts to connect that were turned away: nobody had accepted them.
        acknowledged: The ids of what was stored.
    """

    port: int
    token: str
    keeps: bool = True
    statuses: Counter[int] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    longest: float = 0.0
    acknowledged: set[str] = field(default_factory=set)
    unavailable: list[Answer] = field(default_factory=list)
    last_success: float = 0.0
    is_over: bool = False

    async def run(self, clients: int) -> None:
        """Sends without a pause until nobody takes the connections any more, or ``is_over`` is set."""
        async with asyncio.TaskGroup() as group:
            for number in range(clients):
                group.create_task(self._client(is_reader=number % 3 == 0))

    async def _client(self, *, is_reader: bool) -> None:
        while not self.is_over:
            try:
                connection = await Connection.open(self.port)
            except (ConnectionRefusedError, ConnectionResetError):  # reset while it waited to be accepted
                self.refused += 1
                return
            try:
                await self._talk(connection, is_reader=is_reader)
            except (OSError, asyncio.IncompleteReadError) as error:
                self.lost[type(error).__name__] += 1
            finally:
                connection.writer.close()

    async def _talk(self, connection: Connection, *, is_reader: bool) -> None:
        while not self.is_over:
            if is_reader:
                answer = await connection.ask("GET", "/api/v1/tasks?limit=5", self.token, keep=self.keeps)
            else:
                answer = await connection.ask("POST", "/api/v1/tasks", self.token, {"title": "Task"}, keep=self.keeps)
            self._saw(answer, is_reader=is_reader)
            if answer.headers.get("connection") == "close":
                return
            await asyncio.sleep(0.002 if answer.status < 500 else 0.05)

    def _saw(self, answer: Answer, *, is_reader: bool) -> None:
        self.statuses[answer.status] += 1
        self.longest = max(self.longest, answer.seconds)
        if answer.status == 503:
            self.unavailable.append(answer)
        if answer.status < 300:
            self.last_success = time.monotonic()
            if not is_reader:
                self.acknowledged.add(json.loads(answer.body)["id"])


async def signed_up(port: int, name: str) -> str:
    """A token of a new account."""
    connection = await Connection.open(port)
    account = {"email": f"{name}@example.com", "password": "engine 1843", "name": name}
    answer = await connection.ask("POST", "/api/v1/auth/signup", body=account, keep=False)
    connection.writer.close()
    assert answer.status == 201, answer
    return str(json.loads(answer.body)["access_token"])
