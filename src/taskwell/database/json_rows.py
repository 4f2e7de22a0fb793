"""Many rows as one parameter: one statement and one round trip for any number of rows."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy import JSON, FromClause, Text, bindparam, cast, column, func, literal_column, select, type_coerce
from sqlalchemy.types import TypeEngine

from taskwell.database.base import instant_text


def json_rows(dialect: str, name: str, columns: Mapping[str, TypeEngine[Any]]) -> FromClause:
    """The rows of the parameter ``name`` as a table of that name, with these columns; see ``as_json_rows``."""
    rows = bindparam(name, type_=Text)
    if dialect == "postgresql":
        typed = [column(each, type_) for each, type_ in columns.items()]
        return func.json_to_recordset(cast(rows, JSON)).table_valued(*typed).render_derived(name, with_types=True)
    member = func.json_each(rows).table_valued(column("value", Text), name=f"{name}_json").c.value
    typed_members = (
        type_coerce(func.json_extract(member, literal_column(f"'$.{each}'")), type_).label(each)
        for each, type_ in columns.items()
    )
    # LIMIT -1 limits nothing. It makes SQLite build the table once, instead of reading all of it for each row.
    return select(*typed_members).limit(literal_column("-1")).subquery(name)


def as_json_rows(rows: Sequence[Mapping[str, object]]) -> str:
    """The rows as the text that ``json_rows`` reads."""
    return orjson.dumps(rows, default=_as_text, option=orjson.OPT_PASSTHROUGH_DATETIME).decode()


def _as_text(value: object) -> str:
    """Instants and days in SQLite's spelling, which PostgreSQL reads too."""
    if isinstance(value, datetime):
        return instant_text(value)
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(type(value))
