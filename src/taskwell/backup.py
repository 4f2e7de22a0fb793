"""Backups: one portable, compressed, checksummed file for both databases.

The file is gzip around lines of JSON::

    {"format": "taskwell-backup", "version": 1, "schema": "0004", "taskwell": "1.0.0", "created_at": "…Z"}
    {"table": "users", "columns": ["id", "email", …]}
    ["01938d1b-…", "ada@example.com", …]
    …
    {"rows": 1234, "sha256": "…"}

Rows are written as one instant of the database has them, tables in the order in which they can be inserted.
The digest is of all lines before it. What triggers and generated columns make is not in the file.
"""

import gzip
import os
import zlib
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

import orjson
from sqlalchemy import Computed, LargeBinary, Select, Table, bindparam, insert, literal_column, select

from taskwell import __version__, migrations
from taskwell.database import Database, Day, Lane, Query, Snapshot, TextList, UtcInstant, now, open_database
from taskwell.errors import AppError
from taskwell.migrations.target import METADATA
from taskwell.settings import Settings

FORMAT, VERSION = "taskwell-backup", 1
MADE_BY_TRIGGERS = frozenset({"task_tags"})
ROWS_AT_ONCE = 2_000

Progress = Callable[[str, int], None]
"""Is told the table and how many rows of it came since the last call."""


class BackupRefused(AppError):
    """The file or the database cannot be used; nothing was changed."""


async def backup(settings: Settings, path: Path, on_progress: Progress) -> int:
    """Writes the database to a file, which is there completely or not at all; gives the number of rows.

    Raises:
        OldSchema: the schema is not this version's; migrate first.
        OSError: the file cannot be written.
    """
    await migrations.require_head(settings)
    database = await open_database(settings)
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


async def _write(database: Database, file: BinaryIO, on_progress: Progress) -> int:
    rows = 0
    with gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=6, mtime=0) as packed:
        lines = _Lines(packed)
        lines.write(
            {
                "format": FORMAT,
                "version": VERSION,
                "schema": migrations.head(),
                "taskwell": __version__,
                "created_at": now(),
            }
        )
        async with database.snapshot() as snapshot:
            for table in _tables():
                lines.write({"table": table.name, "columns": _columns(table)})
                count = 0
                async for row in _rows(snapshot, table):
                    lines.write(row)
                    count += 1
                    if count % ROWS_AT_ONCE == 0:
                        on_progress(table.name, ROWS_AT_ONCE)
                on_progress(table.name, count % ROWS_AT_ONCE)
                rows += count
        packed.write(orjson.dumps({"rows": rows, "sha256": lines.digest.hexdigest()}) + b"\n")
    return rows


class _Lines:
    """Writes lines of JSON and keeps their digest."""

    def __init__(self, file: gzip.GzipFile) -> None:
        self.digest = sha256()
        self._file = file

    def write(self, content: object) -> None:
        line = orjson.dumps(content, default=_portable, option=orjson.OPT_UTC_Z) + b"\n"
        self.digest.update(line)
        self._file.write(line)


def _portable(value: object) -> object:
    if isinstance(value, bytes):
        return b64encode(value).decode()
    raise TypeError(type(value).__name__)


def _tables() -> list[Table]:
    return [table for table in METADATA.sorted_tables if table.name not in MADE_BY_TRIGGERS]


def _columns(table: Table) -> list[str]:
    return [column.name for column in table.columns if not isinstance(column.server_default, Computed)]


def _rows(snapshot: Snapshot, table: Table) -> AsyncIterator[tuple[Any, ...]]:
    columns = [table.c[name] for name in _columns(table)]
    return snapshot.stream(Query(select(*columns), lambda *values: values))


