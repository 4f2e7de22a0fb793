"""The verbs of getting in with a password: sign up, sign in, change the password."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, insert, select, true, update
from sqlalchemy.sql.base import Executable

from taskwell.database import Lane, Query, UtcInstant, new_id, now
from taskwell.database.lanes import UniqueViolated
from taskwell.errors import (
    EmailTaken,
    Forbidden,
    Invalid,
    InvalidCredentials,
    WrongPassword,
)
from taskwell.security.passwords import hash_password, is_password
from taskwell.spaces.personal import adding_personal_spaces
from taskwell.users import one_time_tokens, personal_tokens, totp
from taskwell.users.confirmation import send_link
from taskwell.users.known_groups import remember_group
from taskwell.users.principal import Principal
from taskwell.users.profile import OWN_ROW, USER_COLUMNS, confirm_owner, get
from taskwell.users.revocation import announce_change
from taskwell.users.tables import UserRow
from taskwell.users.user import User, broken_password_rule, email_key


@dataclass(frozen=True, slots=True)
class StoredPassword:
    """What signing in needs to see of an account."""

    user_id: str
    password_hash: str | None
    has_totp: bool


_BY_EMAIL: Query[StoredPassword] = Query(
    select(UserRow.id, UserRow.password_hash, totp.IS_ON).where(UserRow.email_key == bindparam("email_key")),
    StoredPassword,
)


def _add(dialect: str) -> Sequence[Executable]:
    """The account and its space; one statement on PostgreSQL, three in one transaction on SQLite."""
    columns = UserRow.__table__.c
    adding = insert(UserRow).values(
        {
            name: bindparam(parameter, type_=columns[name].type)
            for name, parameter in (
                ("id", "user_id"),
                ("email", "email"),
                ("email_key", "email_key"),
                ("email_verified_at", "verified_at"),
                ("name", "name"),
                ("password_hash", "password_hash"),
                ("created_at", "at"),
                ("updated_at", "at"),
            )
        }
    )
    if dialect == "postgresql":
        return adding_personal_spaces(adding.returning(UserRow.id, UserRow.created_at).cte("made"), dialect)
    made = select(UserRow.id, UserRow.created_at).where(OWN_ROW).subquery("made")
    return [adding, *adding_personal_spaces(made, dialect)]


_ADD: Query[None] = Query(_add, lambda *_: None)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Attributes:
    as_of: When the token counts as issued: just before the password was last checked. A later change of the
        password refuses it; an earlier one does not, even if the clock was set back.
    signed_in_at: When the user signed in, of a renewal; None for now.
    used: Which kind of code was used up.
    challenge: What stands for the password until a code is sent: so far nobody is signed in.
    """

    user: User
    as_of: datetime
    signed_in_at: datetime | None = None
    used: totp.CodeKind | None = None
    challenge: str | None = None


@dataclass(frozen=True, slots=True)
class _Still:
    user: User
    changed_at: datetime | None
    has_totp: bool

    def no_earlier(self, as_of: datetime) -> datetime:
        """The instant, or that after the last change of the password."""
        return as_of if self.changed_at is None else max(as_of, self.changed_at + TICK)


_NOW = (
    select(*USER_COLUMNS, UserRow.tokens_valid_after, totp.IS_ON)
    .where(OWN_ROW, UserRow.disabled_at.is_(None))
    .with_for_update(read=True, of=UserRow)
)
"""It waits for a change that has not been committed yet."""


def _still(*columns: Any) -> _Still:
    return _Still(User(*columns[:-2]), *columns[-2:])


STILL_THERE: Query[_Still] = Query(_NOW, _still)
_STILL: Query[_Still] = Query(_NOW.where(UserRow.password_hash == bindparam("password_hash")), _still)
_CHALLENGE = one_time_tokens.issuing(true())


async def sign_up(
    lane: Lane, *, email: str, password: str, name: str, group: str | None = None, sends_link: bool = False
) -> User:
    """Opens an account.

    Args:
        group: The address group from which its owner does that; None for the operator.
        sends_link: Whether a mail asks to confirm the e-mail.

    Raises:
        Invalid: the password breaks a rule.
        EmailTaken: another account has the e-mail, whichever way it is capitalised.
    """
    require_good(password, email=email, name=name, field="password")
    password_hash = await hash_password(password)
    try:
        async with lane.transaction() as transaction:
            user = await open_account(transaction, email=email, name=name, password_hash=password_hash)
            if group is not None:
                await remember_group(transaction, user.id, group)
            if sends_link:
                await send_link(transaction, user.id, email)
            return user
    except UniqueViolated:
        raise EmailTaken from None


async def open_account(
    lane: Lane,
    *,
    email: str | None,
    name: str,
    password_hash: str | None,
    user_id: str | None = None,
    at: datetime | None = None,
    is_unique: bool = True,
    is_verified: bool = False,
) -> User:
    """Stores an account, and with it the user's own space.

    Args:
        is_unique: Whether the e-mail is this account's alone, and so signs in with a password.
    """
    at = at or now()
    user = User(user_id or new_id(), email, at if is_verified else None, None, name, "UTC", at, at)
    key = email_key(email) if email is not None and is_unique else None
    values = {"email": email, "email_key": key, "name": name, "password_hash": password_hash}
    await lane.rows(_ADD, user_id=user.id, at=at, verified_at=user.email_verified_at, **values)
    return user


