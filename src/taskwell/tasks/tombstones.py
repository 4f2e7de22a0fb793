"""What says that a thing is gone from a space."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from sqlalchemy import BigInteger, Text, bindparam, delete, insert, literal, select
from sqlalchemy.sql.base import Executable

from taskwell.database import Lane, Query, UtcInstant, UuidText
from taskwell.database.json_rows import as_json_rows, json_rows
from taskwell.spaces.revision import SPACE
from taskwell.tasks.tables import TombstoneRow

Kind = Literal["task", "list", "comment"]

_KIND = bindparam("kind", type_=Text)

TASK_TOMBSTONE = select(literal(1)).where(
    TombstoneRow.space_id == SPACE,
    TombstoneRow.kind == "task",
    TombstoneRow.id == bindparam("task_id", type_=UuidText),
)


def _remove(dialect: str) -> Sequence[Executable]:
    given = json_rows(dialect, "given", {"id": UuidText()})
    is_of_them = TombstoneRow.id.in_(select(given.c.id))
    return [delete(TombstoneRow).where(TombstoneRow.space_id == SPACE, TombstoneRow.kind == _KIND, is_of_them)]


def _add(dialect: str) -> Sequence[Executable]:
    given = json_rows(dialect, "given", {"id": UuidText()})
    revision, at = bindparam("revision", type_=BigInteger), bindparam("now", type_=UtcInstant)
    names = ["space_id", "kind", "id", "revision", "at"]
    return [insert(TombstoneRow).from_select(names, select(SPACE, _KIND, given.c.id, revision, at))]


_REMOVE: Query[int] = Query(_remove, int, is_heavy=True)
_ADD: Query[int] = Query(_add, int, is_heavy=True)


async def leave(
    transaction: Lane, space_id: str, kind: Kind, ids: Sequence[str], *, revision: int, at: datetime
) -> None:
    """Says that things are gone from the space since a revision."""
    given = as_json_rows([{"id": each} for each in ids])
    await transaction.rows(_ADD, space=space_id, kind=kind, given=given, revision=revision, now=at)


async def take_away(transaction: Lane, space_id: str, kind: Kind, ids: Sequence[str]) -> None:
    """Makes room for things that come back to the space."""
    given = as_json_rows([{"id": each} for each in ids])
    await transaction.rows(_REMOVE, space=space_id, kind=kind, given=given)
