"""The declarative base, its naming convention, and column types that mean the same on both databases."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Annotated, Any, TypeAlias

import orjson
from sqlalchemy import (
    ARRAY,
    BindParameter,
    ColumnElement,
    Date,
    DateTime,
    Dialect,
    MetaData,
    Text,
    Uuid,
    type_coerce,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase, mapped_column
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine
from uuid_utils import uuid7

Processor: TypeAlias = Callable[[Any], Any] | None
"""Converts a value for the driver or from it; None if no conversion is needed."""


def now() -> datetime:
    """The current instant in UTC. All code reads this clock."""
    return datetime.now(UTC)


def new_id() -> str:
    """A UUIDv7 (RFC 9562 section 5.7), greater than every earlier id of this process."""
    return str(uuid7())


class UuidText(TypeDecorator[str]):
    """A UUID that Python sees as its canonical text: ``uuid`` on PostgreSQL, text on SQLite."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else Uuid(as_uuid=False))

    def bind_processor(self, dialect: Dialect) -> Processor:
        return None

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor:
        return None if dialect.name == "sqlite" else _optional(str)


def instant_text(instant: datetime) -> str:
    """RFC 3339 in UTC with six fractional digits; texts sort in the order of time."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"


class UtcInstant(TypeDecorator[datetime]):
    """An instant, aware and in UTC: ``timestamptz`` on PostgreSQL, the text of ``instant_text`` on SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else DateTime(timezone=True))

    def bind_processor(self, dialect: Dialect) -> Processor:
        return _optional(instant_text) if dialect.name == "sqlite" else None

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor:
        return _optional(datetime.fromisoformat) if dialect.name == "sqlite" else None


class _DayText(TypeDecorator[date]):
    """Renders a day as its text."""

    impl = Text
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Processor:
        return _optional(date.isoformat)


class _Sent(FunctionElement[date]):
    """A day that is sent as text, since asyncpg reads the first and the last day of Python as infinity."""

    inherit_cache = True


@compiles(_Sent)
def _(element: _Sent, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(element.clauses, **options)


@compiles(_Sent, "postgresql")
def _(element: _Sent, compiler: SQLCompiler, **options: Any) -> str:
    return f"CAST({compiler.process(element.clauses, **options)} AS date)"


class Day(TypeDecorator[date]):
    """A calendar day: ``date`` on PostgreSQL, ``YYYY-MM-DD`` on SQLite."""

    impl = Date
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else Date())

    def bind_expression(self, bindvalue: BindParameter[Any]) -> ColumnElement[Any]:
        return _Sent(type_coerce(bindvalue, _DayText()))

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor:
        return _optional(date.fromisoformat) if dialect.name == "sqlite" else None


class TextList(TypeDecorator[tuple[str, ...]]):
    """A short list of strings: ``text[]`` on PostgreSQL, a JSON array on SQLite."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else ARRAY(Text()))

    def bind_processor(self, dialect: Dialect) -> Processor:
        return _optional(_json_text) if dialect.name == "sqlite" else None

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor:
        return _optional(_from_json if dialect.name == "sqlite" else tuple)


def _optional(process: Callable[[Any], Any]) -> Processor:
    """NULL stays None."""
    return lambda value: None if value is None else process(value)


def _json_text(texts: tuple[str, ...]) -> str:
    return orjson.dumps(texts).decode()


def _from_json(text: str) -> tuple[str, ...]:
    return tuple(orjson.loads(text))


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