async def authenticate(lane: Lane, *, email: str, password: str, group: str, takes_code: bool = False) -> SignedIn:
    """The user with this e-mail and password, to whom the address group is known from then on.

    Args:
        takes_code: Whether a code may stand behind the password and a space.

    Raises:
        InvalidCredentials: in the same words, and after the same work, for whatever of the two is wrong.
    """
    account = await lane.row(_BY_EMAIL, email_key=email_key(email))
    code = None
    if takes_code and account is not None and account.has_totp:  # whoever has no code may end a password like one
        password, code = totp.split(password)
    is_right = await is_password(password, account.password_hash if account else None)
    if account is None or not is_right:
        raise InvalidCredentials
    # The check took a quarter of a second: the password may have been changed, or the account disabled, meanwhile.
    as_of = now()
    async with lane.transaction() as transaction:
        still = await transaction.row(_STILL, user_id=account.user_id, password_hash=account.password_hash)
        if still is None:
            raise InvalidCredentials
        if still.has_totp and code is None:
            return SignedIn(still.user, as_of, challenge=await new_challenge(transaction, still.user))
        used = await totp.use_code(transaction, account.user_id, code) if code is not None else None
        if still.has_totp and used is None:
            raise InvalidCredentials
        await remember_group(transaction, account.user_id, group)
    return SignedIn(still.user, still.no_earlier(as_of), used=used)


async def new_challenge(transaction: Lane, user: User) -> str:
    """What stands for a first step that was right, until a code is sent."""
    challenge = await one_time_tokens.issue(
        transaction, _CHALLENGE, one_time_tokens.SIGN_IN, user_id=user.id, email=user.email or ""
    )
    assert challenge is not None, "the user's row is locked"
    return challenge


TICK = timedelta(milliseconds=1)
"""What a token's instant is told to; see ``tokens.TokenClaims``."""

_CHANGED_AT: Query[datetime | None] = Query(
    select(UserRow.tokens_valid_after).where(OWN_ROW).with_for_update(), lambda found: found
)


async def later_than_every_token(transaction: Lane, user_id: str) -> datetime:
    """The instant of a change that refuses the tokens issued before it; nobody signs in until it is committed."""
    changed_at = await transaction.row(_CHANGED_AT, user_id=user_id)
    return now() if changed_at is None else max(now(), changed_at + 2 * TICK)


_CHANGE_PASSWORD: Query[datetime] = Query(
    update(UserRow)
    .where(OWN_ROW, UserRow.password_hash.is_not_distinct_from(bindparam("old_hash")))
    .values(
        password_hash=bindparam("new_hash"),
        tokens_valid_after=bindparam("at", type_=UtcInstant),
        kept_token_id=bindparam("token_id"),
        pending_email=None,
        updated_at=bindparam("at", type_=UtcInstant),
    )
    .returning(UserRow.updated_at),
    lambda found: found,
)


@dataclass(frozen=True, slots=True)
class PasswordHashes:
    """Of the current password, if there is one and it was given, and of the new one."""

    old: str | None
    new: str


async def password_hashes(
    lane: Lane, user: Principal, *, current: str | None, confirm: str | None, new: str
) -> PasswordHashes:
    """What ``change_password`` is told; it takes half a second, in which nobody else should have to wait.

    Raises:
        Forbidden: another service keeps the account.
        Invalid: the new password breaks a rule, or what proves who asks is missing.
        WrongPassword: the current one is wrong.
        SignInAgain: there is no current one, and the sign-in is too old.
        Unauthorized: the user is gone.
    """
    if user.is_external:
        raise Forbidden("Another service keeps this account; change the password there.")
    account = await get(lane, user)
    require_good(new, email=account.email, name=account.name, field="new_password")
    old = await confirm_owner(lane, user, password=current, confirm=confirm, field="current_password")
    return PasswordHashes(old, await hash_password(new))


async def change_password(lane: Lane, user: Principal, hashes: PasswordHashes) -> None:
    """Changes the password, and refuses every other token of the user from then on.

    Raises:
        WrongPassword: it is no longer the one that was given as the current one.
    """
    values = {"user_id": user.user_id, "old_hash": hashes.old, "new_hash": hashes.new, "token_id": user.token_id}
    async with lane.transaction() as transaction:
        at = await later_than_every_token(transaction, user.user_id)
        if await transaction.row(_CHANGE_PASSWORD, **values, at=at) is None:
            raise WrongPassword("The password was changed meanwhile.")
        await one_time_tokens.end_all(transaction, user.user_id)
        await personal_tokens.remove_all(transaction, user.user_id)
        await announce_change(transaction, user.user_id)


def require_good(password: str, *, email: str | None, name: str, field: str) -> None:
    """Raises:
    Invalid: the new password breaks a rule.
    """
    if broken := broken_password_rule(password, email=email, name=name):
        raise Invalid.field(field, broken, "weak_password")
