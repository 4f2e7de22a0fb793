"""The verbs of spaces. Each locks the space's row, so it reads the actor's role as nobody can change it any more."""

from typing import Any

from sqlalchemy import BigInteger, Text, bindparam, delete, func, insert, literal, or_, select, update

from taskwell.database import Lane, Query, UtcInstant, UuidText, new_id, now
from taskwell.errors import Conflict, Invalid, LimitReached, NotOwner, Unauthorized
from taskwell.spaces.precondition import IfMatch
from taskwell.spaces.queries import ACTOR, Space, get
from taskwell.spaces.revision import SPACE
from taskwell.spaces.rules import MAX_MEMBERSHIPS
from taskwell.spaces.tables import MembershipRow, SpaceRow

_IS_SPACE = SpaceRow.id == SPACE
_AT = bindparam("at", type_=UtcInstant)

_LOCK: Query[str] = Query(select(SpaceRow.id).where(_IS_SPACE).with_for_update(), str)
LOCK_WITH_OWN: Query[str] = Query(
    select(SpaceRow.id).where(or_(_IS_SPACE, SpaceRow.id == ACTOR)).order_by(SpaceRow.id).with_for_update(), str
)
"""The space and the actor's own, which stands for all of their memberships, in the order of the ids."""

_CHANGED: Query[Any] = Query(
    update(SpaceRow)
    .where(_IS_SPACE)
    .values(
        name=func.coalesce(bindparam("name", None, Text), SpaceRow.name),
        access=SpaceRow.access + bindparam("by", type_=BigInteger),
        revision=SpaceRow.revision + 1,
        changed_revision=SpaceRow.revision + 1,
        updated_at=_AT,
    ),
    lambda *_: None,
)


async def lock_as_member(transaction: Lane, actor_id: str, space_id: str, *, as_owner: bool = False) -> Space:
    """Makes every other write to the space wait until this transaction ends; gives the space as it is now.

    Raises:
        NotFound: there is no such space, or the actor is no member of it.
        NotOwner: they are a member of another role.
    """
    await transaction.rows(_LOCK, space=space_id)
    space = await get(transaction, actor_id, space_id)
    if as_owner and space.role != "owner":
        raise NotOwner
    return space


async def members_changed(transaction: Lane, space_id: str) -> None:
    """Takes the next revision, and ends every role that was read before."""
    await transaction.rows(_CHANGED, space=space_id, by=1, at=now())


_SHARED: Query[int] = Query(
    select(func.count()).where(MembershipRow.user_id == ACTOR, MembershipRow.space_id != ACTOR), int
)
JOIN: Query[Any] = Query(
    insert(MembershipRow).values(
        space_id=SPACE,
        user_id=bindparam("user_id", type_=UuidText),
        role=bindparam("role", type_=Text),
        joined_at=_AT,
    ),
    lambda *_: None,
)
_MAKE: Query[Any] = Query(
    insert(SpaceRow).values(
        id=SPACE,
        kind=literal("shared", Text),
        name=bindparam("name", type_=Text),
        time_zone=bindparam("time_zone", type_=Text),
        revision=literal(1, BigInteger),
        changed_revision=literal(1, BigInteger),
        created_by=ACTOR,
        created_at=_AT,
        updated_at=_AT,
    ),
    lambda *_: None,
)


async def require_room_for_membership(transaction: Lane, actor_id: str) -> None:
    """Raises:
    LimitReached: the actor is in as many spaces as they may be.
    """
    if (await transaction.row(_SHARED, actor=actor_id) or 0) >= MAX_MEMBERSHIPS:
        raise LimitReached(f"You may be in {MAX_MEMBERSHIPS} shared spaces; leave one first.")


async def create(lane: Lane, actor_id: str, *, name: str, time_zone: str) -> Space:
    """Makes a shared space, which the actor owns.

    Raises:
        LimitReached: see ``require_room_for_membership``.
        Unauthorized: the actor is gone.
    """
    space_id, at = new_id(), now()
    async with lane.transaction() as transaction:
        if not await transaction.rows(_LOCK, space=actor_id):
            raise Unauthorized
        await require_room_for_membership(transaction, actor_id)
        await transaction.rows(_MAKE, space=space_id, actor=actor_id, name=name, time_zone=time_zone, at=at)
        await transaction.rows(JOIN, space=space_id, user_id=actor_id, role="owner", at=at)
        return await get(transaction, actor_id, space_id)


async def change(
    lane: Lane, actor_id: str, space_id: str, *, name: str | None = None, if_match: IfMatch = None
) -> Space:
    """Renames the space; its time zone is ``tasks.move_to_zone``'s, since days move with it.

    Raises:
        NotFound: there is no such space.
        NotOwner: the actor does not own it.
        PreconditionFailed: see ``Precondition.require``.
    """
    async with lane.transaction() as transaction:
        space = await lock_as_member(transaction, actor_id, space_id, as_owner=True)
        if if_match is not None:
            if_match.require(space.changed_revision, "space")
        if name is None or name == space.name:
            return space
        await transaction.rows(_CHANGED, space=space_id, name=name, by=0, at=now())
        return await get(transaction, actor_id, space_id)


_REMOVE: Query[Any] = Query(delete(SpaceRow).where(_IS_SPACE), lambda *_: None, is_heavy=True)


async def remove(lane: Lane, actor_id: str, space_id: str, *, confirm: str, if_match: IfMatch = None) -> None:
    """Removes a shared space with everything in it.

    Args:
        confirm: Its name.

    Raises:
        Conflict: it is a personal one.
        Invalid: it has another name.
        Also what ``change`` raises.
    """
    async with lane.transaction() as transaction:
        space = await lock_as_member(transaction, actor_id, space_id, as_owner=True)
        if not space.is_shared:
            raise Conflict("A personal space goes with its user; delete the account instead.")
        if confirm != space.name:
            raise Invalid.field("confirm", "It must be the name of the space.", "wrong_name")
        if if_match is not None:
            if_match.require(space.changed_revision, "space")
        await transaction.rows(_REMOVE, space=space_id)
