"""The verbs of members: their roles, and how they leave.

With a membership end its reminders and the invitations that it made (foreign keys), and its assignments (a trigger).
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Text, bindparam, case, delete, exists, func, insert, select, tuple_, update
from sqlalchemy.orm import aliased
from sqlalchemy.sql.base import Executable

from taskwell.database import Lane, Query, UtcInstant, UuidText, now
from taskwell.errors import LastOwner
from taskwell.spaces.access import Role
from taskwell.spaces.queries import ACTOR, MEMBER, Member
from taskwell.spaces.revision import SPACE
from taskwell.spaces.rules import no_such_member
from taskwell.spaces.tables import InvitationBarRow, InvitationRow, MembershipRow, SpaceRow
from taskwell.spaces.verbs import lock_as_member, members_changed

_USER_ID = bindparam("user_id", type_=UuidText)
_IN_SPACE = MembershipRow.space_id == SPACE
_IS_MEMBER = (_IN_SPACE, MembershipRow.user_id == _USER_ID)

_OWNERS: Query[int] = Query(select(func.count()).where(_IN_SPACE, MembershipRow.role == "owner"), int)
_SET_ROLE: Query[Any] = Query(
    update(MembershipRow).where(*_IS_MEMBER).values(role=bindparam("role", type_=Text)), lambda *_: None
)
_END_INVITATIONS: Query[Any] = Query(
    delete(InvitationRow).where(InvitationRow.space_id == SPACE, InvitationRow.created_by == _USER_ID),
    lambda *_: None,
)
_BAR: Query[Any] = Query(
    insert(InvitationBarRow).from_select(
        ["user_id", "invitation_id"], select(_USER_ID, InvitationRow.id).where(InvitationRow.space_id == SPACE)
    ),
    lambda *_: None,
)
_LEAVE: Query[Any] = Query(delete(MembershipRow).where(*_IS_MEMBER), lambda *_: None)


async def change_role(lane: Lane, actor_id: str, space_id: str, user_id: str, role: Role) -> Member:
    """Gives a member another role; with that of an owner end the invitations that they made.

    Raises:
        NotFound: there is no such space or member.
        NotOwner: the actor does not own the space.
        LastOwner: nobody else owns it.
    """
    async with lane.transaction() as transaction:
        await lock_as_member(transaction, actor_id, space_id, as_owner=True)
        member = await _member(transaction, space_id, user_id)
        if member.role == role:
            return member
        if member.role == "owner":
            await _require_other_owner(transaction, space_id)
            await transaction.rows(_END_INVITATIONS, space=space_id, user_id=user_id)
        await transaction.rows(_SET_ROLE, space=space_id, user_id=user_id, role=role)
        await members_changed(transaction, space_id)
        return await _member(transaction, space_id, user_id)


async def remove(lane: Lane, actor_id: str, space_id: str, user_id: str) -> None:
    """Ends a membership. No invitation from before lets in again whom an owner has removed.

    Raises:
        NotOwner: it is another's, and the actor does not own the space.
        Also what ``change_role`` raises.
    """
    is_other = user_id != actor_id
    async with lane.transaction() as transaction:
        await lock_as_member(transaction, actor_id, space_id, as_owner=is_other)
        if (await _member(transaction, space_id, user_id)).role == "owner":
            await _require_other_owner(transaction, space_id)
        await members_changed(transaction, space_id)  # first: the trigger stamps with this revision
        if is_other:
            await transaction.rows(_BAR, space=space_id, user_id=user_id)
        await transaction.rows(_LEAVE, space=space_id, user_id=user_id)


async def _member(transaction: Lane, space_id: str, user_id: str) -> Member:
    found = await transaction.row(MEMBER, space=space_id, user_id=user_id)
    if found is None:
        raise no_such_member()
    return found


async def _require_other_owner(transaction: Lane, space_id: str) -> None:
    if (await transaction.row(_OWNERS, space=space_id) or 0) < 2:
        raise LastOwner


_mine = select(MembershipRow.space_id).where(MembershipRow.user_id == ACTOR)
_other = aliased(MembershipRow)
_IS_SHARED = SpaceRow.kind == "shared"
_HAS_OTHERS = exists(select(_other.user_id).where(_other.space_id == SpaceRow.id, _other.user_id != ACTOR))

_LOCK_ALL: Query[str] = Query(
    select(SpaceRow.id).where(SpaceRow.id.in_(_mine)).order_by(SpaceRow.id).with_for_update(), str
)
_REMOVE_DESERTED: Query[Any] = Query(
    delete(SpaceRow).where(SpaceRow.id.in_(_mine), _IS_SHARED, ~_HAS_OTHERS), lambda *_: None, is_heavy=True
)


def _succeed(_: str) -> Sequence[Executable]:
    """Of those with the highest role, whoever joined first."""
    owners = select(_other.space_id).where(_other.role == "owner", _other.user_id != ACTOR)
    highest = case({"owner": 0, "editor": 1}, value=_other.role, else_=2)
    place = func.row_number().over(partition_by=_other.space_id, order_by=(highest, _other.joined_at, _other.user_id))
    owned = _mine.where(MembershipRow.role == "owner")
    heirs = (
        select(_other.space_id, _other.user_id, place.label("place"))
        .where(_other.user_id != ACTOR, _other.space_id.in_(owned), _other.space_id.not_in(owners))
        .subquery("heirs")
    )
    first = select(heirs.c.space_id, heirs.c.user_id).where(heirs.c.place == 1)
    return [
        update(MembershipRow)
        .where(tuple_(MembershipRow.space_id, MembershipRow.user_id).in_(first))
        .values(role="owner")
    ]


_SUCCEED: Query[Any] = Query(_succeed, lambda *_: None)
_ALL_CHANGED: Query[Any] = Query(
    update(SpaceRow)
    .where(SpaceRow.id.in_(_mine), _IS_SHARED)
    .values(
        access=SpaceRow.access + 1,
        revision=SpaceRow.revision + 1,
        changed_revision=SpaceRow.revision + 1,
        updated_at=bindparam("at", type_=UtcInstant),
    ),
    lambda *_: None,
)
_LEAVE_ALL: Query[Any] = Query(
    delete(MembershipRow).where(MembershipRow.user_id == ACTOR, MembershipRow.space_id != ACTOR), lambda *_: None
)


async def lock_spaces_of(transaction: Lane, user_id: str) -> None:
    """Makes every write to the user's spaces wait; to be locked before the user's row, as every verb does."""
    await transaction.rows(_LOCK_ALL, actor=user_id)


async def leave_every_space(transaction: Lane, user_id: str) -> None:
    """Ends every membership of a user who is to be deleted; each space keeps an owner, or goes."""
    await lock_spaces_of(transaction, user_id)
    await transaction.rows(_REMOVE_DESERTED, actor=user_id)
    await transaction.rows(_SUCCEED, actor=user_id)
    await transaction.rows(_ALL_CHANGED, actor=user_id, at=now())
    await transaction.rows(_LEAVE_ALL, actor=user_id)
