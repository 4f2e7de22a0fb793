"""Whether what a process remembers of spaces still holds."""

from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlalchemy.sql.base import Executable

from taskwell.database import Lane, Query, UuidText
from taskwell.database.json_rows import as_json_rows, json_rows
from taskwell.spaces.tables import SpaceRow


def _current(dialect: str) -> Sequence[Executable]:
    known = json_rows(dialect, "known", {"id": UuidText()})
    return [select(SpaceRow.id, SpaceRow.access, SpaceRow.time_zone).join(known, known.c.id == SpaceRow.id)]


_CURRENT: Query[tuple[str, int, str]] = Query(_current, lambda *columns: columns)


async def current(lane: Lane, space_ids: Collection[str]) -> set[tuple[str, int, str]]:
    """The id, the number of the last change of members, and the time zone of each space that is still there."""
    return set(await lane.rows(_CURRENT, known=as_json_rows([{"id": each} for each in space_ids])))
