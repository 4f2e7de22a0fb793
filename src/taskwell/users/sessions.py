"""The verbs of staying signed in, and of signing out everywhere."""

from datetime import datetime, timedelta

from sqlalchemy import bindparam, select, update

from taskwell.database import Lane, Query, UtcInstant, now
from taskwell.errors import Forbidden, InvalidToken, SignInAgain
from taskwell.users import personal_tokens
from taskwell.users.identities import IS_NOT_ENDED, IS_VALID_FOR_USER
from taskwell.users.principal import Principal
from taskwell.users.profile import IDENTITIES, OWN_ROW, USER_COLUMNS
from taskwell.users.revocation import announce_change, end_later, refuse_former, revoke
from taskwell.users.sign_in import TICK, SignedIn, later_than_every_token
from taskwell.users.tables import RevokedTokenRow, UserRow
from taskwell.users.user import User

RENEWED_FOR = timedelta(days=90)
"""How long after the sign-in its tokens can be renewed."""

OLD_TOKEN_SERVES_FOR = timedelta(minutes=1)
"""Requests with the old token may be under way, and other tabs learn of the new one a little later."""

_STILL: Query[tuple[User, datetime | None]] = Query(
    select(*USER_COLUMNS, UserRow.tokens_valid_after)
    .select_from(UserRow)
    .outerjoin(RevokedTokenRow, RevokedTokenRow.token_id == bindparam("token_id"))
    .where(OWN_ROW, IS_VALID_FOR_USER, IS_NOT_ENDED)
    .with_for_update(read=True, of=UserRow),
    lambda *columns: (User(*columns[:-1]), columns[-1]),
)
"""It waits for a change that has not been committed yet."""


async def renew(lane: Lane, user: Principal) -> SignedIn:
    """Who the caller still is, for a new token of the same sign-in; the old one ends a minute later.

    Raises:
        Forbidden: another service issues the caller's tokens.
        SignInAgain: the sign-in was 90 days ago.
        InvalidToken: the token was refused meanwhile.
    """
    if user.issued_at is None or user.signed_in_at is None:
        raise Forbidden("Another service issues your tokens; get a new one there.")
    as_of = now()
    if user.signed_in_at + RENEWED_FOR <= as_of:
        raise SignInAgain
    values: dict[str, object] = {"token_id": user.token_id, "issued_at": user.issued_at, "at": as_of}
    async with lane.transaction() as transaction:
        still = await transaction.row(_STILL, user_id=user.user_id, **values)
        if still is None:
            raise InvalidToken
        await end_later(transaction, user, as_of + OLD_TOKEN_SERVES_FOR)
    account, changed_at = still
    return SignedIn(account, as_of if changed_at is None else max(as_of, changed_at + TICK), user.signed_in_at)


_END_ALL: Query[None] = Query(
    update(UserRow).where(OWN_ROW).values(tokens_valid_after=bindparam("at", type_=UtcInstant), kept_token_id=None),
    lambda *_: None,
)


async def sign_out_everywhere(lane: Lane, user: Principal, *, personal: bool) -> None:
    """Refuses every token of the caller, this one included.

    Args:
        personal: Whether personal tokens end too.
    """
    async with lane.transaction() as transaction:
        await end_every_session(transaction, user.user_id, personal=personal)
        await revoke(transaction, user)


async def end_every_session(lane: Lane, user_id: str, *, personal: bool) -> None:
    """Refuses every token that was issued to the user, by whomever."""
    async with lane.transaction() as transaction:
        at = await later_than_every_token(transaction, user_id)
        await transaction.rows(_END_ALL, user_id=user_id, at=at)
        if personal:
            await personal_tokens.remove_all(transaction, user_id)
        await refuse_former(transaction, user_id, await transaction.rows(IDENTITIES, user_id=user_id))
        await announce_change(transaction, user_id)
