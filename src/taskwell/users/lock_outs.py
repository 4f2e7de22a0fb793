"""The mail to the owner of an account that many fail to sign in to."""

from typing import Final

from taskwell.database import Lane
from taskwell.mail import outbox, quota
from taskwell.users import one_time_tokens
from taskwell.users.recovery import HAS_EMAIL
from taskwell.users.tables import UserRow
from taskwell.users.user import MAX_EMAIL

LOCKED_OUT: Final = "locked_out"

ISSUE = one_time_tokens.issuing(HAS_EMAIL & UserRow.email_verified_at.is_not(None))


async def tell_owner(lane: Lane, email: str) -> None:
    """Queues the mail, for an e-mail without an account too: the worker looks."""
    if len(email) <= MAX_EMAIL:
        await outbox.put(lane, LOCKED_OUT, user_id=None, email=email)


async def may_be_told(lane: Lane, user_id: str) -> bool:
    """Counts the mail; an attack that goes on for days is told once a day."""
    return await quota.take(lane, f"{LOCKED_OUT}/{user_id}", 1)
