"""Backup and restore, between and within the two databases."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import func, select, text

from taskwell import migrations, tasks
from taskwell.app import create_app
from taskwell.backup import BackupRefused, backup, restore
from taskwell.backup.file import Header, Reader, Writer
from taskwell.database import Query, now, open_database
from taskwell.seed import seed
from taskwell.settings import Settings
from taskwell.spaces import SpaceAccess, invitations, queries, verbs
from taskwell.spaces.tables import SpaceRow
from taskwell.tasks import AS_TASK, PageRequest, TaskSort
from taskwell.tasks.tables import TaskRow, TaskTagRow
from taskwell.users.principal import Principal
from taskwell.users.tables import UserRow
from tests.conftest import SECRET, new_postgres_database, running
from tests.support.people import arrive


def settings_for(url: str) -> Settings:
    return Settings(_env_file=None, environment="test", database_url=url, secret_key=SECRET)


def nothing(*_: object) -> None:
    pass


@asynccontextmanager
async def empty(kind: str, name: str, folder: Path) -> AsyncIterator[Settings]:
    """Settings of an empty database."""
    if kind == "sqlite":
        yield settings_for(f"sqlite:///{folder}/{name}.db")
        return
    async with new_postgres_database(f"taskwell_{name}_{folder.name}") as url:
        yield settings_for(url)


@pytest.fixture
async def source(database_url: str, tmp_path: Path) -> AsyncIterator[Settings]:
    """A database of either kind with two sample users."""
    async with empty(database_url.partition(":")[0], "source", tmp_path) as settings:
        await migrations.upgrade(settings)
        database = await open_database(settings)
        await seed(database, users=2, tasks_per_user=30, on_progress=nothing)
        await database.close()
        yield settings


async def share(settings: Settings) -> None:
    """Has the two users share a space with a task in it, and another invitation open."""
    database = await open_database(settings)
    ada, ben = await database.rows(Query(select(UserRow.id), str))
    space = await verbs.create(database, ada, name="Family", time_zone="Europe/Berlin")
    for _ in range(2):
        _, token = await invitations.create(
            database, ada, space.id, role="editor", uses=1, lifetime=timedelta(days=7)
        )
    await invitations.accept(database, ben, token, email_key=None)
    access = await queries.access_of(database, ben, space.id)
    assert access is not None
    await tasks.create(database, Principal(ben, ben, "", now()), access, tasks.TaskDraft("Buy milk"))
    await database.close()


@pytest.mark.parametrize("target", ["sqlite", "postgresql"])
async def test_a_restored_database_gives_the_same_backup(source: Settings, target: str, tmp_path: Path):
    await share(source)
    first, second = tmp_path / "first", tmp_path / "second"
    rows = await backup(source, first, nothing)
    tables = Reader.open(first).header.tables
    assert (tables["memberships"], tables["invitations"], tables["invitation_tokens"]) == (4, 2, 2)

    async with empty(target, "target", tmp_path) as settings:
        assert await restore(settings, first, nothing) == rows
        assert await backup(settings, second, nothing) == rows

    assert contents(first) == contents(second)


async def test_a_backup_while_others_write_is_of_one_instant_there_and_back(source: Settings, tmp_path: Path):
    files = [tmp_path / name for name in ("under load", "from the other kind", "and back")]
    async with running(create_app(source)) as app:
        ada, is_over = await arrive(app, "ada"), asyncio.Event()

        async def write() -> None:
            while not is_over.is_set():
                assert (await ada.http.post("/api/v1/tasks", json={"title": "Buy milk"})).status_code == 201

        writers = [asyncio.create_task(write()) for _ in range(3)]
        await asyncio.sleep(0.1)
        await backup(source, files[0], nothing)
        is_over.set()
        await asyncio.gather(*writers)

    here, there = ("sqlite", "postgresql") if source.is_sqlite else ("postgresql", "sqlite")
    async with empty(there, "there", tmp_path) as other, empty(here, "back", tmp_path) as same:
        for settings, before, after in ((other, files[0], files[1]), (same, files[1], files[2])):
            await restore(settings, before, nothing)
            await backup(settings, after, nothing)
            (revision, newest, count) = await writes_of(settings, ada.id)
            assert revision == newest == count > 0, "each of her writes took a revision and made a task"

    assert contents(files[0]) == contents(files[1]) == contents(files[2])


async def test_tags_work_after_a_restore(source: Settings, tmp_path: Path):
    file = tmp_path / "backup"
    await backup(source, file, nothing)

    async with empty("postgresql" if source.is_sqlite else "sqlite", "target", tmp_path) as settings:
        await restore(settings, file, nothing)
        assert await tags_in(settings) == await tags_in(source) > 0


async def by_priority(settings: Settings) -> dict[str, list[str]]:
    """Each user's tasks, some of which are first written once more; of each priority there are many."""
    database = await open_database(settings)
    found = {}
    for user_id in await database.rows(Query(select(UserRow.id), str)):
        user = Principal(user_id, user_id, "", now() + timedelta(hours=1))
        space = SpaceAccess.personal(user_id)
        page = await tasks.page(database, user, space, PageRequest(sort=TaskSort("priority"), limit=None), AS_TASK)
        found[user_id] = [task.id for task in page.items]
        for task in page.items[::2]:
            await tasks.change(database, user, space, task.id, {"description": "Written once more"})
    await database.close()
    return found


