"""Exports on their way to readers of every pace: none of them costs another, or the database, anything."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from taskwell.api import streaming
from taskwell.api.call import STREAMS
from taskwell.api.gateway import Gateway
from taskwell.app import create_app
from taskwell.database import Database
from taskwell.tasks.exchange import EXPORTERS
from tests.conftest import running, settings_of
from tests.support.people import Person, arrive

EXPORTS = ("/api/v1/users/me/export", "/api/v1/tasks/export", "/api/v1/tasks/export?format=ics")
Pause = Callable[[], Awaitable[object]]


async def fill(person: Person, number: int = 500) -> None:
    operations = [{"op": "create", "data": {"title": f"Task {n}", "description": "x" * 1000}} for n in range(number)]
    assert (await person.http.post("/api/v1/tasks/bulk", json={"operations": operations})).status_code == 200


async def read(app: Gateway, person: Person, path: str, pause: Pause | None = None) -> tuple[int, bytes]:
    """The answer to a reader who takes a pause before each piece."""
    status, body = 0, b""

    async def send(message: Any) -> None:
        nonlocal status, body
        if message["type"] == "http.response.start":
            status = message["status"]
            return
        if pause is not None:
            await pause()
        body += message.get("body", b"")

    async def receive() -> Any:
        return await asyncio.Event().wait()

    path, _, query = path.partition("?")
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(b"host", b"test"), (b"authorization", f"Bearer {person.token}".encode())],
        "client": ("127.0.0.1", 1),
    }
    await app(scope, receive, send)
    return status, body


class Stopped:
    """A pause that begins at the first piece and ends when the test says so."""

    def __init__(self) -> None:
        self.has_begun, self._may_end = asyncio.Event(), asyncio.Event()

    async def __call__(self) -> None:
        self.has_begun.set()
        await self._may_end.wait()

    def end(self) -> None:
        self._may_end.set()


@pytest.mark.parametrize("path", EXPORTS)
async def test_readers_who_stop_hold_up_nobody_elses_export(app: Gateway, ada: Person, path: str):
    readers = [await arrive(app, f"reader{number}") for number in range(STREAMS + 2)]
    stopped = [Stopped() for _ in readers]
    reading = []
    for reader, pause in zip(readers, stopped, strict=True):
        await fill(reader)
        reading.append(asyncio.create_task(read(app, reader, path, pause)))
        await pause.has_begun.wait()

    assert (await ada.http.get(path)).status_code == 200
    for pause in stopped:
        pause.end()
    assert [status for status, _ in await asyncio.gather(*reading)] == [200] * len(readers)


@pytest.mark.parametrize("path", EXPORTS)
async def test_a_user_reads_one_export_at_a_time(app: Gateway, ada: Person, eve: Person, path: str):
    await fill(ada)
    pause = Stopped()
    reading = asyncio.create_task(read(app, ada, path, pause))
    await pause.has_begun.wait()

    for other in EXPORTS:
        refused = await ada.http.get(other)
        assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
        assert int(refused.headers["Retry-After"]) > 0
        assert (await ada.http.head(other)).status_code == 200
        assert (await eve.http.get(other)).status_code == 200
    pause.end()
    assert (await reading)[0] == 200
    assert (await ada.http.get(path)).status_code == 200


@pytest.mark.parametrize("path", EXPORTS)
async def test_a_slow_reader_gets_what_was_there_when_it_began(
    app: Gateway, ada: Person, database: Database, path: str
):
    await fill(ada)
    quick = (await ada.http.get(path)).content
    pause = Stopped()
    reading = asyncio.create_task(read(app, ada, path, pause))
    await pause.has_begun.wait()
    await ada.http.post("/api/v1/tasks", json={"title": "Too late"})
    pause.end()

    status, body = await reading

    assert status == 200
    assert b"Too late" not in body
    assert body.count(b"Task ") == quick.count(b"Task ") == 500
    if "ics" not in path:
        assert len(json.loads(body)["tasks"]) == 500


async def test_an_export_ends_after_ten_minutes_however_regularly_it_is_read(
    app: Gateway, ada: Person, monkeypatch: pytest.MonkeyPatch
):
    assert streaming.LONGEST_SECONDS == 600
    monkeypatch.setattr(streaming, "LONGEST_SECONDS", 0.3)
    await fill(ada)

    status, body = await asyncio.wait_for(read(app, ada, EXPORTS[1], lambda: asyncio.sleep(0.2)), 5)

    assert status == 200
    with pytest.raises(json.JSONDecodeError):
        json.loads(body)
    assert (await ada.http.get(EXPORTS[1])).status_code == 200


@pytest.mark.parametrize("path", EXPORTS)
async def test_the_head_of_an_export_makes_nothing_of_it(
    app: Gateway, ada: Person, path: str, monkeypatch: pytest.MonkeyPatch
):
    whole = await ada.http.get(path)

    def never(*_: object) -> Any:
        pytest.fail("the export was made")

    assert app.services is not None
    monkeypatch.setattr(type(app.services.database), "snapshot", never)
    for exporter in EXPORTERS.values():
        monkeypatch.setattr(type(exporter), "write", never, raising=False)
    head = await ada.http.head(path)

    assert (head.status_code, head.content) == (200, b"")
    changing = ("x-request-id", "content-length")
    assert {name: value for name, value in head.headers.items() if name not in changing} == {
        name: value for name, value in whole.headers.items() if name not in changing
    }
    assert "content-length" not in head.headers


@pytest.mark.parametrize("path", EXPORTS)
async def test_without_room_for_the_file_an_export_is_a_503_and_the_next_one_goes_well(
    app: Gateway, ada: Person, path: str, monkeypatch: pytest.MonkeyPatch
):
    def full(**_: object) -> Any:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(streaming, "TemporaryFile", full)
        refused = await ada.http.get(path)
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "60")

    monkeypatch.setattr(streaming, "TemporaryFile", lambda **_: open("/dev/full", "r+b", buffering=0))  # noqa: PTH123, SIM115
    assert (await ada.http.get(path)).status_code == 503
    monkeypatch.undo()
    assert (await ada.http.get(path)).status_code == 200


async def test_the_log_of_sqlite_beside_a_slow_reader_stays_within_twice_what_it_is_without(tmp_path: Path):
    async def log_after_writes(name: str, *, is_read: bool) -> int:
        path = tmp_path / name
        async with running(create_app(settings_of(f"sqlite:///{path}"))) as app:
            ada = await arrive(app, "ada")
            for _ in range(6):
                await fill(ada)
            writing = asyncio.Event()
            reading = asyncio.create_task(read(app, ada, EXPORTS[0], writing.wait)) if is_read else None
            await asyncio.sleep(0.3)
            tags = [f"tag {number}" for number in range(20)]
            for number in range(1_000):
                await ada.http.post("/api/v1/tasks", json={"title": f"{number}", "tags": tags})
            size = path.with_name(f"{name}-wal").stat().st_size
            writing.set()
            if reading is not None:
                status, body = await reading
                assert (status, len(json.loads(body)["tasks"])) == (200, 3_000)
        return size

    without = await log_after_writes("without.db", is_read=False)

    assert await log_after_writes("beside.db", is_read=True) <= 2 * without
