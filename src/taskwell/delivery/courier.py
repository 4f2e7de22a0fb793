"""Delivers one claimed reminder: reads it again, sends it, and stores the result."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from threading import Lock

import structlog

from taskwell.database import Database, now
from taskwell.delivery.attempt import Errand
from taskwell.delivery.log import Delivery, record
from taskwell.delivery.recipients import recipient
from taskwell.mail import quota
from taskwell.mail.attempts import GIVEN_UP_AFTER, Undelivered, next_try
from taskwell.observability.metrics import REMINDERS
from taskwell.settings import Settings
from taskwell.tasks import reminder_queue as queue
from taskwell.tasks.reminder_queue import Claim, Release

log = structlog.get_logger("taskwell.delivery")

ATTEMPT = timedelta(seconds=15)

Sender = Callable[[Errand, Settings], Awaitable[None]]
"""Sends the errand; raises ``Undelivered``."""

MAIL_LIMIT = "mail_limit"
"""The error in the delivery log for a mail beyond ``MAX_MAILS_PER_DAY``."""

_LOADING = Lock()


async def deliver(database: Database, settings: Settings, claim: Claim) -> None:
    """Sends the reminder if its moment has come, and releases the claim.

    Raises:
        Unavailable: the database is down. The claim expires, and the reminder is tried again.
    """
    reminder = await queue.claimed(database, claim)
    whom = await recipient(database, claim.user_id)
    if reminder is None or whom is None:
        return
    errand = Errand(reminder, whom)
    send = await asyncio.to_thread(_sender, errand.reminder.channel)
    if now() > claim.claimed_at + queue.LEASE - ATTEMPT:
        return  # the claim could expire during the attempt
    moment = errand.reminder.timing.moment()
    if moment is None:
        await queue.release(database, reminder, Release(sent_at=errand.reminder.sent_at))
    elif moment > now():
        await queue.release(database, reminder, Release(fire_at=moment))
    elif await _is_too_many(database, settings, errand):
        await _settle(database, errand, moment, Undelivered(MAIL_LIMIT, is_final=True))
    else:
        await _settle(database, errand, moment, await _attempted(errand, settings, send))


async def _is_too_many(database: Database, settings: Settings, errand: Errand) -> bool:
    """Counts a mail at its first attempt only."""
    reminder = errand.reminder
    if reminder.channel != "email" or errand.recipient.email is None or reminder.attempts > 1:
        return False
    name = f"user/{reminder.claim.user_id}"
    return not await quota.take(database, name, settings.max_mails_per_day)


def _sender(channel: str) -> Sender:
    """Imports the client of a channel. Call it in a thread, since the import would block the event loop."""
    with _LOADING:
        if channel == "email":
            from taskwell.delivery import mail  # noqa: PLC0415

            return mail.send
        from taskwell.delivery import signed_post  # noqa: PLC0415

        signed_post.certificates()
        return signed_post.send


async def _attempted(errand: Errand, settings: Settings, send: Sender) -> Undelivered | None:
    """Makes one attempt; gives its error. Catches every error, since a bug must not stop the retries."""
    if now() - errand.reminder.tried_since > GIVEN_UP_AFTER:  # its worker died at every attempt
        return Undelivered("No attempt came to an end within a day.", is_final=True)
    if errand.recipient.is_disabled:  # perhaps only for an hour, so it is retried for a day
        return Undelivered("The account is disabled.")
    try:
        async with asyncio.timeout(ATTEMPT.total_seconds()):
            await send(errand, settings)
    except Undelivered as error:
        return error
    except TimeoutError:
        return Undelivered("The attempt took too long.")
    except Exception:
        log.exception("unexpected error", delivery_id=errand.reminder.delivery_id)
        return Undelivered("Something unexpected went wrong on this server.")
    return None


async def _settle(database: Database, errand: Errand, moment: datetime, failure: Undelivered | None) -> None:
    """Writes the log and the reminder in one transaction; the log first, since it locks the user."""
    at = now()
    is_over = failure is None or failure.is_final
    again_at = None if is_over else next_try(errand.reminder.attempts, errand.reminder.tried_since, at)
    if failure is None:
        left = Release(settled_for=moment, sent_at=at)
    elif again_at is None:
        left = Release(settled_for=moment)
    else:
        left = Release(fire_at=again_at, keeps_delivery=True)
    delivery = Delivery(
        id=errand.reminder.delivery_id,
        reminder_id=errand.reminder.claim.reminder_id,
        task_id=errand.reminder.task_id,
        channel=errand.reminder.channel,
        status="sent" if failure is None else "failed" if again_at is None else "retrying",
        attempts=errand.reminder.attempts,
        error=None if failure is None else failure.reason,
        created_at=errand.reminder.tried_since,
        tried_at=at,
        next_try_at=again_at,
        sent_at=left.sent_at,
    )
    async with database.transaction() as transaction:
        await record(transaction, errand.reminder.claim.user_id, delivery)
        await queue.release(transaction, errand.reminder, left)
    REMINDERS.labels(delivery.channel, delivery.status).inc()
    log.info(
        "delivery",
        delivery_id=delivery.id,
        channel=delivery.channel,
        status=delivery.status,
        attempts=delivery.attempts,
        error=delivery.error,
    )
