"""The verbs of one's own account: see it, change it, remove it."""

from dataclasses import replace
from datetime import datetime
from typing import Any, TypedDict

from sqlalchemy import bindparam, delete, select, update

from taskwell.database import Lane, Query, UtcInstant, UuidText, now
from taskwell.database.lanes import UniqueViolated
from taskwell.errors import EmailTaken, Invalid, Unauthorized, WrongPassword
from taskwell.security.claims import identity_id
from taskwell.security.passwords import is_password
from taskwell.spaces.personal import lock_personal_space, remove_personal_space
from taskwell.spaces.tables import SpaceRow
from taskwell.users.principal import Principal
from taskwell.users.revocation import announce_change, refuse_former, revoke
from taskwell.users.tables import ExternalIdentityRow, UserRow
from taskwell.users.user import User, email_key

TIME_ZONE = select(SpaceRow.time_zone).where(SpaceRow.id == UserRow.id).correlate(UserRow).scalar_subquery()
"""A user's time zone is that of their own space."""

USER_COLUMNS = (
    UserRow.id,
    UserRow.email,
    UserRow.name,
    TIME_ZONE,
    UserRow.created_at,
    UserRow.updated_at,
)

OWN_ROW = UserRow.id == bindparam("user_id", type_=UuidText)

BY_ID: Query[User] = Query(select(*USER_COLUMNS).where(OWN_ROW), User)

PASSWORD_HASH: Query[str | None] = Query(select(UserRow.password_hash).where(OWN_ROW), lambda found: found)


_LOCK: Query[str] = Query(select(UserRow.id).where(OWN_ROW).with_for_update(), str)


async def lock_account(transaction: Lane, user: Principal) -> None:
    """Makes every other change of the account wait until this transaction ends.

    Raises:
        Unauthorized: the user is gone.
    """
    if await transaction.row(_LOCK, user_id=user.user_id) is None:
        raise Unauthorized


class ProfileChanges(TypedDict, total=False):
    """The fields that a change names; the time zone is ``tasks.move_to_zone``'s, since days move with it."""

    name: str
    email: str


async def get(lane: Lane, user: Principal) -> User:
    """Raises:
    Unauthorized: the user is gone.
    """
    found = await lane.row(BY_ID, user_id=user.user_id)
    if found is None:
        raise Unauthorized
    return found


_REWRITE: Query[Any] = Query(
    update(UserRow)
    .where(OWN_ROW)
    .values(
        name=bindparam("name"),
        email=bindparam("email"),
        email_key=bindparam("email_key"),
        updated_at=bindparam("updated_at", type_=UtcInstant),
    ),
    lambda *_: None,
)


async def change(lane: Lane, user: Principal, changes: ProfileChanges) -> tuple[User, set[str]]:
    """Changes the named fields; nothing is written where none of them differs.

    Returns:
        The user as it is now, and which fields differed.

    Raises:
        EmailTaken: another local account has the e-mail.
        Unauthorized: the user is gone.
    """
    async with lane.transaction() as transaction:
        await lock_account(transaction, user)
        before = await get(transaction, user)
        differing = {name for name, value in changes.items() if value != getattr(before, name)}
        if not differing:
            return before, differing
        after = replace(before, **changes, updated_at=now())
        values = {"name": after.name, "email": after.email, "updated_at": after.updated_at}
        key = email_key(after.email) if after.email and not user.is_external else None
        try:
            await transaction.rows(_REWRITE, user_id=user.user_id, email_key=key, **values)
        except UniqueViolated:
            raise EmailTaken from None
        return after, differing


_ZONE_MOVED: Query[Any] = Query(
    update(UserRow).where(OWN_ROW).values(updated_at=bindparam("at", type_=UtcInstant)), lambda *_: None
)


async def zone_moved(transaction: Lane, user: Principal, at: datetime) -> None:
    """Notes that the user's own space has another time zone, and has every process look the user up again."""
    await transaction.rows(_ZONE_MOVED, user_id=user.user_id, at=at)
    await announce_change(transaction, user.user_id)


async def confirm_password(lane: Lane, user: Principal, password: str) -> str:
    """The hash of the user's password, if this is the password.

    Raises:
        WrongPassword: it is not.
        Unauthorized: the user is gone.
    """
    rows = await lane.rows(PASSWORD_HASH, user_id=user.user_id)
    if not rows:
        raise Unauthorized
    (password_hash,) = rows
    if not await is_password(password, password_hash) or password_hash is None:
        raise WrongPassword("The current password is wrong.")
    return password_hash


_IDENTITIES: Query[str] = Query(
    select(ExternalIdentityRow.issuer, ExternalIdentityRow.subject).where(
        ExternalIdentityRow.user_id == bindparam("user_id", type_=UuidText)
    ),
    identity_id,
)

_REMOVE: Query[datetime] = Query(
    delete(UserRow).where(OWN_ROW).returning(UserRow.created_at), lambda found: found, is_heavy=True
)


async def delete_account(lane: Lane, user: Principal, password: str | None) -> None:
    """Removes the user and everything they own, and refuses their tokens from then on.

    An external user, who has no password here, comes back as a new one with a token that is issued later.

    Raises:
        Invalid: a local user gave no password.
        WrongPassword: it is not the user's.
        Unauthorized: the user is gone.
    """
    if not user.is_external:
        if password is None:
            raise Invalid.field("password", "This field is required.", "missing")
        await confirm_password(lane, user, password)
    async with lane.transaction() as transaction:
        await lock_personal_space(transaction, user.user_id)
        await lock_account(transaction, user)
        await revoke(transaction, user)
        await remove(transaction, user.user_id)


async def remove(transaction: Lane, user_id: str) -> None:
    """Removes a user and their space, on which every other row depends."""
    await lock_personal_space(transaction, user_id)
    await transaction.rows(_LOCK, user_id=user_id)
    await refuse_former(transaction, user_id, await transaction.rows(_IDENTITIES, user_id=user_id))
    await announce_change(transaction, user_id)
    await remove_personal_space(transaction, user_id)
    await transaction.rows(_REMOVE, user_id=user_id)
