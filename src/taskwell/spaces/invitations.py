"""The verbs of invitations: a token of 256 bits, stored as a hash only, that lets its holders into a space."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Text, bindparam, delete, func, insert, literal_column, select, update

from taskwell.database import Lane, Query, UtcInstant, UuidText, new_id, now
from taskwell.database.lanes import ForeignKeyViolated
from taskwell.errors import (
    Conflict,
    LimitReached,
    LinkOver,
    NotFound,
    NotInvited,
    NotOwner,
    TooManyRequests,
    Unauthorized,
)
from taskwell.mail import outbox, quota
from taskwell.spaces.access import Role
from taskwell.spaces.queries import ACTOR, MEMBER, Space, get
from taskwell.spaces.revision import SPACE
from taskwell.spaces.rules import MAX_INVITATIONS, MAX_MEMBERS
from taskwell.spaces.tables import InvitationBarRow, InvitationRow, InvitationTokenRow, MembershipRow
from taskwell.spaces.verbs import (
    JOIN,
    LOCK_WITH_OWN,
    lock_as_member,
    members_changed,
    require_room_for_membership,
)

INVITATION: Final = "invitation"
"""The kind of the mail; it has the id of its invitation."""

MAILS_TO_AN_ADDRESS, MAILS_OF_A_USER = 3, 50
"""In a day."""

KEPT_FOR = timedelta(days=30)
"""How long a member who follows an old link again is told that they are in."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """The order is that of ``_COLUMNS``."""

    id: str
    role: Role
    email: str | None
    uses_left: int
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class _Way:
    """What a token leads to. The order is that of ``_BY_TOKEN``."""

    invitation_id: str
    space_id: str
    role: Role
    email_key: str | None


_COLUMNS = (
    InvitationRow.id,
    InvitationRow.role,
    InvitationRow.email,
    InvitationRow.uses_left,
    InvitationRow.expires_at,
)
_AT = bindparam("at", type_=UtcInstant)
_HASH = bindparam("hash", type_=Text)
_INVITATION_ID = bindparam("invitation_id", type_=UuidText)
_IN_SPACE = InvitationRow.space_id == SPACE
_IS_OPEN = (InvitationRow.uses_left > 0, InvitationRow.expires_at > _AT)

_LIST: Query[Invitation] = Query(select(*_COLUMNS).where(_IN_SPACE, *_IS_OPEN).order_by(InvitationRow.id), Invitation)
_ADD: Query[Invitation] = Query(
    insert(InvitationRow)
    .values(
        {"space_id": SPACE, "created_by": ACTOR}
        | {
            name: bindparam(name, type_=InvitationRow.__table__.c[name].type)
            for name in ("id", "role", "email", "email_key", "uses_left", "expires_at", "created_at")
        }
    )
    .returning(*_COLUMNS),
    Invitation,
)
_ADD_TOKEN: Query[Any] = Query(
    insert(InvitationTokenRow).values(hash=_HASH, invitation_id=_INVITATION_ID), lambda *_: None
)
_WITHDRAW: Query[str] = Query(
    delete(InvitationRow).where(_IN_SPACE, InvitationRow.id == _INVITATION_ID).returning(InvitationRow.id), str
)


async def every(lane: Lane, actor_id: str, space_id: str) -> list[Invitation]:
    """Those that still let somebody in, the oldest first.

    Raises:
        NotFound: there is no such space.
        NotOwner: the actor does not own it.
    """
    if (await get(lane, actor_id, space_id)).role != "owner":
        raise NotOwner
    return await lane.rows(_LIST, space=space_id, at=now())


async def create(
    lane: Lane,
    actor_id: str,
    space_id: str,
    *,
    role: Role,
    uses: int,
    lifetime: timedelta,
    email: tuple[str, str] | None = None,
) -> tuple[Invitation, str]:
    """Makes an invitation and its token, and queues its mail where it has an e-mail.

    Args:
        email: The only one that can use it, and the same as it is compared.

    Raises:
        Conflict: it is a personal space.
        LimitReached: the space has too many open invitations.
        TooManyRequests: the address has had, or the actor has caused, the mails of this day.
        Also what ``every`` raises.
    """
    at, token = now(), secrets.token_urlsafe(32)
    async with lane.transaction() as transaction:
        space = await lock_as_member(transaction, actor_id, space_id, as_owner=True)
        if not space.is_shared:
            raise Conflict("A personal space cannot be shared; make a shared space.")
        if len(await transaction.rows(_LIST, space=space_id, at=at)) >= MAX_INVITATIONS:
            raise LimitReached(f"A space may have {MAX_INVITATIONS} open invitations; withdraw one first.")
        address, key = email or (None, None)
        made = await transaction.row(
            _ADD,
            space=space_id,
            actor=actor_id,
            id=new_id(),
            role=role,
            email=address,
            email_key=key,
            uses_left=uses,
            expires_at=at + lifetime,
            created_at=at,
        )
        assert made is not None
        await transaction.rows(_ADD_TOKEN, hash=_hash(token), invitation_id=made.id)
        if address is not None:
            await _count_mail(transaction, f"{INVITATION}/{key}", MAILS_TO_AN_ADDRESS)
            await _count_mail(transaction, f"{INVITATION}s of/{actor_id}", MAILS_OF_A_USER)
            await outbox.put(transaction, INVITATION, user_id=actor_id, email=address, mail_id=made.id)
    return made, token


async def _count_mail(transaction: Lane, name: str, limit: int) -> None:
    if not await quota.take(transaction, name, limit):
        seconds = await quota.seconds_left(transaction, name)
        raise TooManyRequests(
            "There were too many invitations by mail today; share the link of an invitation yourself.",
            headers={
                "Retry-After": str(seconds),
                "RateLimit-Policy": f'"mails";q={limit};w={int(quota.DAY.total_seconds())}',
                "RateLimit": f'"mails";r=0;t={seconds}',
            },
        )


async def withdraw(lane: Lane, actor_id: str, space_id: str, invitation_id: str) -> None:
    """Raises:
    NotFound: there is no such space or invitation.
    NotOwner: the actor does not own the space.
    """
    async with lane.transaction() as transaction:
        await lock_as_member(transaction, actor_id, space_id, as_owner=True)
        if not await transaction.rows(_WITHDRAW, space=space_id, invitation_id=invitation_id):
            raise NotFound("There is no such invitation.")


_ADD_MAILED: Query[str] = Query(
    insert(InvitationTokenRow)
    .from_select(
        ["hash", "invitation_id"],
        select(_HASH, InvitationRow.id).where(InvitationRow.id == _INVITATION_ID, *_IS_OPEN),
    )
    .returning(InvitationTokenRow.invitation_id),
    str,
)


async def token_to_mail(lane: Lane, invitation_id: str) -> str | None:
    """Another token of the invitation; None where it lets nobody in any more."""
    token = secrets.token_urlsafe(32)
    made = await lane.row(_ADD_MAILED, hash=_hash(token), invitation_id=invitation_id, at=now())
    return None if made is None else token


_BY_TOKEN: Query[_Way] = Query(
    select(InvitationRow.id, InvitationRow.space_id, InvitationRow.role, InvitationRow.email_key)
    .join(InvitationTokenRow, InvitationTokenRow.invitation_id == InvitationRow.id)
    .where(InvitationTokenRow.hash == _HASH),
    _Way,
)
_USE: Query[int] = Query(
    update(InvitationRow)
    .where(_IN_SPACE, InvitationRow.id == _INVITATION_ID, *_IS_OPEN)
    .values(uses_left=InvitationRow.uses_left - 1)
    .returning(InvitationRow.uses_left),
    int,
)
_IS_BARRED: Query[int] = Query(
    select(literal_column("1")).where(
        InvitationBarRow.user_id == ACTOR, InvitationBarRow.invitation_id == _INVITATION_ID
    ),
    int,
)
_MEMBERS: Query[int] = Query(select(func.count()).where(MembershipRow.space_id == SPACE), int)


async def accept(lane: Lane, actor_id: str, token: str, *, email_key: str | None) -> Space:
    """Makes the actor a member; whoever is one already stays as they are, and takes no use.

    Args:
        email_key: The actor's e-mail as it is compared, if it is confirmed.

    Raises:
        LinkOver: the token is used up, withdrawn, over or nobody's, or older than the actor's removal.
        NotInvited: it is for another e-mail.
        LimitReached: the space, or the actor, has as many members or spaces as may be.
        Unauthorized: the actor is gone.
    """
    async with lane.transaction() as transaction:
        way = await transaction.row(_BY_TOKEN, hash=_hash(token))
        if way is None:
            raise LinkOver
        await transaction.rows(LOCK_WITH_OWN, space=way.space_id, actor=actor_id)
        if await transaction.row(MEMBER, space=way.space_id, user_id=actor_id) is None:
            await _join(transaction, actor_id, way, email_key)
        return await get(transaction, actor_id, way.space_id)


async def _join(transaction: Lane, actor_id: str, way: _Way, email_key: str | None) -> None:
    at = now()
    used = await transaction.row(_USE, space=way.space_id, invitation_id=way.invitation_id, at=at)
    if used is None or await transaction.rows(_IS_BARRED, actor=actor_id, invitation_id=way.invitation_id):
        raise LinkOver
    if way.email_key not in (None, email_key):
        raise NotInvited
    if (await transaction.row(_MEMBERS, space=way.space_id) or 0) >= MAX_MEMBERS:
        raise LimitReached(f"A space may have {MAX_MEMBERS} members.")
    await require_room_for_membership(transaction, actor_id)
    try:
        await transaction.rows(JOIN, space=way.space_id, user_id=actor_id, role=way.role, at=at)
    except ForeignKeyViolated:
        raise Unauthorized from None
    await members_changed(transaction, way.space_id)


_old = (
    select(InvitationRow.id)
    .where(InvitationRow.expires_at < bindparam("before", type_=UtcInstant))
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
    .cte("old")
)
_PURGE: Query[str] = Query(
    delete(InvitationRow).where(InvitationRow.id.in_(select(_old.c.id))).returning(InvitationRow.id),
    str,
    is_heavy=True,
)


async def purge(lane: Lane, limit: int) -> int:
    """Forgets invitations whose time has passed long ago, so many at most; gives how many."""
    return len(await lane.rows(_PURGE, before=now() - KEPT_FOR, limit=limit))


def _hash(token: str) -> str:
    return sha256(token.encode("utf-8", "replace")).hexdigest()
