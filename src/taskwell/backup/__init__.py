"""Backup and restore, from either database into either one; ``taskwell.backup.file`` has the format.

A backup shows one instant of the database. Rows that triggers make, and generated columns, are not in the file.
"""

import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import (
    Computed,
    Select,
    Table,
    TableClause,
    bindparam,
    column,
    func,
    insert,
    literal_column,
    select,
    table,
    text,
)

from taskwell import __version__, migrations
from taskwell.backup.file import KINDS, TYPES, BackupRefused, Header, Reader, Rows, Writer, newer
from taskwell.database import Database, Lane, Query, Snapshot, now, open_database
from taskwell.migrations.target import METADATA
from taskwell.settings import Settings

MADE_BY_TRIGGERS = frozenset({"task_tags"})
ROWS_AT_ONCE = 500

Progress = Callable[[str, int, int], None]
"""Called with the table, its number of new rows since the last call, and its number of rows in all."""

__all__ = ["BackupRefused", "Progress", "backup", "restore"]


async def backup(settings: Settings, path: Path, on_progress: Progress) -> int:
    """Writes the database to a file, completely or not at all; gives the number of rows.

    Raises:
        OldSchema: the schema is not this version's; migrate first.
        OSError: the file cannot be written.
    """
    await migrations.require_head(settings)
    database = await open_database(_patient(settings))
    draft = path.with_name(f"{path.name}.partial")
    try:
        with draft.open("wb") as file:
            draft.chmod(0o600)
            rows = await _write(database, file, on_progress)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        error.filename = str(path)
        raise
    finally:
        draft.unlink(missing_ok=True)
        await database.close()
    return rows


def _patient(settings: Settings) -> Settings:
    """Logs no slow query, since each statement here is about a thousand rows."""
    return settings.model_copy(update={"slow_query_milliseconds": 0})


async def _write(database: Database, file: BinaryIO, on_progress: Progress) -> int:
    async with database.snapshot() as snapshot:
        counts = {str(each.name): await _count(snapshot, each) for each in _tables()}
        header = Header(migrations.head(), __version__, now(), counts)
        writer = Writer(file, header)
        for each in _tables():
            writer.table(each.name, {name: KINDS[type(each.c[name].type)] for name in _columns(each)})
            new = 0
            async for row in _rows(snapshot, each):
                writer.write(row)
                new += 1
                if new == ROWS_AT_ONCE:
                    on_progress(each.name, new, header.rows)
                    new = 0
            on_progress(each.name, new, header.rows)
        writer.close()
    return header.rows


def _tables() -> list[Table]:
    return [each for each in METADATA.sorted_tables if each.name not in MADE_BY_TRIGGERS]


def _columns(table: Table) -> list[str]:
    return [str(column.name) for column in table.columns if not isinstance(column.server_default, Computed)]


async def _count(snapshot: Snapshot, table: Table) -> int:
    counting: Query[int] = Query(select(func.count()).select_from(table), int)
    return sum([count async for count in snapshot.stream(counting)])  # the query has one row


def _rows(snapshot: Snapshot, table: Table) -> AsyncIterator[tuple[Any, ...]]:
    columns = [table.c[name] for name in _columns(table)]
    in_order = select(*columns).order_by(*table.primary_key)  # SQLite lists equal tasks in the order of their rows
    return snapshot.stream(Query(in_order, lambda *values: values))


async def restore(settings: Settings, path: Path, on_progress: Progress) -> int:
    """Reads a file into an empty database, completely or not at all; gives the number of rows.

    A file of an older schema is restored into that schema, which is then migrated.

    Raises:
        BackupRefused: the file is damaged, of another program or a newer version, or the database is not empty.
    """
    file = Reader.open(path)
    header = file.header
    if header.schema not in migrations.known():
        raise newer(path, header.taskwell)
    found = await migrations.current(settings)
    if found is None:
        await migrations.upgrade(settings, header.schema)
    elif found != header.schema:
        raise BackupRefused(
            f"The backup has schema {header.schema} and the database {found}; restore into a database without tables."
        )
    database = await open_database(_patient(settings))
    try:
        async with database.transaction() as transaction:
            if settings.is_sqlite:
                await transaction.rows(_LITTLE_CACHE)
            await _require_empty(transaction, list(header.tables))
            for batch in file.batches(ROWS_AT_ONCE):
                await transaction.many(_insert(batch), batch.rows)
                on_progress(batch.table, len(batch.rows), header.rows)
        await database.analyze()
    finally:
        await database.close()
    await migrations.upgrade(settings)
    return header.rows


_LITTLE_CACHE: Query[None] = Query(text("PRAGMA cache_size = -4000"), lambda *_: None)


async def _require_empty(transaction: Lane, tables: list[str]) -> None:
    for name in tables:
        anything: Select[int] = select(literal_column("1")).select_from(table(name)).limit(1)
        if await transaction.row(Query(anything, int)):
            raise BackupRefused(f"The database is not empty ({name} has rows); restore into an empty one.")


def _insert(batch: Rows) -> Query[None]:
    """The statement from the names and kinds in the file, since its schema may be older than the models."""
    types = {name: TYPES[kind] for name, kind in batch.columns.items()}
    into: TableClause = table(batch.table, *(column(name, type_) for name, type_ in types.items()))
    values = {name: bindparam(name, type_=type_) for name, type_ in types.items()}
    return Query(insert(into).values(values), lambda *_: None)
