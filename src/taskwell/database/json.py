"""JSON text that the database makes, so Python need not decode and encode a page."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Integer, Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import FunctionElement

from taskwell.database.base import UuidText


class InstantText(FunctionElement[str]):
    """An instant as RFC 3339 in UTC, without a fraction where that is zero, as Python writes it."""

    type = Text()
    inherit_cache = True


class DayText(FunctionElement[str]):
    """A day as ``YYYY-MM-DD``."""

    type = Text()
    inherit_cache = True


class PlainText(FunctionElement[str]):
    """A text without characters that JSON escapes, such as an id."""

    type = Text()
    inherit_cache = True


class BooleanJson(FunctionElement[bool]):
    """``true`` or ``false``."""

    type = Boolean()
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


@compiles(PlainText)
def _(element: PlainText, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(element.clauses, **options)


@compiles(BooleanJson, "postgresql")
def _(element: BooleanJson, compiler: SQLCompiler, **options: Any) -> str:
    return f"({compiler.process(element.clauses, **options)})"


@compiles(BooleanJson, "sqlite")
def _(element: BooleanJson, compiler: SQLCompiler, **options: Any) -> str:
    return f"json(iif({compiler.process(element.clauses, **options)}, 'true', 'false'))"


@compiles(ListJson, "postgresql")
def _(element: ListJson, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(element.clauses, **options)


@compiles(ListJson, "sqlite")
def _(element: ListJson, compiler: SQLCompiler, **options: Any) -> str:
    return f"json({compiler.process(element.clauses, **options)})"


@compiles(JsonObject, "sqlite")
def _(element: JsonObject, compiler: SQLCompiler, **options: Any) -> str:
    members = ", ".join(f"'{name}', {compiler.process(value, **options)}" for name, value in element.members.items())
    return f"json_object({members})"


@compiles(JsonObject, "postgresql")
def _(element: JsonObject, compiler: SQLCompiler, **options: Any) -> str:
    """Concatenates the text: ``json_build_object`` takes twice as long, and writes spaces."""
    parts, literal = [], "{"
    for name, value in element.members.items():
        text = compiler.process(value, **options)
        quote = '"' if _is_only_quoted(value) else ""
        text = f"({text})::text" if quote or isinstance(value.type, Integer | Boolean) else _escaped(value, text)
        literal += f'"{name}":'
        if _is_never_null(value):
            parts += [f"'{literal}{quote}'", text]
            literal = f"{quote},"
        else:
            text = f"""'"' || {text} || '"'""" if quote else text
            parts += [f"'{literal}'", f"coalesce({text}, 'null')"]
            literal = ","
    return f"concat({', '.join(parts)}, '{literal[:-1]}}}')"


def _is_only_quoted(value: Any) -> bool:
    """Whether the value contains no character that JSON escapes."""
    return isinstance(value, InstantText | DayText | PlainText) or isinstance(value.type, UuidText)


def _escaped(value: Any, text: str) -> str:
    return f"array_to_json({text})::text" if isinstance(value, ListJson) else f"to_json({text})::text"


def _is_never_null(value: Any) -> bool:
    columns = value.clauses if isinstance(value, FunctionElement) else [value]
    return all(getattr(column, "nullable", True) is False for column in columns)
