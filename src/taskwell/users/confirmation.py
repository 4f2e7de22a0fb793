"""Which e-mail of a user is confirmed: asked for by mail, answered by following the link in it."""

from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import Text, and_, bindparam, case, func, literal_column, or_, select, update

from taskwell.database import Lane, Query, UtcInstant, now
from taskwell.database.lanes import UniqueViolated
from taskwell.errors import EmailTaken, EmailUnverified, Forbidden, LinkOver, TooManyRequests, Unauthorized
from taskwell.mail import outbox, quota
from taskwell.users import one_time_tokens
from taskwell.users.known_groups import remember_group
from taskwell.users.principal import Principal
from taskwell.users.profile import OWN_ROW, USER_COLUMNS
from taskwell.users.tables import UserRow
from taskwell.users.user import User, email_key

VERIFY_EMAIL: Final = "verify_email"
EMAIL_CHANGED: Final = "email_changed"

MAILS_TO_AN_ADDRESS = 3
"""Of each kind in a day, while nobody has confirmed it."""

WANTED = or_(
    and_(UserRow.email == bindparam("email", type_=Text), UserRow.email_verified_at.is_(None)),
    UserRow.pending_email == bindparam("email", type_=Text),
)
"""Whether an e-mail of the user still waits to be confirmed."""


def _quota(email: str) -> str:
    return f"{VERIFY_EMAIL}/{email_key(email)}"


async def send_link(transaction: Lane, user_id: str, email: str) -> bool:
    """Queues the mail that confirms the e-mail; gives whether the address may have another one today."""
    if not await quota.take(transaction, _quota(email), MAILS_TO_AN_ADDRESS):
        return False
    await outbox.put(transaction, VERIFY_EMAIL, user_id=user_id, email=email)
    return True


async def require_link(transaction: Lane, user_id: str, email: str) -> None:
    """Queues the mail.

    Raises:
        TooManyRequests: the address has had its mails of this day.
    """
    if not await send_link(transaction, user_id, email):
        seconds = await quota.seconds_left(transaction, _quota(email))
        raise TooManyRequests(
            f"An address gets {MAILS_TO_AN_ADDRESS} of these mails a day; look into its spam folder too.",
            headers={
                "Retry-After": str(seconds),
                "RateLimit-Policy": f'"mails";q={MAILS_TO_AN_ADDRESS};w={int(quota.DAY.total_seconds())}',
                "RateLimit": f'"mails";r=0;t={seconds}',
            },
        )


_LOCKED: Query[User] = Query(select(*USER_COLUMNS).where(OWN_ROW).with_for_update(), User)


async def _locked(transaction: Lane, user_id: str) -> User:
    found = await transaction.row(_LOCKED, user_id=user_id)
    if found is None:
        raise Unauthorized
    return found


async def ask_again(lane: Lane, user: Principal) -> bool:
    """Sends the link again, to the e-mail that waits to be confirmed; gives whether there is one.

    Raises:
        Forbidden: another service keeps the account.
        TooManyRequests: the address has had its mails of this day.
    """
    if user.is_external:
        raise Forbidden("Another service keeps this account; confirm the e-mail there.")
    async with lane.transaction() as transaction:
        account = await _locked(transaction, user.user_id)
        waiting = account.pending_email or (None if account.email_verified else account.email)
        if waiting is None:
            return False
        await require_link(transaction, account.id, waiting)
        return True


_TAKEN: Query[int] = Query(
    select(literal_column("1")).where(UserRow.email_key == bindparam("email_key"), ~OWN_ROW), int
)
_WAIT: Query[None] = Query(
    update(UserRow).where(OWN_ROW).values(pending_email=bindparam("pending_email")), lambda *_: None
)


