"""Restoring what earlier versions have written, into both databases.

The files in ``tests/backups`` are theirs: written by the commands of those versions, and never written anew. Each is
named after its schema; those of SQLite and of PostgreSQL had the same lines.
"""

import gzip
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import inspect, select

from taskwell import migrations, tasks
from taskwell.backup import BackupRefused, backup, restore
from taskwell.backup.file import Header, Reader, Writer
from taskwell.database import Query, now, open_database
from taskwell.settings import Settings
from taskwell.tasks.pages import PageRequest
from taskwell.tasks.tables import IN_TRASH, OPEN, TaskTagRow
from taskwell.users.principal import Principal
from tests.conftest import settings_of

FILES = sorted(Path(__file__).parent.glob("backups/*.backup"))
NEWEST = FILES[-1]
UNSEALED = [each for each in FILES if "unsealed" in each.stem]
ADA = "01938d1c-0000-7000-8000-000000000001"

Contents = dict[str, list[dict[str, object]]]


@pytest.fixture
def empty(empty_url: str) -> Settings:
    return settings_of(empty_url)


def nothing(*_: object) -> None:
    pass


def contents(file: Path) -> Contents:
    """The rows of each table."""
    found: Contents = {}
    for batch in Reader.open(file).batches(100):
        found.setdefault(batch.table, []).extend(batch.rows)
    return found


async def assert_restored(settings: Settings, file: Path, folder: Path) -> None:
    """Everything that was in the file is in the database, whose schema is today's, and what triggers make too."""
    before = contents(file)
    assert await restore(settings, file, nothing) == sum(map(len, before.values())) > 6
    assert await migrations.current(settings) == migrations.head()

    await backup(settings, folder / "today.backup", nothing)
    after = contents(folder / "today.backup")
    for table, rows in before.items():
        names = rows[0].keys() - {"title_key"}  # which is made by another rule today
        there, written = ([{name: row[name] for name in names} for row in each] for each in (after[table], rows))
        assert there == written, table

    database = await open_database(settings)
    tags: Query[tuple[Any, ...]] = Query(select(TaskTagRow.tag_key, TaskTagRow.state), lambda *row: row)
    ada = Principal(ADA, ADA, "token", now() + timedelta(days=1), "Europe/Berlin")
    try:
        assert sorted(await database.rows(tags)) == [("home", IN_TRASH), ("home", OPEN), ("çay", OPEN)]
        for words in ("eclair", "cay", "two them"):
            found = await tasks.page(database, ada, PageRequest(tasks.TaskFilter(search=words)), tasks.AS_TASK)
            assert [task.title for task in found.items] == ["Éclair"]
    finally:
        await database.close()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
async def test_a_file_that_an_earlier_version_has_written_is_restored(file: Path, empty: Settings, tmp_path: Path):
    await assert_restored(empty, file, tmp_path)


@pytest.mark.parametrize("schema", sorted(migrations.known()))
async def test_a_file_of_every_schema_is_restored(schema: str, empty: Settings, tmp_path: Path):
    """As a version of that schema would have written it: with the tables of that time."""
    await migrations.upgrade(empty, schema)
    tables: set[str] = set()
    await migrations._with_connection(empty, lambda connection: tables.update(inspect(connection).get_table_names()))
    known = {table: rows for table, rows in contents(NEWEST).items() if table in tables}
    kinds = {batch.table: batch.columns for batch in Reader.open(NEWEST).batches(100)}
    file = tmp_path / "old.backup"
    with file.open("wb") as stream:
        writer = Writer(stream, Header(schema, "0.1", now(), {table: len(rows) for table, rows in known.items()}))
        for table, rows in known.items():
            writer.table(table, kinds[table])
            for row in rows:
                writer.write(list(row.values()))
        writer.close()

    await assert_restored(empty, file, tmp_path)


@pytest.mark.parametrize("columns", [5, "id", [["id"]], {}])
def test_a_file_whose_columns_are_none_is_refused(columns: object, tmp_path: Path):
    """Whoever made it knew how to make the digest too."""
    header, *_ = gzip.decompress(UNSEALED[0].read_bytes()).splitlines(keepends=True)
    lines = header + orjson.dumps({"table": "users", "columns": columns}) + b"\n[1]\n"
    forged = tmp_path / "forged.backup"
    forged.write_bytes(gzip.compress(lines + orjson.dumps({"rows": 1, "sha256": sha256(lines).hexdigest()}) + b"\n"))

    with pytest.raises(BackupRefused, match="damaged"):
        list(Reader.open(forged).batches(10))


@pytest.mark.parametrize("file", UNSEALED, ids=lambda file: file.stem)
def test_a_file_without_a_seal_is_looked_through(file: Path, tmp_path: Path):
    lines = gzip.decompress(file.read_bytes()).splitlines(keepends=True)
    damaged = tmp_path / "damaged.backup"
    for wrong in (lines[:-1], lines[1:], [*lines[:2], *lines[3:]], [*lines, lines[-1]], [lines[0]]):
        damaged.write_bytes(gzip.compress(b"".join(wrong)))

        with pytest.raises(BackupRefused, match="damaged"):
            Reader.open(damaged)


async def test_a_file_of_another_schema_than_the_databases_is_refused(empty: Settings):
    await migrations.upgrade(empty)

    with pytest.raises(BackupRefused, match=f"schema 0002 and the database {migrations.head()}; restore into a data"):
        await restore(empty, FILES[0], nothing)
