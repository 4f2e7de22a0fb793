"""Which spaces a request is about, beside the one of ``call.space``."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import bindparam, select
from sqlalchemy.sql.base import Executable

from taskwell.api.call import RequestContext
from taskwell.database import Query, UuidText
from taskwell.database.json_rows import as_json_rows, json_rows
from taskwell.errors import NotFound, ReadOnly
from taskwell.spaces import SpaceAccess
from taskwell.spaces.tables import MembershipRow, SpaceRow
from taskwell.tasks.fields import UUID


def _access(dialect: str) -> Sequence[Executable]:
    asked = json_rows(dialect, "asked", {"space_id": UuidText()})
    return [
        select(SpaceRow.id, MembershipRow.role, SpaceRow.access, SpaceRow.time_zone)
        .join(asked, asked.c.space_id == SpaceRow.id)
        .join(MembershipRow, MembershipRow.space_id == asked.c.space_id)
        .where(MembershipRow.user_id == bindparam("actor", type_=UuidText))
    ]


_ACCESS: Query[SpaceAccess] = Query(_access, SpaceAccess)


def spaces_of(call: RequestContext) -> tuple[Sequence[SpaceAccess], bool]:
    """The spaces that a page is about, and whether all of the caller's were asked for."""
    return (call.space,), False


async def spaces_named(call: RequestContext, names: Collection[str]) -> Mapping[str, SpaceAccess]:
    """Those of the spaces that a body names in which the caller has a part."""
    ids = {name: own if (own := _own(call, name)) is not None else name.lower() for name in names}
    asked = as_json_rows([{"space_id": each} for each in set(ids.values()) if UUID.fullmatch(each)])
    rows = await call.lane.rows(_ACCESS, asked=asked, actor=call.user.user_id) if ids else []
    limit = call.settings.max_tasks_per_space
    found = {each.id: replace(each, max_tasks=limit) for each in rows}
    return {name: found[space_id] for name, space_id in ids.items() if space_id in found}


def _own(call: RequestContext, name: str) -> str | None:
    return call.user.user_id if name == "personal" or call.user.is_named(name) else None


async def space_named(call: RequestContext, name: str) -> SpaceAccess:
    """The space that a body names, to be written to; see ``to_be_written``."""
    return to_be_written((await spaces_named(call, {name})).get(name))


def to_be_written(space: SpaceAccess | None) -> SpaceAccess:
    """Raises:
    NotFound: the caller has no part in it.
    ReadOnly: they may only read it.
    """
    if space is None:
        raise NotFound("There is no such space.")
    if space.role == "reader":
        raise ReadOnly
    return space
