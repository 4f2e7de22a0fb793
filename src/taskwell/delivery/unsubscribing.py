"""The link in a reminder that ends reminders by e-mail: good without a sign-in, and for nothing else."""

from contextlib import suppress

import jwt

from taskwell.database import Lane
from taskwell.errors import LinkOver
from taskwell.mail import links
from taskwell.settings import Settings
from taskwell.tasks.reminder_queue import remove_mails_of

AUDIENCE = "taskwell/unsubscribe"
"""Of no access token, so that neither serves as the other."""


def link(settings: Settings, user_id: str) -> str:
    """It stays good: whoever finds an old mail may still want to end them."""
    token = jwt.encode({"aud": AUDIENCE, "sub": user_id}, settings.signing_key, algorithm=settings.algorithm)
    return links.unsubscribe(settings, token)


async def unsubscribe(lane: Lane, settings: Settings, token: str) -> str:
    """Removes the reminders by e-mail that are still to come; new ones can be set. Gives whose they were.

    Raises:
        LinkOver: it is no such token.
    """
    user_id = _user_id(settings, token)
    await remove_mails_of(lane, user_id)
    return user_id


def _user_id(settings: Settings, token: str) -> str:
    for key in settings.verifying_keys:
        with suppress(jwt.PyJWTError, UnicodeEncodeError):
            claims = jwt.decode(token, key, algorithms=[settings.algorithm], audience=AUDIENCE)
            return str(claims["sub"])
    raise LinkOver
