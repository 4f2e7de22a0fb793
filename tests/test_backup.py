"""Backup and restore, between and within the two databases."""

import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path

import orjson
import pytest
from sqlalchemy import func, select

from taskwell import migrations
from taskwell.backup import BackupRefused, backup, restore
from taskwell.database import Query, open_database
from taskwell.seed import seed
from taskwell.settings import Settings
from taskwell.tasks.tables import TaskTagRow
from tests.conftest import SECRET, new_postgres_database


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


@pytest.mark.parametrize("target", ["sqlite", "postgresql"])
async def test_a_restored_database_gives_the_same_backup(source: Settings, target: str, tmp_path: Path):
    first, second = tmp_path / "first", tmp_path / "second"
    rows = await backup(source, first, nothing)

    async with empty(target, "target", tmp_path) as settings:
        assert await restore(settings, first, nothing) == rows
        assert await backup(settings, second, nothing) == rows

    assert contents(first) == contents(second)


async def test_tags_work_after_a_restore(source: Settings, tmp_path: Path):
    file = tmp_path / "backup"
    await backup(source, file, nothing)

    async with empty("postgresql" if source.is_sqlite else "sqlite", "target", tmp_path) as settings:
        await restore(settings, file, nothing)
        assert await tags_in(settings) == await tags_in(source) > 0


async def test_a_flipped_byte_is_refused_and_nothing_is_restored(source: Settings, tmp_path: Path):
    file = tmp_path / "backup"
    await backup(source, file, nothing)
    whole = file.read_bytes()
    header = 10  # gzip's: holds when and where the file was made, which nothing depends on

    async with empty("sqlite", "target", tmp_path) as settings:
        for place in range(header, len(whole), max(1, len(whole) // 100)):
            file.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
            with pytest.raises(BackupRefused, match="damaged"):
                await restore(settings, file, nothing)
        assert await migrations.current(settings) is None


async def test_a_database_with_rows_is_left_alone(source: Settings, tmp_path: Path):
    file = tmp_path / "backup"
    await backup(source, file, nothing)

    with pytest.raises(BackupRefused, match="not empty"):
        await restore(source, file, nothing)


async def test_a_newer_file_is_refused(source: Settings, tmp_path: Path):
    file = tmp_path / "backup"
    await backup(source, file, nothing)
    lines = gzip.decompress(file.read_bytes()).splitlines(keepends=True)
    lines[0] = lines[0].replace(b'"version":1', b'"version":2')
    lines[-1] = orjson.dumps({"rows": 0, "sha256": sha256(b"".join(lines[:-1])).hexdigest()})
    file.write_bytes(gzip.compress(b"".join(lines)))

    async with empty("sqlite", "target", tmp_path) as settings:
        with pytest.raises(BackupRefused, match="newer"):
            await restore(settings, file, nothing)


async def test_the_file_is_its_owners_alone(source: Settings, tmp_path: Path):
    file = tmp_path / "backup"
    await backup(source, file, nothing)

    assert file.stat().st_mode & 0o077 == 0


def contents(file: Path) -> list[bytes]:
    """The lines that are data; the first says when the file was made, the last is a digest of that too."""
    return sorted(gzip.decompress(file.read_bytes()).splitlines()[1:-1])


async def tags_in(settings: Settings) -> int:
    database = await open_database(settings)
    try:
        counts = await database.rows(Query(select(func.count()).select_from(TaskTagRow), int))
        return counts[0]
    finally:
        await database.close()
