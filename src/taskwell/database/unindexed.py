"""Hides a condition from SQLite's planner, so that it does not choose another index."""

from typing import Any

from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import FunctionElement
from sqlalchemy.types import NullType


class Unindexed(FunctionElement[Any]):
    """A condition that SQLite's planner does not use for an index."""

    type = NullType()
    inherit_cache = True


@compiles(Unindexed)
def _(element: Unindexed, compiler: SQLCompiler, **options: Any) -> str:
    return f"+({compiler.process(element.clauses, **options)})"
