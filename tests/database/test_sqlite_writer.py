"""What only SQLite's one writing connection can get wrong: groups, another process, and the log."""

import asyncio
import sqlite3
import stat
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
import structlog
from sqlalchemy import bindparam, column, func, insert, select, table

from taskwell.database import Query, writer
from taskwell.database.sqlite import SqliteDatabase, connect
from taskwell.database.watch import StatementWatch
from taskwell.database.writer import MAX_GROUP_SIZE
from taskwell.errors import Unavailable

ADD: Query[None] = Query(insert(table("notes", column("text"))).values(text=bindparam("text")), lambda *_: None)
KEPT = ("replaced", "without its log")
COUNT: Query[int] = Query(select(func.count()).select_from(table("notes")), int)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with closing(connect(tmp_path / "notes.db")) as connection:
        connection.execute("CREATE TABLE notes (text TEXT NOT NULL)")
    return tmp_path / "notes.db"


@pytest.fixture
async def notes(path: Path) -> AsyncIterator[SqliteDatabase]:
    database = SqliteDatabase(path, StatementWatch("sqlite", 0))
    yield database
    await database.close()


def kept(path: Path) -> list[str]:
    with closing(connect(path)) as connection:
        return [text for (text,) in connection.execute("SELECT text FROM notes")]


async def test_whoever_is_answered_is_on_the_disk_in_however_many_groups(notes: SqliteDatabase, path: Path):
    async def write(text: str) -> None:
        await notes.rows(ADD, text=text)
        assert text in kept(path)

    await asyncio.gather(*(write(str(number)) for number in range(3 * MAX_GROUP_SIZE)))


async def test_a_crowd_of_which_some_give_up_leaves_nobody_waiting(notes: SqliteDatabase, path: Path):
    """Wherever they are: waiting for a turn, closing a full group, or while the disk has it."""
    for turns in range(10):
        crowd = [asyncio.create_task(notes.rows(ADD, text=f"{turns}.{n}")) for n in range(2 * MAX_GROUP_SIZE + 1)]
        for _ in range(turns):
            await asyncio.sleep(0)
        for given_up in crowd[::3]:
            given_up.cancel()
        async with asyncio.timeout(5):
            outcomes = await asyncio.gather(*crowd, return_exceptions=True)
        stayed = {f"{turns}.{n}" for n, outcome in enumerate(outcomes) if outcome == []}
        assert stayed <= set(kept(path))
        assert len(stayed) >= MAX_GROUP_SIZE


async def test_the_event_loop_goes_on_while_another_process_writes(notes: SqliteDatabase, path: Path):
    with closing(connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        writing = asyncio.create_task(notes.rows(ADD, text="after"))
        async with asyncio.timeout(1):
            for _ in range(5):
                await asyncio.sleep(0.01)
        assert not writing.done()
        other.execute("COMMIT")

    await writing
    assert kept(path) == ["after"]


async def test_the_log_starts_over_while_writers_go_on(
    notes: SqliteDatabase, path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(writer, "CHECKPOINT_ROWS", 20)

    for number in range(300):
        await notes.rows(ADD, text=str(number))

    assert frames_in_log(path) < 200
    assert len(kept(path)) == 300


async def test_a_checkpoint_that_fails_fails_no_writer_and_is_told_to_the_operator(
    notes: SqliteDatabase, path: Path, monkeypatch: pytest.MonkeyPatch
):
    def refuse(action: int, name: str | None, *_: object) -> int:
        is_checkpoint = action == sqlite3.SQLITE_PRAGMA and name == "wal_checkpoint"
        return sqlite3.SQLITE_DENY if is_checkpoint else sqlite3.SQLITE_OK

    monkeypatch.setattr(writer, "CHECKPOINT_ROWS", 1)
    notes._writer._connection.set_authorizer(refuse)
    with structlog.testing.capture_logs() as lines:
        for number in range(2 * MAX_GROUP_SIZE):
            await notes.rows(ADD, text=str(number))
            await asyncio.sleep(0.005)

    assert len(kept(path)) == 2 * MAX_GROUP_SIZE
    assert {line["event"] for line in lines} == {"checkpoint failed"}


def frames_in_log(path: Path) -> int:
    """How many pages the log has ever held at once."""
    with closing(sqlite3.connect(path)) as connection:
        (page,) = connection.execute("PRAGMA page_size").fetchone()
    return Path(f"{path}-wal").stat().st_size // (page + 24)


async def test_a_reader_that_stays_keeps_nobody_from_writing(
    notes: SqliteDatabase, path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(writer, "CHECKPOINT_ROWS", 5)
    with closing(connect(path)) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM notes").fetchone() == (0,)
        for number in range(50):
            await notes.rows(ADD, text=str(number))
        assert reader.execute("SELECT count(*) FROM notes").fetchone() == (0,)

    assert len(kept(path)) == 50


@pytest.mark.parametrize("connection", ["_writer", "_reader"])
async def test_no_connection_moves_the_log_by_itself(notes: SqliteDatabase, connection: str):
    used = notes._writer._connection if connection == "_writer" else notes._reader

    assert used.execute("PRAGMA wal_autocheckpoint").fetchone() == (0,)


def lose(path: Path, way: str) -> None:
    if way == "replaced":
        path.with_suffix(".new").write_bytes(path.read_bytes())
        path.with_suffix(".new").rename(path)
    elif way.startswith("moved"):
        path.rename(path.with_suffix(".old" if way == "moved away" else ".db"))
    else:
        (path if way == "deleted" else Path(f"{path}-wal")).unlink()


@pytest.mark.parametrize("way", ["deleted", "replaced", "moved away", "without its log"])
async def test_no_write_is_acknowledged_once_the_file_is_gone(notes: SqliteDatabase, path: Path, way: str):
    await notes.rows(ADD, text="before")
    lose(path, way)

    works = [notes.rows(ADD, text="lost"), notes.check(), notes.rows(COUNT), in_a_transaction(notes), read(notes)]
    for work in works:
        with pytest.raises(Unavailable) as raised:
            await work
        assert str(path) not in raised.value.detail
    assert {each.name for each in path.parent.glob("*.db")} == ({"notes.db"} if way in KEPT else set())


async def test_a_file_that_comes_back_is_used_again(notes: SqliteDatabase, path: Path):
    lose(path, "moved away")
    with pytest.raises(Unavailable):
        await notes.check()
    lose(path.with_suffix(".old"), "moved back")

    await notes.rows(ADD, text="after")

    assert kept(path) == ["after"]


async def in_a_transaction(notes: SqliteDatabase) -> None:
    async with notes.transaction() as transaction:
        await transaction.rows(ADD, text="lost")


async def read(notes: SqliteDatabase) -> None:
    async with notes.snapshot() as snapshot:
        async for _ in snapshot.stream(COUNT):
            pass


def test_only_its_owner_may_read_a_new_file_its_log_and_its_index(path: Path):
    with closing(connect(path)) as connection:
        connection.execute("INSERT INTO notes VALUES ('a password hash')")
        modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}

    assert modes == {"notes.db": 0o600, "notes.db-wal": 0o600, "notes.db-shm": 0o600}


def test_a_file_that_is_there_keeps_the_rights_that_it_was_given(path: Path):
    path.chmod(0o640)

    connect(path).close()

    assert stat.S_IMODE(path.stat().st_mode) == 0o640
