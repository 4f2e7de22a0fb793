"""Attempts to prove who one is: limited, watched, and written down however they end."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from taskwell import users
from taskwell.api.call import RequestContext
from taskwell.api.client_address import address_group, client_address
from taskwell.errors import EmailTaken, InvalidCredentials, WrongPassword
from taskwell.users.errors import WrongCode
from taskwell.users.events import Kind
from taskwell.users.user import email_key

FAILURES: frozenset[Kind] = frozenset({"sign_in_failed", "wrong_password", "locked_out"})
"""They have happened whatever becomes of the request."""


@asynccontextmanager
async def signing_in(call: RequestContext, email: str) -> AsyncIterator[None]:
    """Around the check of an e-mail and a password.

    Raises:
        TooManyRequests: the address or the account is locked out.
    """
    key = email_key(email)

    async def knows(group: str) -> bool:
        return await users.is_group_of_email(call.lane, key, group)

    async with _proving(call, key, knows, "sign_in_failed", email=email):
        yield
    note(call, "sign_in", email=email)


@asynccontextmanager
async def confirming(call: RequestContext, password: str | None) -> AsyncIterator[None]:
    """Around ``users.confirm_owner``: a password that is given is an attempt.

    Raises:
        TooManyRequests: the address or the account is locked out.
    """
    if password is None or call.user.is_external:
        yield
        return
    user_id = call.user.user_id

    async def knows(group: str) -> bool:
        return await users.is_group_of_user(call.lane, user_id, group)

    async with _proving(call, user_id, knows, "wrong_password", user_id=user_id):
        yield


@asynccontextmanager
async def asking_for_mail(call: RequestContext) -> AsyncIterator[None]:
    """Around what sends a mail for whoever names an address, or tells whether an e-mail is taken.

    Raises:
        TooManyRequests: it was asked for too often from the address in this minute.
    """
    async with call.services.limits.sign_up(address_group(address_of(call))).under_way() as attempt:
        await attempt.count()
        yield


@asynccontextmanager
async def signing_up(call: RequestContext, email: str) -> AsyncIterator[None]:
    """Around the opening of an account; what is refused for its values does not count.

    Raises:
        TooManyRequests: the address has opened, or tried to, too many accounts in this minute.
    """
    async with call.services.limits.sign_up(address_group(address_of(call))).under_way() as attempt:
        try:
            yield
        except EmailTaken:
            await attempt.count()
            raise
        await attempt.count()
    note(call, "sign_up", email=email)


def note(
    call: RequestContext,
    kind: Kind,
    *,
    user_id: str | None = None,
    email: str | None = None,
    subject: str | None = None,
) -> None:
    """Writes down what happened to an account; the address and the request id come from the call."""
    if call.is_trial and kind not in FAILURES:
        return
    call.services.journal.record(
        kind, address_of(call), user_id=user_id, email=email, subject=subject, request_id=call.request_id
    )


def address_of(call: RequestContext) -> str:
    return client_address(call.scope)


def group_of(call: RequestContext) -> str:
    """The caller's address group as ``known_groups`` stores it: a hash, since addresses are personal."""
    return call.services.limits.hashed(address_group(address_of(call)))


@asynccontextmanager
async def _proving(
    call: RequestContext,
    account: str,
    knows: Callable[[str], Awaitable[bool]],
    failure: Kind,
    *,
    user_id: str | None = None,
    email: str | None = None,
) -> AsyncIterator[None]:
    """Counts a failed attempt, and refuses it if the account or the address is locked out.

    Args:
        knows: Whether the account was signed in to from an address group; called only if that matters.
    """
    group = address_group(address_of(call))
    limits = call.services.limits
    is_known = await limits.has_failed_often(account) and await knows(group_of(call))
    async with limits.sign_in(group, account, is_known=is_known).under_way() as attempt:
        try:
            yield
        except (InvalidCredentials, WrongPassword, WrongCode):
            note(call, failure, user_id=user_id, email=email)
            if reached := await attempt.fail():
                note(call, "locked_out", user_id=user_id, email=email)
            if any(not count.locks_out for count in reached):
                await _tell_owner(call, email)
            raise
        await attempt.succeed()


async def _tell_owner(call: RequestContext, email: str | None) -> None:
    """Strangers are kept out now; a mail tells the owner, if there is one, how to come in from somewhere new."""
    if not call.settings.sends_mail:
        return
    if email is None:
        email = (await users.get(call.lane, call.user)).email
    if email is not None:
        await users.tell_owner(call.lane, email)
