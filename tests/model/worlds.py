"""One product on two databases: everything is asked of both, and both must give the same answer."""

import asyncio
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx2

from taskwell import migrations
from taskwell.app import create_app
from taskwell.backup import backup, restore
from taskwell.settings import Settings
from tests.conftest import new_postgres_database, running, settings_of
from tests.support.people import Person, arrive, client

INSTANT = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")
NOTHING = {"t0": "00000000-0000-7000-8000-00000000000a", "l0": "00000000-0000-7000-8000-00000000000b"}
"""The ids of a task and a list that never were."""
OWN_INSTANTS = {"created_at", "updated_at", "completed_at", "deleted_at"}


@dataclass
class World:
    """The product on one database, which may be given up for another one.

    Attributes:
        names: The database's ids of users, tasks and lists, by what both worlds call them.
    """

    kind: str
    folder: Path
    databases: AsyncExitStack
    settings: Settings
    http: httpx2.AsyncClient
    process: AsyncExitStack
    tokens: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=lambda: dict(NOTHING))
    moves: int = 0

    @classmethod
    async def begin(cls, kind: str, folder: Path) -> "World":
        databases = AsyncExitStack()
        settings = await cls._empty(kind, folder, databases, 0)
        await migrations.upgrade(settings)
        world = cls(kind, folder, databases, settings, httpx2.AsyncClient(), AsyncExitStack())
        await world.start()
        return world

    @staticmethod
    async def _empty(kind: str, folder: Path, databases: AsyncExitStack, number: int) -> Settings:
        url = f"sqlite:///{folder}/model{number}.db"
        if kind == "postgresql":
            url = await databases.enter_async_context(new_postgres_database(f"taskwell_{folder.name}_{number}"))
        return settings_of(url, log_level="WARNING")

    async def start(self) -> None:
        self.app = await self.process.enter_async_context(running(create_app(self.settings)))
        self.http = client(self.app)

    async def restart(self) -> None:
        await self.process.aclose()
        await self.start()

    async def move(self) -> None:
        """By a backup into an empty database of the other kind."""
        file = self.folder / "backup"
        await backup(self.settings, file, lambda *_: None)
        await self.process.aclose()
        self.moves += 1
        self.kind = "sqlite" if self.kind == "postgresql" else "postgresql"
        self.settings = await self._empty(self.kind, self.folder, self.databases, self.moves)
        await restore(self.settings, file, lambda *_: None)
        await self.start()

    async def end(self) -> None:
        await self.process.aclose()
        await self.databases.aclose()

    async def arrive(self, name: str) -> None:
        person: Person = await arrive(self.app, name)
        self.tokens[name] = person.token
        self.names[name] = person.id

    async def ask(self, person: str, method: str, path: str, options: dict[str, Any]) -> "Answer":
        named = {key: self._here(value) for key, value in options.items()}
        headers = {"Authorization": f"Bearer {self.tokens[person]}"} | named.pop("headers", {})
        response = await self.http.request(method, self._here(path), headers=headers, **named)
        body = response.json() if response.content else None
        return Answer(response.status_code, dict(response.headers), None, body)

    def _here(self, value: Any) -> Any:
        """With this world's ids in the place of names."""
        if isinstance(value, str):
            return re.sub(r"<(\w+)>", lambda match: self.names.get(match[1], match[0]), value)
        if isinstance(value, dict):
            return {key: self._here(each) for key, each in value.items()}
        return [self._here(each) for each in value] if isinstance(value, list) else value

    def everywhere(self, value: Any) -> Any:
        """With names in the place of this world's ids, and without its instants."""
        called = {each: name for name, each in self.names.items()}

        def shown(key: str, each: Any) -> Any:
            if isinstance(each, dict):
                return {name: shown(name, inner) for name, inner in each.items()}
            if isinstance(each, list):
                return [shown(key, inner) for inner in each]
            if key in OWN_INSTANTS and each is not None:
                assert INSTANT.match(each), each
                return "then"
            if key in ("next_cursor", "request_id", "exported_at", "email") and each is not None:
                return "something"
            if key in ("due_at", "due_date") and isinstance(each, str) and "T" in each:
                return datetime.fromisoformat(each).isoformat()
            return f"<{called[each]}>" if isinstance(each, str) and each in called else each

        return shown("", value)


@dataclass(frozen=True)
class Answer:
    """Attributes:
    body: As it is in both worlds.
    raw: As it is in its own, or in each.
    """

    status: int
    headers: dict[str, str]
    body: Any
    raw: Any


@dataclass
class Worlds:
    """Both worlds at once."""

    each: tuple[World, World]

    @classmethod
    async def begin(cls, folder: Path) -> "Worlds":
        (folder / "here").mkdir()
        (folder / "there").mkdir()
        return cls((await World.begin("sqlite", folder / "here"), await World.begin("postgresql", folder / "there")))

    async def all(self, verb: str, *arguments: Any) -> list[Any]:
        return list(await asyncio.gather(*(getattr(world, verb)(*arguments) for world in self.each)))

    async def upheave(self, kind: str) -> None:
        """One world after the other: Alembic knows one database at a time."""
        for world in self.each:
            await getattr(world, kind)()

    async def ask(
        self,
        person: str,
        method: str,
        path: str,
        *,
        new: Callable[[Any], dict[str, str]] | None = None,
        **options: Any,
    ) -> Answer:
        """The one answer of both.

        Args:
            person: Who asks.
            method: Of HTTP.
            path: Where, with names for ids.
            new: Finds the ids that are new in a good answer, by the names that they get.
            options: The client's.
        """
        here, there = await self.all("ask", person, method, path, options)
        assert here.status < 500, here.raw
        assert here.status == there.status, (here.raw, there.raw)
        if new and here.status < 300:
            for world, answer in zip(self.each, (here, there), strict=True):
                world.names |= new(answer.raw)
        return self._both(here, there)

    def call(self, name: str, ids: Sequence[str]) -> None:
        for world, each in zip(self.each, ids, strict=True):
            world.names[name] = each

    def _both(self, here: "Answer", there: "Answer") -> "Answer":
        bodies = [world.everywhere(each.raw) for world, each in zip(self.each, (here, there), strict=True)]
        assert not list(_differences("", *bodies))
        for header in ("content-type", "etag", "idempotency-replayed", "cache-control"):
            assert _part(here, header) == _part(there, header), header
        return Answer(here.status, here.headers, bodies[0], (here.raw, there.raw))


def _differences(where: str, here: Any, there: Any) -> Iterator[str]:
    """Where two bodies differ, and in what."""
    if isinstance(here, dict) and isinstance(there, dict) and here.keys() == there.keys():
        for name in here:
            yield from _differences(f"{where}.{name}", here[name], there[name])
    elif isinstance(here, list) and isinstance(there, list) and len(here) == len(there):
        for place, (one, other) in enumerate(zip(here, there, strict=True)):
            yield from _differences(f"{where}[{place}]", one, other)
    elif here != there:
        yield f"{where}: {here!r} here, {there!r} there"


def _part(answer: Answer, header: str) -> str | None:
    """The header, without what an ETag says of ids and instants."""
    value = answer.headers.get(header)
    return re.split(r"[-.]", value)[0] if value and header == "etag" else value
