"""The verbs of getting in with a password: sign up, sign in, change the password."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, insert, select, true, update

from taskwell.database import Lane, Query, UtcInstant, new_id, now
from taskwell.database.lanes import UniqueViolated
from taskwell.errors import (
    ChallengeOver,
    EmailTaken,
    Forbidden,
    Invalid,
    InvalidCredentials,
    LinkOver,
    WrongPassword,
)
from taskwell.security.passwords import hash_password, is_password
from taskwell.users import one_time_tokens, personal_tokens, totp
from taskwell.users.confirmation import send_link
from taskwell.users.known_groups import remember_group
from taskwell.users.principal import Principal
from taskwell.users.profile import BY_ID, OWN_ROW, USER_COLUMNS, confirm_password, get
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

_ADD: Query[User] = Query(
    insert(UserRow)
    .values(
        {
            name: bindparam(name, type_=UserRow.__table__.c[name].type)
            for name in ("id", "email", "email_key", "name", "password_hash", "created_at", "updated_at")
        }
    )
    .returning(*USER_COLUMNS),
    User,
)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Attributes:
    as_of: When the token counts as issued: just before the password was last checked. A later change of the
        password refuses it; an earlier one does not, even if the clock was set back.
    used: Which kind of code was used up.
    challenge: What stands for the password until a code is sent: so far nobody is signed in.
    """

    user: User
    as_of: datetime
    used: totp.CodeKind | None = None
    challenge: str | None = None


@dataclass(frozen=True, slots=True)
class _Still:
    user: User
    changed_at: datetime | None
    has_totp: bool

    def no_earlier(self, as_of: datetime) -> datetime:
        """The instant, or that after the last change of the password."""
        return as_of if self.changed_at is None else max(as_of, self.changed_at + _TICK)


_NOW = (
    select(*USER_COLUMNS, UserRow.tokens_valid_after, totp.IS_ON)
    .where(OWN_ROW, UserRow.disabled_at.is_(None))
    .with_for_update(read=True, of=UserRow)
)
"""It waits for a change that has not been committed yet."""


def _still(*columns: Any) -> _Still:
    return _Still(User(*columns[:-2]), *columns[-2:])


_STILL_THERE: Query[_Still] = Query(_NOW, _still)
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
    at = now()
    values = {
        "id": new_id(),
        "email": email,
        "email_key": email_key(email),
        "name": name,
        "password_hash": await hash_password(password),
        "created_at": at,
        "updated_at": at,
    }
    try:
        async with lane.transaction() as transaction:
            user = await transaction.row(_ADD, **values)
            assert user is not None
            if group is not None:
                await remember_group(transaction, user.id, group)
            if sends_link:
                await send_link(transaction, user.id, email)
            return user
    except UniqueViolated:
        raise EmailTaken from None


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
            return SignedIn(still.user, as_of, challenge=await _challenge(transaction, still.user))
        used = await totp.use_code(transaction, account.user_id, code) if code is not None else None
        if still.has_totp and used is None:
            raise InvalidCredentials
        await remember_group(transaction, account.user_id, group)
    return SignedIn(still.user, still.no_earlier(as_of), used)


async def _challenge(transaction: Lane, user: User) -> str:
    challenge = await one_time_tokens.issue(
        transaction, _CHALLENGE, "sign_in", user_id=user.id, email=user.email or ""
    )
    assert challenge is not None, "the user's row is locked"
    return challenge


async def challenged(lane: Lane, challenge: str) -> User | None:
    """Who has to answer the challenge with a code; None where it is over."""
    user_id = await one_time_tokens.holder(lane, "sign_in", challenge)
    if user_id is None:
        return None
    return await lane.row(BY_ID, user_id=user_id)


async def answer(lane: Lane, user: User, *, challenge: str, code: str, group: str) -> SignedIn:
    """Signs in who had the right password before; a wrong code leaves the challenge as it is.

    Raises:
        ChallengeOver: it has just been used, or has ended.
        InvalidCredentials: the code is wrong, or was used before.
    """
    as_of = now()
    async with lane.transaction() as transaction:
        still = await transaction.row(_STILL_THERE, user_id=user.id)
        try:
            await one_time_tokens.use(transaction, "sign_in", challenge)
        except LinkOver:
            still = None
        if still is None:
            raise ChallengeOver
        used = await totp.use_code(transaction, user.id, code)
        if used is None:
            raise InvalidCredentials("The code is wrong, or was used before; wait for the next one.")
        await remember_group(transaction, user.id, group)
    return SignedIn(still.user, still.no_earlier(as_of), used)


_TICK = timedelta(milliseconds=1)
"""What a token's instant is told to; see ``tokens.TokenClaims``."""

_CHANGED_AT: Query[datetime | None] = Query(
    select(UserRow.tokens_valid_after).where(OWN_ROW).with_for_update(), lambda found: found
)


async def later_than_every_token(transaction: Lane, user_id: str) -> datetime:
    """The instant of a change that refuses the tokens issued before it; nobody signs in until it is committed."""
    changed_at = await transaction.row(_CHANGED_AT, user_id=user_id)
    return now() if changed_at is None else max(now(), changed_at + 2 * _TICK)


_CHANGE_PASSWORD: Query[datetime] = Query(
    update(UserRow)
    .where(OWN_ROW, UserRow.password_hash == bindparam("old_hash"))
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
    """Of the password that has been given as the current one, and is it, and of the new one."""

    old: str
    new: str


async def password_hashes(lane: Lane, user: Principal, *, current: str, new: str) -> PasswordHashes:
    """What ``change_password`` is told; it takes half a second, in which nobody else should have to wait.

    Raises:
        Forbidden: another service keeps the account.
        Invalid: the new password breaks a rule.
        WrongPassword: the current one is wrong.
        Unauthorized: the user is gone.
    """
    if user.is_external:
        raise Forbidden("Another service keeps this account; change the password there.")
    account = await get(lane, user)
    require_good(new, email=account.email, name=account.name, field="new_password")
    return PasswordHashes(await confirm_password(lane, user, current), await hash_password(new))


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
