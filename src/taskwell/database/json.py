"""JSON text made by the database, so that a page goes from its rows to the response without a detour."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import FunctionElement


class InstantText(FunctionElement[str]):
    """An instant as RFC 3339 in UTC, without a fraction where that is zero, as Python writes it."""

    type = Text()
    inherit_cache = True


class DayText(FunctionElement[str]):
    """A day as ``YYYY-MM-DD``."""

    type = Text()
    inherit_cache = True


class BooleanJson(FunctionElement[str]):
    """``true`` or ``false``."""

    type = Text()
    inherit_cache = True


class ListJson(FunctionElement[str]):
    """A ``TextList`` as a JSON array."""

    type = Text()
    inherit_cache = True


class JsonObject(ColumnElement[str]):
    """The text of one JSON object; its members keep their order."""

    type = Text()
    inherit_cache = False

    def __init__(self, members: Mapping[str, Any]) -> None:
        self.members = members


@compiles(InstantText, "postgresql")
def _(element: InstantText, compiler: SQLCompiler, **options: Any) -> str:
    instant = compiler.process(element.clauses, **options)
    return f"""replace(to_char({instant} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), '.000000Z', 'Z')"""


@compiles(InstantText, "sqlite")
def _(element: InstantText, compiler: SQLCompiler, **options: Any) -> str:
    return f"replace({compiler.process(element.clauses, **options)}, '.000000Z', 'Z')"


@compiles(DayText, "postgresql")
def _(element: DayText, compiler: SQLCompiler, **options: Any) -> str:
    return f"to_char({compiler.process(element.clauses, **options)}, 'YYYY-MM-DD')"


@compiles(DayText, "sqlite")
def _(element: DayText, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(element.clauses, **options)


@compiles(BooleanJson, "postgresql")
def _(element: BooleanJson, compiler: SQLCompiler, **options: Any) -> str:
    return f"({compiler.process(element.clauses, **options)})"


@compiles(BooleanJson, "sqlite")
def _(element: BooleanJson, compiler: SQLCompiler, **options: Any) -> str:
    return f"json(iif({compiler.process(element.clauses, **options)}, 'true', 'false'))"


@compiles(ListJson, "postgresql")
def _(element: ListJson, compiler: SQLCompiler, **options: Any) -> str:
    return f"to_json({compiler.process(element.clauses, **options)})"


@compiles(ListJson, "sqlite")
def _(element: ListJson, compiler: SQLCompiler, **options: Any) -> str:
    return f"json({compiler.process(element.clauses, **options)})"


@compiles(JsonObject)
def _(element: JsonObject, compiler: SQLCompiler, **options: Any) -> str:
    members = ", ".join(f"'{name}', {compiler.process(value, **options)}" for name, value in element.members.items())
    if compiler.dialect.name == "postgresql":
        return f"json_build_object({members})::text"
    return f"json_object({members})"
