"""Which spaces a request is about, beside the one of ``call.space``."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import bindparam, select

from taskwell.api.call import RequestContext
from taskwell.database import Query, UuidText
from taskwell.errors import NotFound, ReadOnly
from taskwell.spaces import SpaceAccess
from taskwell.spaces.revision import SPACE
from taskwell.spaces.tables import MembershipRow, SpaceRow
from taskwell.tasks.fields import UUID

_ACCESS: Query[SpaceAccess] = Query(
    select(SpaceRow.id, MembershipRow.role, SpaceRow.access, SpaceRow.time_zone)
    .join(MembershipRow, MembershipRow.space_id == SpaceRow.id)
    .where(
        SpaceRow.id == SPACE,
        MembershipRow.space_id == SPACE,
        MembershipRow.user_id == bindparam("actor", type_=UuidText),
    ),
    SpaceAccess,
)


def spaces_of(call: RequestContext) -> tuple[Sequence[SpaceAccess], bool]:
    """The spaces that a page is about, and whether all of the caller's were asked for."""
    return (call.space,), False


async def space_named(call: RequestContext, space_id: str) -> SpaceAccess:
    """The space that a body names, to be written to.

    Raises:
        NotFound: the caller has no part in it.
        ReadOnly: they may only read it.
    """
    named = call.user.user_id if space_id == "personal" or call.user.is_named(space_id) else space_id.lower()
    found = None
    if UUID.fullmatch(named):
        found = await call.lane.row(_ACCESS, space=named, actor=call.user.user_id)
    if found is None:
        raise NotFound("There is no such space.")
    if found.role == "reader":
        raise ReadOnly
    return replace(found, max_tasks=call.settings.max_tasks_per_space)
