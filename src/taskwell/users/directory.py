"""The verbs of the operator: find accounts, disable them, set their password, remove them."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, select, update

from taskwell.database import Database, Lane, Query, UtcInstant, now
from taskwell.errors import Forbidden, NotFound
from taskwell.security.passwords import hash_password
from taskwell.users import one_time_tokens, personal_tokens
from taskwell.users.profile import BY_ID, OWN_ROW, USER_COLUMNS, remove
from taskwell.users.revocation import announce_change
from taskwell.users.sign_in import later_than_every_token, require_good
from taskwell.users.tables import ExternalIdentityRow, UserRow
from taskwell.users.user import User, email_key


@dataclass(frozen=True, slots=True)
class Account:
    """An account as the operator sees it.

    Attributes:
        issuer: Who keeps it, if it is not one of our own.
        subject: The user's id there.
    """

    id: str
    email: str | None
    name: str
    issuer: str | None
    subject: str | None
    created_at: datetime
    disabled_at: datetime | None


_EVERY: Query[Account] = Query(
    select(
        UserRow.id,
        UserRow.email,
        UserRow.name,
        ExternalIdentityRow.issuer,
        ExternalIdentityRow.subject,
        UserRow.created_at,
        UserRow.disabled_at,
    )
    .outerjoin(
        ExternalIdentityRow,
        (ExternalIdentityRow.user_id == UserRow.id) & UserRow.email_said_at.is_not(None),  # not one that is linked
    )
    .order_by(UserRow.id),
    Account,
)


def every(database: Database) -> AsyncIterator[Account]:
    """All accounts, the oldest first."""
    return database.stream(_EVERY)


_BY_EMAIL: Query[User] = Query(select(*USER_COLUMNS).where(UserRow.email_key == bindparam("email_key")), User)


async def by_email(lane: Lane, email: str) -> User:
    """The local account with this e-mail.

    Raises:
        NotFound: there is none.
    """
    found = await lane.row(_BY_EMAIL, email_key=email_key(email))
    if found is None:
        raise NotFound(f"There is no account with the e-mail {email}.")
    return found


_BY_SUBJECT: Query[User] = Query(
    select(*USER_COLUMNS)
    .join(ExternalIdentityRow, ExternalIdentityRow.user_id == UserRow.id)
    .where(ExternalIdentityRow.subject == bindparam("subject"))
    .limit(2),
    User,
)


async def by_email_or_id(lane: Lane, name: str) -> User:
    """The local account with this e-mail, the user with this id of ours, or else the one of this name at an issuer.

    Raises:
        NotFound: there is none, or two issuers have a user of that id.
    """
    try:
        found = await lane.rows(BY_ID, user_id=str(UUID(name)))
    except ValueError:
        found = await lane.rows(_BY_EMAIL, email_key=email_key(name))
    found = found or await lane.rows(_BY_SUBJECT, subject=name)
    if len(found) != 1:
        what = "More than one account has" if found else "There is no account with"
        raise NotFound(f"{what} the e-mail or id {name}; 'taskwell users list' begins each line with the id.")
    return found[0]


_DISABLE: Query[None] = Query(
    update(UserRow).where(OWN_ROW).values(disabled_at=bindparam("disabled_at", type_=UtcInstant)), lambda *_: None
)


async def disable(lane: Lane, user_id: str) -> None:
    """Refuses the user's tokens and password until ``enable``; what they own stays."""
    async with lane.transaction() as transaction:
        await transaction.rows(_DISABLE, user_id=user_id, disabled_at=now())
        await announce_change(transaction, user_id)


async def enable(lane: Lane, user_id: str) -> None:
    await lane.rows(_DISABLE, user_id=user_id, disabled_at=None)


_SET_PASSWORD: Query[str] = Query(
    update(UserRow)
    .where(OWN_ROW, UserRow.password_hash.is_not(None))
    .values(
        password_hash=bindparam("password_hash"),
        tokens_valid_after=bindparam("at", type_=UtcInstant),
        kept_token_id=None,
        pending_email=None,
        updated_at=bindparam("at", type_=UtcInstant),
    )
    .returning(UserRow.id),
    str,
)


async def set_password(lane: Lane, user: User, password: str) -> None:
    """Sets the password, and refuses every token of the user from then on.

    Raises:
        Invalid: it breaks a rule.
        Forbidden: another service keeps the account.
    """
    require_good(password, email=user.email, name=user.name, field="password")
    password_hash = await hash_password(password)
    async with lane.transaction() as transaction:
        at = await later_than_every_token(transaction, user.id)
        if await transaction.row(_SET_PASSWORD, user_id=user.id, password_hash=password_hash, at=at) is None:
            raise Forbidden("Another service keeps this account; it has no password here.")
        await one_time_tokens.end_all(transaction, user.id)
        await personal_tokens.remove_all(transaction, user.id)
        await announce_change(transaction, user.id)


async def delete(lane: Lane, user_id: str) -> None:
    """Removes the user and everything they own, and refuses their tokens from then on."""
    async with lane.transaction() as transaction:
        await remove(transaction, user_id)
