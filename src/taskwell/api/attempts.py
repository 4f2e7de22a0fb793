"""Attempts to prove who one is: limited, watched, and written down however they end."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from taskwell.api.call import RequestContext
from taskwell.api.client_address import address_group, client_address
from taskwell.errors import EmailTaken, InvalidCredentials, TooManyRequests, WrongPassword
from taskwell.users.events import Kind
from taskwell.users.user import email_key


@asynccontextmanager
async def signing_in(call: RequestContext, email: str) -> AsyncIterator[None]:
    """Around the check of an e-mail and a password.

    Raises:
        TooManyRequests: the address or the account is locked out.
    """
    async with _proving(call, email_key(email), "sign_in_failed", email=email):
        yield
    note(call, "sign_in", email=email)


@asynccontextmanager
async def confirming(call: RequestContext) -> AsyncIterator[None]:
    """Around the check of the signed-in caller's own password.

    Raises:
        TooManyRequests: the address or the account is locked out.
    """
    async with _proving(call, call.user.user_id, "wrong_password", user_id=call.user.user_id):
        yield


@asynccontextmanager
async def signing_up(call: RequestContext, email: str) -> AsyncIterator[None]:
    """Around the opening of an account; what is refused for its values does not count.

    Raises:
        TooManyRequests: the address has opened, or tried to, too many accounts in this minute.
    """
    address = address_of(call)
    journal = call.services.journal
    async with call.services.limits.sign_up(address_group(address)).under_way() as attempt:
        await journal.alarms.attempt(address_group(address), journal.pseudonym(email_key(email)))
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
    call.services.journal.record(
        kind, address_of(call), user_id=user_id, email=email, subject=subject, request_id=call.request_id
    )


def address_of(call: RequestContext) -> str:
    return client_address(call.scope)


@asynccontextmanager
async def _proving(
    call: RequestContext, account: str, failure: Kind, *, user_id: str | None = None, email: str | None = None
) -> AsyncIterator[None]:
    group = address_group(address_of(call))
    journal = call.services.journal
    try:
        async with call.services.limits.sign_in(group, account).under_way() as attempt:
            try:
                yield
            except (InvalidCredentials, WrongPassword):
                await journal.alarms.attempt(group, journal.pseudonym(account))
                note(call, failure, user_id=user_id, email=email)
                if await attempt.fail():
                    note(call, "locked_out", user_id=user_id, email=email)
                raise
            await attempt.succeed()
    except TooManyRequests:
        await journal.alarms.attempt(group, journal.pseudonym(account))
        raise
