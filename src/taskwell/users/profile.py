"""The verbs of one's own account: see it, change it, remove it."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypedDict

from sqlalchemy import Text, bindparam, case, delete, select, update

from taskwell.database import Lane, Query, UtcInstant, UuidText, now
from taskwell.errors import Invalid, SignInAgain, Unauthorized, WrongPassword
from taskwell.security.claims import identity_id
from taskwell.security.passwords import is_password
from taskwell.spaces.members import leave_every_space, lock_spaces_of
from taskwell.spaces.personal import remove_personal_space
from taskwell.spaces.tables import SpaceRow
from taskwell.users.principal import Principal
from taskwell.users.revocation import announce_change, refuse_former, revoke
from taskwell.users.tables import ExternalIdentityRow, UserRow
from taskwell.users.user import User

TIME_ZONE = select(SpaceRow.time_zone).where(SpaceRow.id == UserRow.id).correlate(UserRow).scalar_subquery()
"""A user's time zone is that of their own space."""

USER_COLUMNS = (
    UserRow.id,
    UserRow.email,
    UserRow.email_verified_at,
    UserRow.pending_email,
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
    """The fields that a change names. The time zone is ``tasks.move_to_zone``'s, since days move with it; a local
    user's e-mail is ``confirmation.request_email``'s, since the new one must be confirmed.
    """

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


_KEEPS_EMAIL = UserRow.email == bindparam("email", type_=Text)

_REWRITE: Query[Any] = Query(
    update(UserRow)
    .where(OWN_ROW)
    .values(
        name=bindparam("name"),
        email=bindparam("email", type_=Text),
        email_verified_at=case((_KEEPS_EMAIL, UserRow.email_verified_at)),
        email_said_at=case((_KEEPS_EMAIL, UserRow.email_said_at), else_=bindparam("updated_at", type_=UtcInstant)),
        updated_at=bindparam("updated_at", type_=UtcInstant),
    ),
    lambda *_: None,
)


async def change(lane: Lane, user: Principal, changes: ProfileChanges) -> tuple[User, set[str]]:
    """Changes the named fields; nothing is written where none of them differs.

    Returns:
        The user as it is now, and which fields differed.

    Raises:
        Unauthorized: the user is gone.
    """
    assert user.is_external or "email" not in changes
    async with lane.transaction() as transaction:
        await lock_account(transaction, user)
        before = await get(transaction, user)
        differing = {name for name, value in changes.items() if value != getattr(before, name)}
        if not differing:
            return before, differing
        verified_at = None if "email" in differing else before.email_verified_at
        after = replace(before, **changes, email_verified_at=verified_at, updated_at=now())
        values = {"name": after.name, "email": after.email, "updated_at": after.updated_at}
        await transaction.rows(_REWRITE, user_id=user.user_id, **values)
        return after, differing


_ZONE_MOVED: Query[Any] = Query(
    update(UserRow).where(OWN_ROW).values(updated_at=bindparam("at", type_=UtcInstant)), lambda *_: None
)


async def zone_moved(transaction: Lane, user: Principal, at: datetime) -> None:
    """Notes that the user's own space has another time zone, and has every process look the user up again."""
    await transaction.rows(_ZONE_MOVED, user_id=user.user_id, at=at)
    await announce_change(transaction, user.user_id)


RECENT_SIGN_IN = timedelta(minutes=10)
"""How old the sign-in may be that stands for the password of who has none."""


async def confirm_owner(
    lane: Lane, user: Principal, *, password: str | None, confirm: str | None, field: str
) -> str | None:
    """Makes sure that the account's owner asks, and not somebody who found their device: by the password, or by the
    user's own id where there is none here.

    Args:
        field: What the body calls the password.

    Returns:
        The hash of the password.

    Raises:
        Invalid: what is asked for is missing, or the id is another.
        WrongPassword: it is not the user's.
        SignInAgain: a local user without a password signed in too long ago.
        Unauthorized: the user is gone.
    """
    rows = await lane.rows(PASSWORD_HASH, user_id=user.user_id)
    if not rows:
        raise Unauthorized
    (password_hash,) = rows
    if password_hash is None:
        _confirm_by_id(user, confirm)
        return None
    if password is None:
        raise Invalid.field(field, "This field is required.", "missing")
    if not await is_password(password, password_hash):
        raise WrongPassword("The current password is wrong.")
    return password_hash


def _confirm_by_id(user: Principal, confirm: str | None) -> None:
    if confirm is None:
        raise Invalid.field("confirm", "This field is required: your own id, since there is no password.", "missing")
    if not user.is_named(confirm):
        raise Invalid.field("confirm", "It must be your own id.", "wrong_id")
    if user.signed_in_at is not None and user.signed_in_at + RECENT_SIGN_IN <= now():
        raise SignInAgain


IDENTITIES: Query[str] = Query(
    select(ExternalIdentityRow.issuer, ExternalIdentityRow.subject).where(
        ExternalIdentityRow.user_id == bindparam("user_id", type_=UuidText)
    ),
    identity_id,
)

_REMOVE: Query[datetime] = Query(
    delete(UserRow).where(OWN_ROW).returning(UserRow.created_at), lambda found: found, is_heavy=True
)


async def delete_account(lane: Lane, user: Principal, *, password: str | None, confirm: str | None) -> None:
    """Removes the user and everything they own, and refuses their tokens from then on.

    An external user comes back as a new one with a token that is issued later.

    Raises:
        Invalid: as ``confirm_owner`` does, like the others.
    """
    await confirm_owner(lane, user, password=password, confirm=confirm, field="password")
    async with lane.transaction() as transaction:
        await lock_spaces_of(transaction, user.user_id)
        await lock_account(transaction, user)
        await revoke(transaction, user)
        await remove(transaction, user.user_id)


async def remove(transaction: Lane, user_id: str) -> None:
    """Removes a user and their space, on which every other row depends; they leave those of others."""
    await lock_spaces_of(transaction, user_id)
    await transaction.rows(_LOCK, user_id=user_id)
    await leave_every_space(transaction, user_id)
    await refuse_former(transaction, user_id, await transaction.rows(IDENTITIES, user_id=user_id))
    await announce_change(transaction, user_id)
    await remove_personal_space(transaction, user_id)
    await transaction.rows(_REMOVE, user_id=user_id)
