"""The file of a backup: one compressed format with a digest, for both databases.

The file is gzip over lines of JSON::

    {"format": "taskwell-backup", "version": 1, "schema": "0100", …, "tables": {"users": 10, "tasks": 1000}}
    {"table": "users", "columns": {"id": "uuid", "email": "text", …}}
    ["01938d1b-…", "ada@example.com", …]
    …
    {"sha256": "…"}

Tables are in the order in which they can be inserted. The last line has the digest of all lines before it.
"""

import gzip
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO, Self

import orjson
from sqlalchemy import BigInteger, Integer, LargeBinary, SmallInteger, Text
from sqlalchemy.types import TypeEngine

from taskwell.database import Day, TextList, UtcInstant, UuidText
from taskwell.errors import AppError

FORMAT, VERSION = "taskwell-backup", 1

KINDS: dict[type[TypeEngine[Any]], str] = {
    UuidText: "uuid",
    UtcInstant: "instant",
    Day: "day",
    TextList: "texts",
    LargeBinary: "bytes",
    BigInteger: "integer",
    Integer: "integer",
    SmallInteger: "integer",
    Text: "text",
}
TYPES: dict[str, TypeEngine[Any]] = {
    "uuid": UuidText(),
    "instant": UtcInstant(),
    "day": Day(),
    "texts": TextList(),
    "bytes": LargeBinary(),
    "integer": BigInteger(),
    "text": Text(),
}
_FROM_JSON: Mapping[str, Callable[[Any], object]] = {
    "instant": datetime.fromisoformat,
    "day": date.fromisoformat,
    "texts": tuple,
    "bytes": b64decode,
}


class BackupRefused(AppError):
    """The file or the database cannot be used; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Header:
    """The first line of a file.

    Attributes:
        schema: The revision of the tables.
        taskwell: The version that wrote the file.
        tables: The number of rows of each table.
    """

    schema: str
    taskwell: str
    created_at: datetime
    tables: dict[str, int]
    format: str = FORMAT
    version: int = VERSION

    @property
    def rows(self) -> int:
        return sum(self.tables.values())


@dataclass(frozen=True, slots=True)
class Rows:
    """A batch of rows of one table, with the kind of each column."""

    table: str
    columns: dict[str, str]
    rows: list[dict[str, object]] = field(default_factory=list)


class Writer:
    """Writes a file; ``close`` adds the digest."""

    def __init__(self, file: BinaryIO, header: Header) -> None:
        self._digest = sha256()
        self._packed = gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=6, mtime=0)
        self.write(header)

    def table(self, name: str, columns: dict[str, str]) -> None:
        self.write({"table": name, "columns": columns})

    def write(self, content: object) -> None:
        line = orjson.dumps(content, default=_portable, option=orjson.OPT_UTC_Z) + b"\n"
        self._digest.update(line)
        self._packed.write(line)

    def close(self) -> None:
        self._packed.write(_seal(self._digest.hexdigest()))
        self._packed.close()


def _portable(value: object) -> object:
    if isinstance(value, bytes):
        return b64encode(value).decode()
    raise TypeError(type(value).__name__)


def _seal(digest: str) -> bytes:
    """The last line, with the digest."""
    return orjson.dumps({"sha256": digest}) + b"\n"


@dataclass(frozen=True, slots=True)
class Reader:
    """A file whose digest was checked."""

    path: Path
    header: Header

    @classmethod
    def open(cls, path: Path) -> Self:
        """Opens a file after checking all of it.

        Raises:
            BackupRefused: the file is damaged, of another program or of a newer format.
        """
        with _refusing(path):
            with gzip.open(path, "rb") as file:
                said = orjson.loads(file.readline())
            if said["format"] == FORMAT and said["version"] > VERSION:
                raise newer(path, said.get("taskwell"))
            if said["format"] != FORMAT:
                raise ValueError
            if not _is_whole(path):
                raise ValueError
            return cls(path, Header(**said | {"created_at": datetime.fromisoformat(said["created_at"])}))

    def batches(self, size: int) -> Iterator[Rows]:
        """The rows of each table, ``size`` at a time."""
        with _refusing(self.path), gzip.open(self.path, "rb") as file:
            next(file)
            current = Rows("", {})
            for line in file:
                content = orjson.loads(line)
                if isinstance(content, list):
                    current.rows.append(_row(current.columns, content))
                if current.rows and (isinstance(content, dict) or len(current.rows) == size):
                    yield current
                    current = Rows(current.table, current.columns)
                if isinstance(content, dict) and "table" in content:  # the last line has none
                    current = Rows(content["table"], content["columns"])


def newer(path: Path, version: object) -> BackupRefused:
    return BackupRefused(f"{path} was made by a newer Taskwell ({version}); upgrade first.")


@contextmanager
def _refusing(path: Path) -> Iterator[None]:
    """Translates errors of reading into a refusal of the file; a missing file stays an ``OSError``."""
    try:
        yield
    except (FileNotFoundError, PermissionError, IsADirectoryError):
        raise
    except (EOFError, OSError, zlib.error, ValueError, KeyError, TypeError, AttributeError):
        raise BackupRefused(f"{path} is damaged or not a Taskwell backup; nothing was restored.") from None


def _is_whole(path: Path) -> bool:
    digest, last = sha256(), b""
    with gzip.open(path, "rb") as file:
        for line in file:
            digest.update(last)
            last = line
    return last == _seal(digest.hexdigest())


def _row(columns: Mapping[str, str], values: list[Any]) -> dict[str, object]:
    return {
        name: value if value is None or kind not in _FROM_JSON else _FROM_JSON[kind](value)
        for (name, kind), value in zip(columns.items(), values, strict=True)
    }