async def test_equal_tasks_stay_in_their_order(source: Settings, tmp_path: Path):
    in_source = await by_priority(source)
    await backup(source, tmp_path / "backup", nothing)

    async with empty("postgresql" if source.is_sqlite else "sqlite", "target", tmp_path) as settings:
        await restore(settings, tmp_path / "backup", nothing)
        assert await by_priority(settings) == in_source


async def counted(settings: Settings) -> int | None:
    """How many tasks PostgreSQL's planner believes in; -1 where it has not looked yet."""
    counting = Query(text("SELECT reltuples FROM pg_class WHERE relname = 'tasks'"), int)
    database = await open_database(settings)
    try:
        return await database.row(counting)
    finally:
        await database.close()


async def test_the_planner_counts_what_came_at_once(source: Settings, tmp_path: Path):
    await backup(source, tmp_path / "first", nothing)
    async with empty("postgresql", "target", tmp_path) as target:
        await migrations.upgrade(target)
        assert await counted(target) == -1
        await restore(target, tmp_path / "first", nothing)

        assert {await counted(each) for each in (source, target) if not each.is_sqlite} == {60}


async def test_a_flipped_bit_is_refused_or_changes_nothing(source: Settings, tmp_path: Path):
    file = tmp_path / "backup"
    await backup(source, file, nothing)
    whole, rows = file.read_bytes(), list(Reader.open(file).batches(1_000))
    places = {*range(20), *range(len(whole) - 100, len(whole)), *range(20, len(whole), len(whole) // 300)}

    for place in sorted(places):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        file.write_bytes(damaged)
        try:
            assert list(Reader.open(file).batches(1_000)) == rows, place
        except BackupRefused:
            assert place not in range(4, 10), "gzip's own time, flags and system"


async def test_a_damaged_file_restores_nothing(source: Settings, tmp_path: Path):
    file = tmp_path / "backup"
    await backup(source, file, nothing)
    whole = file.read_bytes()
    middle = len(whole) // 2
    flipped = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]

    async with empty("sqlite", "target", tmp_path) as settings:
        for damaged in (
            flipped,
            whole[:-1],
            whole[:middle],
            whole[:10],
            b"",
            b"Dear diary",
            whole + b"diary",
            whole * 2,
        ):
            file.write_bytes(damaged)
            with pytest.raises(BackupRefused, match="damaged"):
                await restore(settings, file, nothing)
        assert await migrations.current(settings) is None


async def test_a_file_of_another_schema_than_the_databases_is_refused(source: Settings, tmp_path: Path):
    file = tmp_path / "backup"
    await backup(source, file, nothing)
    async with empty("sqlite", "target", tmp_path) as settings:
        await migrations.upgrade(settings)
        later = "UPDATE alembic_version SET version_num = '9999'"
        await migrations._with_connection(settings, lambda connection: connection.exec_driver_sql(later).close())

        refusal = f"schema {migrations.head()} and the database 9999; restore into a data"
        with pytest.raises(BackupRefused, match=refusal):
            await restore(settings, file, nothing)


async def test_a_database_with_rows_is_left_alone(source: Settings, tmp_path: Path):
    file = tmp_path / "backup"
    await backup(source, file, nothing)

    with pytest.raises(BackupRefused, match="not empty"):
        await restore(source, file, nothing)


@pytest.mark.parametrize("said", [{"version": 2, "whatever": "else"}, {"schema": "9999"}])
async def test_a_newer_file_is_refused(said: dict[str, object], tmp_path: Path):
    file = tmp_path / "backup"
    header = Header(migrations.head(), "9.9", now(), {"users": 0})
    with file.open("wb") as stream:
        writer = Writer(stream, cast(Header, asdict(header) | said))
        writer.close()

    async with empty("sqlite", "target", tmp_path) as settings:
        with pytest.raises(BackupRefused, match=r"newer Taskwell \(9\.9\)"):
            await restore(settings, file, nothing)
        assert await migrations.current(settings) is None


async def test_the_file_is_its_owners_alone(source: Settings, tmp_path: Path):
    file = tmp_path / "backup"
    await backup(source, file, nothing)

    assert file.stat().st_mode & 0o077 == 0


def contents(file: Path) -> list[bytes]:
    """The lines that are data; the first says when the file was made, the last is a digest of that too."""
    return sorted(gzip.decompress(file.read_bytes()).splitlines()[1:-1])


async def writes_of(settings: Settings, user_id: str) -> tuple[int, int, int]:
    """The revision of the user's space, that of the newest task, and how many tasks there are."""
    asked = select(SpaceRow.revision, func.max(TaskRow.revision), func.count()).join_from(SpaceRow, TaskRow)
    query: Query[tuple[int, int, int]] = Query(
        asked.where(SpaceRow.id == user_id).group_by(SpaceRow.revision), lambda *row: row
    )
    database = await open_database(settings)
    found = await database.row(query)
    await database.close()
    assert found is not None
    return found


async def tags_in(settings: Settings) -> int:
    database = await open_database(settings)
    try:
        counts = await database.rows(Query(select(func.count()).select_from(TaskTagRow), int))
        return counts[0]
    finally:
        await database.close()