async def request_email(lane: Lane, user: Principal, email: str) -> User:
    """Sends a link to the new e-mail, which becomes the user's when it is followed; the present one ends the wait.

    Raises:
        EmailTaken: another local account has the e-mail.
        TooManyRequests: the address has had its mails of this day.
        Unauthorized: the user is gone.
    """
    async with lane.transaction() as transaction:
        account = await _locked(transaction, user.user_id)
        pending = None if email == account.email else email
        if pending is not None:
            if await transaction.rows(_TAKEN, user_id=account.id, email_key=email_key(email)):
                raise EmailTaken
            await require_link(transaction, account.id, email)
        if pending != account.pending_email:
            await transaction.rows(_WAIT, user_id=account.id, pending_email=pending)
        return replace(account, pending_email=pending)


_AT = bindparam("at", type_=UtcInstant)
_CONFIRM: Query[None] = Query(
    update(UserRow)
    .where(OWN_ROW)
    .values(
        email_verified_at=func.coalesce(UserRow.email_verified_at, _AT),
        email_key=case((UserRow.email_said_at.is_(None), bindparam("email_key", type_=Text))),
    ),
    lambda *_: None,
)
_MOVE: Query[None] = Query(
    update(UserRow)
    .where(OWN_ROW)
    .values(
        email=bindparam("email"),
        email_key=bindparam("email_key"),
        email_verified_at=_AT,
        pending_email=None,
        updated_at=_AT,
    ),
    lambda *_: None,
)


@dataclass(frozen=True, slots=True)
class Confirmed:
    """Attributes:
    is_change: Whether another e-mail was the user's before.
    """

    user_id: str
    is_change: bool


async def verify_email(lane: Lane, token: str, *, group: str) -> Confirmed:
    """Confirms the e-mail to which the token was sent; a new one takes effect, and the old one is told.

    Args:
        group: The address group from which the link was followed; it is known from then on.

    Raises:
        LinkOver: the token is not good, or its e-mail is not the user's any more.
        EmailTaken: another account got the e-mail meanwhile.
    """
    async with lane.transaction() as transaction:
        used = await one_time_tokens.use(transaction, VERIFY_EMAIL, token)
        account = await _locked(transaction, used.user_id)
        if account.email == used.email:
            await _confirm(transaction, account)
        elif account.pending_email == used.email:
            await _move(transaction, account, used.email)
        else:
            raise LinkOver
        await remember_group(transaction, account.id, group)
        return Confirmed(account.id, is_change=account.email != used.email)


async def _move(transaction: Lane, account: User, email: str) -> None:
    try:
        await transaction.rows(_MOVE, user_id=account.id, email=email, email_key=email_key(email), at=now())
    except UniqueViolated:
        raise EmailTaken from None
    await one_time_tokens.end_all(transaction, account.id)
    if account.email is not None and account.email_verified:
        await outbox.put(transaction, EMAIL_CHANGED, user_id=account.id, email=account.email)


async def _confirm(transaction: Lane, account: User) -> None:
    """An e-mail that a provider had not verified is this account's alone from now on."""
    assert account.email is not None
    try:
        await transaction.rows(_CONFIRM, user_id=account.id, email_key=email_key(account.email), at=now())
    except UniqueViolated:
        raise EmailTaken from None


async def confirm(lane: Lane, user_id: str) -> bool:
    """Confirms the user's e-mail without a mail, on the operator's word; gives whether there is one.

    Raises:
        EmailTaken: another account has it.
    """
    async with lane.transaction() as transaction:
        account = await transaction.row(_LOCKED, user_id=user_id)
        if account is None or account.email is None:
            return False
        await _confirm(transaction, account)
        return True


_IS_CONFIRMED: Query[int] = Query(
    select(literal_column("1")).where(OWN_ROW, UserRow.email_verified_at.is_not(None)), int
)


async def require_confirmed(lane: Lane, user_id: str) -> None:
    """Raises:
    EmailUnverified: nobody has confirmed the user's e-mail.
    """
    if not await lane.rows(_IS_CONFIRMED, user_id=user_id):
        raise EmailUnverified
