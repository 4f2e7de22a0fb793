"""Signing in by a provider's word, which ends in a code for the front end."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

import orjson
from sqlalchemy import bindparam, select, update

from taskwell.database import Lane, Query, UtcInstant, now
from taskwell.database.lanes import UniqueViolated
from taskwell.errors import Forbidden
from taskwell.mail import outbox
from taskwell.provider_errors import AccountExists
from taskwell.security.claims import ProviderIdentity
from taskwell.security.sign_in_state import challenge_of
from taskwell.users import one_time_tokens, personal_tokens
from taskwell.users.confirmation import send_link
from taskwell.users.identities import shown_email, shown_name
from taskwell.users.known_groups import remember_group
from taskwell.users.links import ADD, OWNER, link, new_code
from taskwell.users.principal import Principal
from taskwell.users.profile import OWN_ROW
from taskwell.users.revocation import announce_change
from taskwell.users.sign_in import STILL_THERE, SignedIn, later_than_every_token, new_challenge, open_account
from taskwell.users.tables import UserRow
from taskwell.users.user import User, email_key

PROVIDER_OPENED: Final = "provider_opened"

Outcome = Literal["known", "opened", "linked"]


@dataclass(frozen=True, slots=True)
class Arrival:
    """Somebody who came back from a provider.

    Attributes:
        code: What their front end exchanges.
        outcome: What became of their identity: it was known, opened an account, or was linked to one by its e-mail.
    """

    user_id: str
    code: str
    outcome: Outcome


async def is_known(lane: Lane, identity: ProviderIdentity) -> bool:
    """Whether the identity is somebody's here."""
    return await lane.row(OWNER, issuer=identity.issuer, subject=identity.subject) is not None


async def arrive(
    lane: Lane, identity: ProviderIdentity, *, is_trusted: bool, challenge: str, sends_link: bool
) -> Arrival:
    """Finds or opens the account of whom a provider vouches for.

    Args:
        is_trusted: Whether the provider may open an account by a verified e-mail.
        challenge: What the code is bound to.
        sends_link: Whether a mail asks to confirm an e-mail that the provider has not verified.

    Raises:
        AccountExists: the e-mail is another account's.
    """
    for _ in range(2):  # of two who come at once one opens the account, and the other finds it
        try:
            async with lane.transaction() as transaction:
                user_id, outcome = await _owner(transaction, identity, is_trusted=is_trusted, sends_link=sends_link)
                code = await new_code(transaction, user_id, challenge)
                return Arrival(user_id, code, outcome)
        except UniqueViolated:
            continue
    raise AccountExists


async def _owner(
    transaction: Lane, identity: ProviderIdentity, *, is_trusted: bool, sends_link: bool
) -> tuple[str, Outcome]:
    who = {"issuer": identity.issuer, "subject": identity.subject}
    if known := await transaction.row(OWNER, **who):
        return known, "known"
    email = shown_email(identity.email)
    is_verified = email is not None and identity.email_verified
    account = await _holder_of(transaction, email)
    if account is not None:
        if not (is_trusted and is_verified and account.is_verified):
            raise AccountExists
        await _take_over(transaction, account)
        await transaction.rows(ADD, **who, user_id=account.user_id)
        return account.user_id, "linked"
    name = shown_name(identity.name, email, identity.subject)
    user = await open_account(
        transaction, email=email, name=name, password_hash=None, is_unique=is_verified, is_verified=is_verified
    )
    await transaction.rows(ADD, **who, user_id=user.id)
    if email is not None and not is_verified and sends_link:
        await send_link(transaction, user.id, email)
    return user.id, "opened"


@dataclass(frozen=True, slots=True)
class _Account:
    user_id: str
    email: str
    verified_at: datetime | None
    disabled_at: datetime | None

    @property
    def is_verified(self) -> bool:
        return self.verified_at is not None and self.disabled_at is None


_BY_EMAIL: Query[_Account] = Query(
    select(UserRow.id, UserRow.email, UserRow.email_verified_at, UserRow.disabled_at)
    .where(UserRow.email_key == bindparam("email_key"))
    .with_for_update(),
    _Account,
)
_TAKE_OVER: Query[None] = Query(
    update(UserRow)
    .where(OWN_ROW)
    .values(
        password_hash=None,
        tokens_valid_after=bindparam("at", type_=UtcInstant),
        kept_token_id=None,
        pending_email=None,
        updated_at=bindparam("at", type_=UtcInstant),
    ),
    lambda *_: None,
)


async def _holder_of(transaction: Lane, email: str | None) -> _Account | None:
    if email is None:
        return None
    return await transaction.row(_BY_EMAIL, email_key=email_key(email))


async def _take_over(transaction: Lane, account: _Account) -> None:
    """Who opened the account first may not be who has its e-mail: their ways in end."""
    at = await later_than_every_token(transaction, account.user_id)
    await transaction.rows(_TAKE_OVER, user_id=account.user_id, at=at)
    await personal_tokens.remove_all(transaction, account.user_id)
    await one_time_tokens.end_all(transaction, account.user_id)
    await announce_change(transaction, account.user_id)
    await outbox.put(transaction, PROVIDER_OPENED, user_id=account.user_id, email=account.email)


@dataclass(frozen=True, slots=True)
class Exchanged:
    """Attributes:
    signed_in: None where a provider was linked: the caller has signed in already.
    """

    user: User
    signed_in: SignedIn | None


async def exchange(lane: Lane, *, code: str, verifier: str, caller: Principal | None, group: str) -> Exchanged:
    """Uses a code up: somebody is signed in, or a provider is linked to the caller.

    Args:
        verifier: What the challenge was made of to which the code is bound.
        group: The address group from which that is done.

    Raises:
        LinkOver: the code is not good.
        Forbidden: the account is disabled, or the code links a provider to another user.
        IdentityTaken: the provider's account is another user's.
    """
    async with lane.transaction() as transaction:
        used = await one_time_tokens.use(transaction, "exchange", code, bound_to=challenge_of(verifier))
        if used.detail is None:
            found = await _enter(transaction, used.user_id, group=group)
            return Exchanged(found.user, found)
        is_whole = caller is not None and caller.scopes is None and not caller.is_external
        if caller is None or not is_whole or caller.user_id != used.user_id:
            raise Forbidden("Send the token of the user who asked to link the provider.")
        issuer, subject = orjson.loads(used.detail)
        return Exchanged(await link(transaction, used.user_id, issuer, subject), None)


async def _enter(transaction: Lane, user_id: str, *, group: str) -> SignedIn:
    """Signs in, or asks for the code that the user's sign-ins need."""
    still = await transaction.row(STILL_THERE, user_id=user_id)
    if still is None:
        raise Forbidden("This account is disabled.")
    if still.has_totp:
        return SignedIn(still.user, now(), challenge=await new_challenge(transaction, still.user))
    await remember_group(transaction, user_id, group)
    return SignedIn(still.user, still.no_earlier(now()))
