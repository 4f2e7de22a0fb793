"""What orders tasks of one sort key: the earlier is first."""

from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine

from taskwell.database import UuidText
from taskwell.database.base import Processor
from taskwell.errors import InvalidCursor


class TieBreakerType(UuidText):
    """An id on PostgreSQL, a number on SQLite."""

    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return (
            dialect.type_descriptor(BigInteger()) if dialect.name == "sqlite" else super().load_dialect_impl(dialect)
        )

    def bind_processor(self, dialect: Dialect) -> Processor:
        return _only(int if dialect.name == "sqlite" else str)


def _only(kind: type) -> Processor:
    """Refuses the place of a cursor that has outlived a move to the other database."""

    def process(place: object) -> object:
        if not isinstance(place, kind):
            raise InvalidCursor
        return place

    return process


class _TieBreaker(ColumnElement[Any]):
    """The task's id, which grows with time; on SQLite its number in the table, with which each index ends anyway."""

    type = TieBreakerType()
    inherit_cache = True


@compiles(_TieBreaker, "postgresql")
def _(_: _TieBreaker, __: SQLCompiler, **___: Any) -> str:
    return "tasks.id"


@compiles(_TieBreaker, "sqlite")
def _(_: _TieBreaker, __: SQLCompiler, **___: Any) -> str:
    return "tasks.search"


TIE_BREAKER = _TieBreaker()
