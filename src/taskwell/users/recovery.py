"""The verbs of a forgotten password: ask for a link, and set another password with its token."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import Text, bindparam, delete, func, select, update

from taskwell.database import Lane, Query, UtcInstant, UuidText
from taskwell.errors import LinkOver
from taskwell.mail import outbox, quota
from taskwell.security.passwords import hash_password
from taskwell.users import one_time_tokens, personal_tokens, totp
from taskwell.users.confirmation import MAILS_TO_AN_ADDRESS
from taskwell.users.known_groups import remember_group
from taskwell.users.profile import BY_ID, OWN_ROW
from taskwell.users.revocation import announce_change
from taskwell.users.sign_in import later_than_every_token, require_good
from taskwell.users.tables import ExternalIdentityRow, UserRow
from taskwell.users.user import email_key

RESET_PASSWORD: Final = "reset_password"  # noqa: S105  # a kind of mail, not a secret
PASSWORD_RESET: Final = "password_reset"  # noqa: S105

MAILS_AN_HOUR = 3
HOUR = timedelta(hours=1)

_EMAIL = bindparam("email", type_=Text)
HAS_EMAIL = (UserRow.email == _EMAIL) & UserRow.email_key.is_not(None) & UserRow.disabled_at.is_(None)
"""Whether it is a local account that may be signed in to, and the e-mail is its own."""

ISSUE = one_time_tokens.issuing(HAS_EMAIL)


async def ask_for_reset(lane: Lane, email: str) -> None:
    """Queues the mail. The worker looks whether there is such an account, so that nobody sees it here."""
    await outbox.put(lane, RESET_PASSWORD, user_id=None, email=email)


async def may_be_mailed(lane: Lane, email: str, *, is_confirmed: bool) -> bool:
    """Counts a mail that resets a password; gives whether the address may have another one now."""
    key = email_key(email)
    if not await quota.take(lane, f"{RESET_PASSWORD}/{key}", MAILS_AN_HOUR, HOUR):
        return False
    return is_confirmed or await quota.take(lane, f"{RESET_PASSWORD}/unconfirmed/{key}", MAILS_TO_AN_ADDRESS)


async def reset_token(lane: Lane, *, user_id: str, email: str) -> str | None:
    """A new token; None where the account does not have this e-mail, or is disabled."""
    return await one_time_tokens.issue(lane, ISSUE, RESET_PASSWORD, user_id=user_id, email=email)


@dataclass(frozen=True, slots=True)
class NewPassword:
    """What ``reset_password`` is told: whose password it will be, and its hash."""

    user_id: str
    password_hash: str


async def new_password(lane: Lane, token: str, password: str) -> NewPassword:
    """Judges the token and the password; it takes a quarter of a second, in which nobody else should have to wait.

    Raises:
        LinkOver: the token is not good.
        Invalid: the password breaks a rule; the token stays good.
    """
    found = await one_time_tokens.find(lane, RESET_PASSWORD, token)
    account = await lane.row(BY_ID, user_id=found.user_id)
    if account is None:
        raise LinkOver
    require_good(password, email=account.email, name=account.name, field="new_password")
    return NewPassword(account.id, await hash_password(password))


_IS_CONFIRMED: Query[bool] = Query(select(UserRow.email_verified_at.is_not(None)).where(OWN_ROW), bool)

_AT = bindparam("at", type_=UtcInstant)
_RESET: Query[str] = Query(
    update(UserRow)
    .where(OWN_ROW, HAS_EMAIL)
    .values(
        password_hash=bindparam("password_hash"),
        tokens_valid_after=_AT,
        kept_token_id=None,
        pending_email=None,
        email_verified_at=func.coalesce(UserRow.email_verified_at, _AT),
        updated_at=_AT,
    )
    .returning(UserRow.id),
    str,
)

_UNLINK: Query[None] = Query(
    delete(ExternalIdentityRow).where(ExternalIdentityRow.user_id == bindparam("user_id", type_=UuidText)),
    lambda *_: None,
)


async def reset_password(lane: Lane, token: str, new: NewPassword, *, group: str) -> None:
    """Sets the password, which ends every token and link of the user, and tells the owner.

    The e-mail counts as confirmed. If nobody had confirmed it before, a stranger may have opened the account: then
    identities at other services and the second factor end too.

    Args:
        group: The address group from which the link was followed; it is known from then on.

    Raises:
        LinkOver: the token was used meanwhile, or its e-mail is not the user's any more.
    """
    async with lane.transaction() as transaction:
        at = await later_than_every_token(transaction, new.user_id)
        used = await one_time_tokens.use(transaction, RESET_PASSWORD, token)
        was_confirmed = await transaction.row(_IS_CONFIRMED, user_id=new.user_id)
        values = {"user_id": new.user_id, "password_hash": new.password_hash, "email": used.email}
        if await transaction.row(_RESET, **values, at=at) is None:
            raise LinkOver
        if not was_confirmed:
            await transaction.rows(_UNLINK, user_id=new.user_id)
            await totp.forget(transaction, new.user_id)
        await personal_tokens.remove_all(transaction, new.user_id)
        await one_time_tokens.end_all(transaction, new.user_id)
        await remember_group(transaction, new.user_id, group)
        await outbox.put(transaction, PASSWORD_RESET, user_id=new.user_id, email=used.email)
        await announce_change(transaction, new.user_id)
