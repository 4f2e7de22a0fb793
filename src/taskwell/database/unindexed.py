"""A condition that is no reason to take another index."""

from typing import Any

from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import FunctionElement
from sqlalchemy.types import NullType


class Unindexed(FunctionElement[Any]):
    """A condition that SQLite's planner does not look into."""

    type = NullType()
    inherit_cache = True


@compiles(Unindexed)
def _(element: Unindexed, compiler: SQLCompiler, **options: Any) -> str:
    return f"+({compiler.process(element.clauses, **options)})"