async def restore(settings: Settings, path: Path, on_progress: Progress) -> int:
    """Reads a file into an empty database, all of it or nothing; gives the number of rows.

    A file of an older schema is restored into that schema, which is then brought up to date.

    Raises:
        BackupRefused: the file is damaged, not ours or from a newer version, or the database is not empty.
    """
    schema, tables = _check(path)
    if await migrations.current(settings) is None:
        await migrations.upgrade(settings, schema)
    elif await migrations.current(settings) != schema:
        raise BackupRefused(f"The backup has schema {schema} and the database another; restore into an empty one.")
    database = await open_database(settings)
    try:
        async with database.transaction() as transaction:
            await _require_empty(transaction, tables)
            rows = await _read(transaction, path, on_progress)
    finally:
        await database.close()
    await migrations.upgrade(settings)
    return rows


def _check(path: Path) -> tuple[str, list[str]]:
    """Reads the whole file once before anything is written; gives its schema and its tables."""
    digest, header, last = sha256(), b"", b""
    tables = []
    try:
        with gzip.open(path, "rb") as file:
            for line in file:
                header = header or line
                if line.startswith(b'{"table"'):
                    tables.append(orjson.loads(line)["table"])
                digest.update(last)
                last = line
        head, foot = orjson.loads(header), orjson.loads(last)
        is_ours, is_whole = head["format"] == FORMAT, foot["sha256"] == digest.hexdigest()
        version, schema = int(head["version"]), str(head["schema"])
    except (EOFError, OSError, ValueError, KeyError, TypeError, zlib.error) as error:
        if isinstance(error, FileNotFoundError | PermissionError | IsADirectoryError):
            raise
        raise BackupRefused(f"{path} is damaged or not a Taskwell backup; nothing was restored.") from None
    if not is_ours or not is_whole:
        raise BackupRefused(f"{path} is damaged or not a Taskwell backup; nothing was restored.")
    if version > VERSION or schema not in migrations.known():
        raise BackupRefused(f"{path} was made by a newer Taskwell ({head.get('taskwell')}); upgrade first.")
    return schema, tables


async def _require_empty(transaction: Lane, tables: list[str]) -> None:
    for name in tables:
        anything: Select[int] = select(literal_column("1")).select_from(METADATA.tables[name]).limit(1)
        if await transaction.row(Query(anything, int)):
            raise BackupRefused(f"The database is not empty ({name} has rows); restore into an empty one.")


async def _read(transaction: Lane, path: Path, on_progress: Progress) -> int:
    rows = 0
    table: Table | None = None
    names: list[str] = []
    batch: list[dict[str, object]] = []

    async def flush() -> None:
        nonlocal rows, batch
        if table is not None and batch:
            await transaction.many(_insert(table, names), batch)
            on_progress(table.name, len(batch))
            rows += len(batch)
            batch = []

    for content in _contents(path):
        if isinstance(content, dict):
            await flush()
            table, names = METADATA.tables[content["table"]], content["columns"]
        elif table is not None:
            batch.append({name: _native(table, name, value) for name, value in zip(names, content, strict=True)})
            if len(batch) == ROWS_AT_ONCE:
                await flush()
    await flush()
    return rows


def _contents(path: Path) -> Iterator[Any]:
    """The tables and rows of a file that has been checked."""
    with gzip.open(path, "rb") as file:
        next(file)
        for line in file:
            content = orjson.loads(line)
            if isinstance(content, dict) and "sha256" in content:
                return
            yield content


def _insert(table: Table, names: list[str]) -> Query[None]:
    return Query(
        insert(table).values({name: bindparam(name, type_=table.c[name].type) for name in names}), lambda *_: None
    )


def _native(table: Table, name: str, value: Any) -> object:
    """A value as the column's type takes it."""
    kind = table.c[name].type
    if value is None:
        return None
    if isinstance(kind, UtcInstant):
        return datetime.fromisoformat(value)
    if isinstance(kind, Day):
        return date.fromisoformat(value)
    if isinstance(kind, TextList):
        return tuple(value)
    return b64decode(value) if isinstance(kind, LargeBinary) else value
