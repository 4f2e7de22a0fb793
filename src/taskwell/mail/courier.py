"""Sending one claimed mail: write it, hand it over, and give the claim back."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import structlog

from taskwell.database import Database, now
from taskwell.mail import outbox
from taskwell.mail.attempts import GIVEN_UP_AFTER, Undelivered, next_try
from taskwell.mail.letter import Letter
from taskwell.mail.outbox import Mail
from taskwell.settings import Settings

logger = structlog.get_logger("taskwell.mail")

ATTEMPT = timedelta(seconds=15)

Writer = Callable[[Database, Settings, Mail], Awaitable[tuple[str, Letter] | None]]
"""Gives where the mail goes and what it says, with a link of this attempt's own; None where there is no more reason
to send it."""


async def deliver(database: Database, settings: Settings, mail: Mail, write: Writer) -> None:
    """Sends the mail, at least once.

    Raises:
        Unavailable: the database went away; the claim runs out by itself and the mail is tried again.
    """
    is_late = now() - mail.created_at > GIVEN_UP_AFTER  # its worker died every time
    written = None if is_late else await write(database, settings, mail)
    if written is None:
        await outbox.release(database, mail, None)
        return
    if now() > mail.claimed_at + outbox.LEASE - ATTEMPT:
        return  # the claim might end before an attempt does
    failure = await _attempted(*written, mail, settings)
    again_at = None
    if failure is not None and not failure.is_final:
        again_at = next_try(mail.attempts, mail.created_at, now())
    await outbox.release(database, mail, again_at)
    status = "sent" if failure is None else "failed" if again_at is None else "retrying"
    reason = None if failure is None else failure.reason
    logger.info("mail", mail_id=mail.id, kind=mail.kind, status=status, attempts=mail.attempts, error=reason)


async def _attempted(email: str, letter: Letter, mail: Mail, settings: Settings) -> Undelivered | None:
    """One attempt; gives what went wrong, which can be anything: a bug must not stop the retries."""
    if settings.smtp_host is None and not settings.is_production:
        logger.info("mail without SMTP_HOST", to=email, subject=letter.subject, text=letter.plain)
        return None
    try:
        async with asyncio.timeout(ATTEMPT.total_seconds()):
            await asyncio.to_thread(_load)
            await _hand_over(email, letter, mail, settings)
    except Undelivered as error:
        return error
    except TimeoutError:
        return Undelivered("The attempt took too long.")
    except Exception:
        logger.exception("unexpected error", mail_id=mail.id)
        return Undelivered("Something unexpected went wrong on this server.")
    return None


def _load() -> None:
    """Loads the client in a thread: that takes longer than anybody who shares the event loop may wait."""
    from taskwell.mail import message, smtp  # noqa: F401, PLC0415


async def _hand_over(email: str, letter: Letter, mail: Mail, settings: Settings) -> None:
    from taskwell.mail import message, smtp  # noqa: PLC0415

    composed = message.compose_letter(letter, sender=settings.mail_from, email=email, message_id=mail.id)
    await smtp.hand_over(composed, settings)
