"""Which accounts of providers are a user's, and how one is linked and unlinked."""

from collections.abc import Collection
from typing import Final

import orjson
from sqlalchemy import Text, bindparam, delete, insert, select, true

from taskwell.database import Lane, Query, UuidText
from taskwell.database.lanes import UniqueViolated
from taskwell.errors import Forbidden, LinkOver, NotFound, Unauthorized
from taskwell.mail import outbox
from taskwell.provider_errors import IdentityTaken, LastWayIn
from taskwell.security.claims import ProviderIdentity
from taskwell.users import one_time_tokens
from taskwell.users.confirmation import require_confirmed
from taskwell.users.principal import Principal
from taskwell.users.profile import BY_ID, OWN_ROW
from taskwell.users.tables import ExternalIdentityRow, UserRow
from taskwell.users.user import User

PROVIDER_LINKED: Final = "provider_linked"

_ISSUE = one_time_tokens.issuing(true())
_ISSUER, _SUBJECT = bindparam("issuer", type_=Text), bindparam("subject", type_=Text)
_USER_ID = bindparam("user_id", type_=UuidText)

OWNER: Query[str] = Query(
    select(ExternalIdentityRow.user_id).where(
        ExternalIdentityRow.issuer == _ISSUER, ExternalIdentityRow.subject == _SUBJECT
    ),
    str,
)
ADD: Query[None] = Query(
    insert(ExternalIdentityRow).from_select(
        ["issuer", "subject", "user_id"], select(_ISSUER, _SUBJECT, UserRow.id).where(UserRow.id == _USER_ID)
    ),
    lambda *_: None,
)


async def new_code(transaction: Lane, user_id: str, challenge: str, detail: str | None = None) -> str:
    """A code for the front end, bound to its challenge and good for a minute."""
    code = await one_time_tokens.issue(
        transaction, _ISSUE, "exchange", user_id=user_id, email="", detail=detail, bound_to=challenge
    )
    if code is None:
        raise LinkOver  # the user went meanwhile
    return code


async def ask_for_link(lane: Lane, user: Principal, provider: str) -> str:
    """A token with which the user's own browser begins to link a provider.

    Raises:
        Forbidden: another service keeps the account.
        EmailUnverified: nobody has confirmed the user's e-mail.
    """
    if user.is_external:
        raise Forbidden("Another service keeps this account; link providers there.")
    await require_confirmed(lane, user.user_id)
    token = await one_time_tokens.issue(
        lane, _ISSUE, "link_provider", user_id=user.user_id, email="", detail=provider
    )
    if token is None:
        raise Unauthorized
    return token


async def begin_link(lane: Lane, token: str, provider: str) -> str:
    """Uses the token up; gives whose account the provider will be linked to.

    Raises:
        LinkOver: it is not good, or of another provider.
    """
    async with lane.transaction() as transaction:
        used = await one_time_tokens.use(transaction, "link_provider", token)
        if used.detail != provider:
            raise LinkOver
        return used.user_id


async def hand_over_link(lane: Lane, user_id: str, identity: ProviderIdentity, *, challenge: str) -> str:
    """The code whose exchange links the identity."""
    detail = orjson.dumps([identity.issuer, identity.subject]).decode()
    async with lane.transaction() as transaction:
        return await new_code(transaction, user_id, challenge, detail)


async def link(transaction: Lane, user_id: str, issuer: str, subject: str) -> User:
    """Makes the provider's account a way in of the user's.

    Raises:
        IdentityTaken: it is another user's.
    """
    owner = await transaction.row(OWNER, issuer=issuer, subject=subject)
    if owner not in (None, user_id):
        raise IdentityTaken
    if owner is None:
        try:
            await transaction.rows(ADD, issuer=issuer, subject=subject, user_id=user_id)
        except UniqueViolated:
            raise IdentityTaken from None
    user = await transaction.row(BY_ID, user_id=user_id)
    if user is None:
        raise Unauthorized
    if owner is None and user.email is not None and user.email_verified:
        await outbox.put(transaction, PROVIDER_LINKED, user_id=user_id, email=user.email)
    return user


_LINKED: Query[str] = Query(
    select(ExternalIdentityRow.issuer).where(ExternalIdentityRow.user_id == _USER_ID).distinct(), str
)


async def linked_issuers(lane: Lane, user: Principal) -> list[str]:
    """Whose accounts are linked to the user."""
    return await lane.rows(_LINKED, user_id=user.user_id)


_HAS_PASSWORD: Query[bool] = Query(select(UserRow.password_hash.is_not(None)).where(OWN_ROW).with_for_update(), bool)
_UNLINK: Query[str] = Query(
    delete(ExternalIdentityRow)
    .where(ExternalIdentityRow.user_id == _USER_ID, ExternalIdentityRow.issuer == _ISSUER)
    .returning(ExternalIdentityRow.subject),
    str,
)


async def unlink(lane: Lane, user: Principal, issuer: str, *, ways_in: Collection[str]) -> None:
    """Unlinks every account of the issuer's.

    Args:
        ways_in: The issuers by which anybody can sign in.

    Raises:
        NotFound: none is linked.
        LastWayIn: the user has no password and no other way in.
    """
    async with lane.transaction() as transaction:
        has_password = await transaction.row(_HAS_PASSWORD, user_id=user.user_id)
        linked = set(await transaction.rows(_LINKED, user_id=user.user_id))
        if issuer not in linked:
            raise NotFound("This provider is not linked.")
        if not has_password and not (linked - {issuer}) & set(ways_in):
            raise LastWayIn
        await transaction.rows(_UNLINK, user_id=user.user_id, issuer=issuer)
