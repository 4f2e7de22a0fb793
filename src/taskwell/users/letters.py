"""What the mails of accounts say, and to whom. They quote nobody: whoever signs up may name any address.

What was asked for by an e-mail that a stranger typed goes to the account's own, as it is stored: two that count as
the same may be two people's at their mail server.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam, select

from taskwell.database import Database, Query
from taskwell.mail import links, templates
from taskwell.mail.letter import Letter
from taskwell.mail.outbox import Mail
from taskwell.settings import Settings
from taskwell.spaces import invitations
from taskwell.users import confirmation, lock_outs, one_time_tokens, personal_tokens, providers, recovery
from taskwell.users import links as provider_links
from taskwell.users.profile import BY_ID
from taskwell.users.tables import ExternalIdentityRow, UserRow
from taskwell.users.user import email_key

WEBHOOK_SET: Final = "webhook_set"

Addressed = tuple[str, Letter]
"""Where a mail goes, and what it says."""


async def write(database: Database, settings: Settings, mail: Mail) -> Addressed | None:
    """The mail, with a token of this attempt's own; None where there is no more reason to send it."""
    writer = _WRITERS.get(mail.kind)
    return None if writer is None else await writer(database, settings, mail)  # one of a later version sends itself


_VERIFY = one_time_tokens.issuing(confirmation.WANTED)


async def _verify_email(database: Database, settings: Settings, mail: Mail) -> Addressed | None:
    assert mail.user_id is not None
    token = await one_time_tokens.issue(
        database, _VERIFY, confirmation.VERIFY_EMAIL, user_id=mail.user_id, email=mail.email
    )
    if token is None:
        return None
    return mail.email, templates.written(settings, "verify_email", link=links.verify_email(settings, token))


async def _email_changed(_: Database, settings: Settings, mail: Mail) -> Addressed | None:
    return mail.email, templates.written(settings, "email_changed")


async def _invitation(database: Database, settings: Settings, mail: Mail) -> Addressed | None:
    """It names the confirmed e-mail of whoever invites, and no other text of theirs."""
    host = await database.row(BY_ID, user_id=mail.user_id)
    if host is None or host.email is None or not host.email_verified:
        return None
    token = await invitations.token_to_mail(database, mail.id)
    if token is None:
        return None
    return mail.email, templates.written(settings, "invitation", host=host.email, link=links.join(settings, token))


@dataclass(frozen=True, slots=True)
class _Owner:
    user_id: str
    email: str
    is_confirmed: bool


_OWNER: Query[_Owner] = Query(
    select(UserRow.id, UserRow.email, UserRow.email_verified_at.is_not(None)).where(
        UserRow.email_key == bindparam("email_key"), UserRow.disabled_at.is_(None)
    ),
    _Owner,
)


async def _token_made(_: Database, settings: Settings, mail: Mail) -> Addressed | None:
    return mail.email, templates.written(settings, "token_made")


async def _webhook_set(_: Database, settings: Settings, mail: Mail) -> Addressed | None:
    return mail.email, templates.written(settings, "webhook_set")


async def _provider_linked(_: Database, settings: Settings, mail: Mail) -> Addressed | None:
    return mail.email, templates.written(settings, "provider_linked")


async def _provider_opened(_: Database, settings: Settings, mail: Mail) -> Addressed | None:
    return mail.email, templates.written(settings, "provider_opened")


async def _reset_password(database: Database, settings: Settings, mail: Mail) -> Addressed | None:
    owner = await database.row(_OWNER, email_key=email_key(mail.email))
    if owner is None:
        return None
    is_first = mail.attempts == 1
    if is_first and not await recovery.may_be_mailed(database, owner.email, is_confirmed=owner.is_confirmed):
        return None
    token = await recovery.reset_token(database, user_id=owner.user_id, email=owner.email)
    if token is None:
        return None
    return owner.email, templates.written(settings, "reset_password", link=links.reset_password(settings, token))


_SERVICES: Query[str] = Query(
    select(ExternalIdentityRow.issuer)
    .where(ExternalIdentityRow.user_id == bindparam("user_id", type_=ExternalIdentityRow.__table__.c.user_id.type))
    .order_by(ExternalIdentityRow.issuer),
    str,
)


async def _password_reset(database: Database, settings: Settings, mail: Mail) -> Addressed | None:
    services = await database.rows(_SERVICES, user_id=mail.user_id)
    return mail.email, templates.written(settings, "password_reset", services=services)


async def _locked_out(database: Database, settings: Settings, mail: Mail) -> Addressed | None:
    owner = await database.row(_OWNER, email_key=email_key(mail.email))
    if owner is None or not owner.is_confirmed:
        return None
    if mail.attempts == 1 and not await lock_outs.may_be_told(database, owner.user_id):
        return None
    token = await one_time_tokens.issue(
        database, lock_outs.ISSUE, confirmation.VERIFY_EMAIL, user_id=owner.user_id, email=owner.email
    )
    if token is None:
        return None
    return owner.email, templates.written(settings, "locked_out", link=links.verify_email(settings, token))


_WRITERS: dict[str, Callable[[Database, Settings, Mail], Awaitable[Addressed | None]]] = {
    confirmation.VERIFY_EMAIL: _verify_email,
    confirmation.EMAIL_CHANGED: _email_changed,
    invitations.INVITATION: _invitation,
    recovery.RESET_PASSWORD: _reset_password,
    recovery.PASSWORD_RESET: _password_reset,
    lock_outs.LOCKED_OUT: _locked_out,
    personal_tokens.TOKEN_MADE: _token_made,
    WEBHOOK_SET: _webhook_set,
    provider_links.PROVIDER_LINKED: _provider_linked,
    providers.PROVIDER_OPENED: _provider_opened,
}
