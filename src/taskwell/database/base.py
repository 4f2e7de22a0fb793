"""The declarative base, its naming convention, and column types that mean the same on both databases."""

from datetime import UTC, date, datetime
from typing import Annotated, Any

import orjson
from sqlalchemy import ARRAY, Date, DateTime, Dialect, MetaData, Text, Uuid
from sqlalchemy.orm import DeclarativeBase, mapped_column
from sqlalchemy.types import TypeDecorator, TypeEngine
from uuid_utils import uuid7


def now() -> datetime:
    """The current instant in UTC; the one clock that everything reads."""
    return datetime.now(UTC)


def new_id() -> str:
    """A UUIDv7 (RFC 9562 section 5.7), later than every id that this process has made before."""
    return str(uuid7())


class UuidText(TypeDecorator[str]):
    """A UUID that Python sees as its canonical text: ``uuid`` on PostgreSQL, text on SQLite."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else Uuid(as_uuid=False))

    def process_result_value(self, value: object | None, dialect: Dialect) -> str | None:
        return None if value is None else str(value)


class UtcInstant(TypeDecorator[datetime]):
    """An instant, aware and in UTC: ``timestamptz`` on PostgreSQL, fixed-width RFC 3339 text on SQLite.

    The text has six fractional digits, so that its order is the order of time.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(Text())
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> object:
        if value is None or dialect.name != "sqlite":
            return value
        return value.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"

    def process_result_value(self, value: datetime | str | None, dialect: Dialect) -> datetime | None:
        return datetime.fromisoformat(value) if isinstance(value, str) else value


class Day(TypeDecorator[date]):
    """A calendar day: ``date`` on PostgreSQL, ``YYYY-MM-DD`` on SQLite."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else Date())

    def process_bind_param(self, value: date | None, dialect: Dialect) -> object:
        return value.isoformat() if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: date | str | None, dialect: Dialect) -> date | None:
        return date.fromisoformat(value) if isinstance(value, str) else value


class TextList(TypeDecorator[tuple[str, ...]]):
    """A short list of strings: ``text[]`` on PostgreSQL, a JSON array on SQLite."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else ARRAY(Text()))

    def process_bind_param(self, value: tuple[str, ...] | None, dialect: Dialect) -> object:
        if value is None:
            return None
        return orjson.dumps(value).decode() if dialect.name == "sqlite" else list(value)

    def process_result_value(self, value: str | list[str] | None, dialect: Dialect) -> tuple[str, ...] | None:
        if value is None:
            return None
        return tuple(orjson.loads(value) if isinstance(value, str) else value)


Id = Annotated[str, mapped_column(UuidText)]
Instant = Annotated[datetime, mapped_column(UtcInstant)]


class Base(DeclarativeBase):
    """The base of every table."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
