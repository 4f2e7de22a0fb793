"""What a user sees of their spaces."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, case, func, select
from sqlalchemy.orm import aliased

from taskwell.database import Lane, Query, UuidText
from taskwell.spaces.access import Role, SpaceAccess
from taskwell.spaces.revision import SPACE
from taskwell.spaces.rules import no_such_space
from taskwell.spaces.tables import USERS, MembershipRow, SpaceRow

ACTOR = bindparam("actor", type_=UuidText)


@dataclass(frozen=True, slots=True)
class Space:
    """A space as one member sees it. The order is that of ``_COLUMNS``.

    Attributes:
        members: How many there are.
        changed_revision: Of the last change of name, zone or members.
    """

    id: str
    kind: str
    name: str
    role: Role
    members: int
    time_zone: str
    revision: int
    changed_revision: int
    access: int
    created_at: datetime
    updated_at: datetime

    @property
    def is_shared(self) -> bool:
        return self.kind == "shared"

    def accessed(self) -> SpaceAccess:
        """The space for the verbs of what is in it."""
        return SpaceAccess(self.id, self.role, self.access, self.time_zone)


@dataclass(frozen=True, slots=True)
class Member:
    """The order is that of ``_MEMBER_COLUMNS``."""

    user_id: str
    name: str
    role: Role
    joined_at: datetime


_other = aliased(MembershipRow)
_COLUMNS = (
    SpaceRow.id,
    SpaceRow.kind,
    SpaceRow.name,
    MembershipRow.role,
    select(func.count(_other.user_id))
    .where(MembershipRow.space_id == _other.space_id)
    .correlate(MembershipRow)
    .scalar_subquery(),
    SpaceRow.time_zone,
    SpaceRow.revision,
    SpaceRow.changed_revision,
    SpaceRow.access,
    SpaceRow.created_at,
    SpaceRow.updated_at,
)
_OF_ACTOR = (
    select(*_COLUMNS).join(MembershipRow, MembershipRow.space_id == SpaceRow.id).where(MembershipRow.user_id == ACTOR)
)
_EVERY: Query[Space] = Query(
    _OF_ACTOR.order_by(case((SpaceRow.kind == "personal", 0), else_=1), MembershipRow.joined_at, SpaceRow.id), Space
)
_ONE: Query[Space] = Query(_OF_ACTOR.where(SpaceRow.id == SPACE, MembershipRow.space_id == SPACE), Space)


async def every(lane: Lane, actor_id: str) -> list[Space]:
    """The spaces of a user: the personal one, then those that they joined, the first joined first."""
    return await lane.rows(_EVERY, actor=actor_id)


async def get(lane: Lane, actor_id: str, space_id: str) -> Space:
    """Raises:
    NotFound: there is no such space, or the actor is no member of it.
    """
    found = await lane.row(_ONE, actor=actor_id, space=space_id)
    if found is None:
        raise no_such_space()
    return found


_MEMBER_COLUMNS = (MembershipRow.user_id, USERS.c.name, MembershipRow.role, MembershipRow.joined_at)
_IN_SPACE = MembershipRow.space_id == SPACE
_members = select(*_MEMBER_COLUMNS).join(USERS, USERS.c.id == MembershipRow.user_id).where(_IN_SPACE)
_MEMBERS: Query[Member] = Query(_members.order_by(MembershipRow.joined_at, MembershipRow.user_id), Member)
MEMBER: Query[Member] = Query(_members.where(MembershipRow.user_id == bindparam("user_id", type_=UuidText)), Member)


async def members(lane: Lane, actor_id: str, space_id: str) -> list[Member]:
    """Raises:
    NotFound: see ``get``.
    """
    found = await lane.rows(_MEMBERS, space=space_id)
    if all(each.user_id != actor_id for each in found):
        raise no_such_space()
    return found


_ACCESS_COLUMNS = (SpaceRow.id, MembershipRow.role, SpaceRow.access, SpaceRow.time_zone)
_ACCESSES = (
    select(*_ACCESS_COLUMNS)
    .join(MembershipRow, MembershipRow.space_id == SpaceRow.id)
    .where(MembershipRow.user_id == ACTOR)
)
_ACCESS: Query[SpaceAccess] = Query(
    _ACCESSES.where(SpaceRow.id == SPACE, MembershipRow.space_id == SPACE), SpaceAccess
)
_EVERY_ACCESS: Query[SpaceAccess] = Query(_ACCESSES.order_by(SpaceRow.id), SpaceAccess)


async def access_of(lane: Lane, actor_id: str, space_id: str) -> SpaceAccess | None:
    """What the actor may do there now; None where they are no member."""
    return await lane.row(_ACCESS, actor=actor_id, space=space_id)


async def accesses_of(lane: Lane, actor_id: str) -> list[SpaceAccess]:
    """What the actor may do in each of their spaces, by the ids of the spaces."""
    return await lane.rows(_EVERY_ACCESS, actor=actor_id)
