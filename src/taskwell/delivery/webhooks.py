"""The webhook of a user: its URL and its secret. ``signed_post`` sends to it."""

import base64
import secrets
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from urllib.parse import urlsplit

from sqlalchemy import bindparam, delete, insert, select, update

from taskwell.database import Lane, Query, UtcInstant, UuidText, now
from taskwell.delivery.addresses import is_public
from taskwell.delivery.tables import WebhookRow
from taskwell.errors import Invalid, NotFound
from taskwell.users.identities import lock_caller
from taskwell.users.principal import Principal

UNSET = "No webhook is set."
MAX_URL = 2_000
SECRET_PREFIX = "whsec_"  # noqa: S105  # of the Standard Webhooks specification, not a secret


@dataclass(frozen=True, slots=True)
class Webhook:
    """A user's webhook.

    Attributes:
        secret: Set only right after its creation; it is never shown again.
    """

    url: str
    created_at: datetime
    updated_at: datetime
    secret: str | None = None


_USER_ID = bindparam("user_id", type_=UuidText)
_SHOWN = (WebhookRow.url, WebhookRow.created_at, WebhookRow.updated_at)
_MINE = WebhookRow.user_id == _USER_ID
_AT = bindparam("at", type_=UtcInstant)

_ONE: Query[Webhook] = Query(select(*_SHOWN).where(_MINE), Webhook)
_ADD: Query[Webhook] = Query(
    insert(WebhookRow)
    .values(user_id=_USER_ID, url=bindparam("url"), secret=bindparam("secret"), created_at=_AT, updated_at=_AT)
    .returning(*_SHOWN, WebhookRow.secret),
    Webhook,
)
_MOVE: Query[Webhook] = Query(
    update(WebhookRow).where(_MINE).values(url=bindparam("url"), updated_at=_AT).returning(*_SHOWN), Webhook
)
_ROTATE: Query[Webhook] = Query(
    update(WebhookRow)
    .where(_MINE)
    .values(secret=bindparam("secret"), updated_at=_AT)
    .returning(*_SHOWN, WebhookRow.secret),
    Webhook,
)
_REMOVE: Query[str] = Query(delete(WebhookRow).where(_MINE).returning(WebhookRow.user_id), str)


async def get(lane: Lane, user: Principal) -> Webhook:
    """The user's webhook.

    Raises:
        NotFound: none is set.
    """
    found = await lane.row(_ONE, user_id=user.user_id)
    return _set(found)


async def put(lane: Lane, user: Principal, url: str, *, allow_private: bool) -> Webhook:
    """Sets the URL. The first call also creates the secret; later calls keep it.

    Raises:
        Invalid: Taskwell would not send to this URL.
        InvalidToken: the caller's token was revoked meanwhile.
    """
    if broken := broken_url_rule(url, allow_private=allow_private):
        raise Invalid.field("url", broken, "invalid_url")
    async with lane.transaction() as transaction:
        await lock_caller(transaction, user)
        moved = await transaction.row(_MOVE, user_id=user.user_id, url=url, at=now())
        if moved is not None:
            return moved
        added = await transaction.row(_ADD, user_id=user.user_id, url=url, secret=_new_secret(), at=now())
        return _set(added)


async def rotate(lane: Lane, user: Principal) -> Webhook:
    """Creates a new secret; the old one is no longer used.

    Raises:
        NotFound: none is set.
    """
    rotated = await lane.row(_ROTATE, user_id=user.user_id, secret=_new_secret(), at=now())
    return _set(rotated)


async def remove(lane: Lane, user: Principal) -> None:
    """Removes the user's webhook.

    Raises:
        NotFound: none is set.
    """
    if await lane.row(_REMOVE, user_id=user.user_id) is None:
        raise NotFound(UNSET)


async def remove_of_user(lane: Lane, user_id: str) -> None:
    """Removes the webhook, if there is one: whoever takes an account over does not go on telling the others."""
    await lane.rows(_REMOVE, user_id=user_id)


def broken_url_rule(url: str, *, allow_private: bool) -> str | None:
    """The rule that a URL breaks, as a sentence. Names are looked up at the delivery, not here."""
    if len(url) > MAX_URL or not url.isascii() or not url.isprintable() or " " in url:
        return f"It must be an http or https URL of at most {MAX_URL} printable ASCII characters."
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "It must be a URL such as https://example.com/reminders."
    if parts.scheme not in ("http", "https") or not host or port == 0:
        return "It must be a URL such as https://example.com/reminders."
    if parts.username is not None or parts.password is not None or parts.fragment:
        return "It must not hold a user name, a password or a fragment."
    if not allow_private and (host == "localhost" or not _may_be_public(host)):
        return "It must be an address on the internet, not one of this machine or its network."
    return None


def _may_be_public(host: str) -> bool:
    """False for a literal address that is not public. A name is checked at each delivery."""
    try:
        return is_public(ip_address(host))
    except ValueError:
        return True


def _new_secret() -> str:
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(24)).decode()


def _set(webhook: Webhook | None) -> Webhook:
    if webhook is None:
        raise NotFound(UNSET)
    return webhook
