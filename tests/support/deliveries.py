"""Delivering in the tests' own time."""

import asyncio
from datetime import UTC, datetime, timedelta

from sqlalchemy import bindparam, update

from taskwell.database import Database, Query, UtcInstant
from taskwell.delivery import courier, webhooks
from taskwell.mail import courier as mail_courier
from taskwell.mail import outbox
from taskwell.settings import Settings
from taskwell.tasks import reminder_queue as queue
from taskwell.tasks.reminders import Timing
from taskwell.users import letters
from tests.support.people import Person

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
AT_NOON = Timing(
    remind_at=NOON,
    minutes_before_due=None,
    due_date=None,
    due_at=None,
    due_key=None,
    time_zone="UTC",
    is_open=True,
    settled_for=None,
    changed_at=NOON - timedelta(hours=1),
)
"""Of a reminder for noon, of an open task that is due never."""


async def until(condition, seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  # what it waits for is another program
            await asyncio.sleep(0.02)


async def deliver_due(database: Database, settings: Settings) -> int:
    """One look at everything that is due; gives how many reminders were looked at."""
    claims = await queue.claim(database, 100)
    await asyncio.gather(*(courier.deliver(database, settings, claim) for claim in claims))
    return len(claims)


async def send_mails(database: Database, settings: Settings) -> int:
    """One look at the mails of accounts; gives how many were looked at."""
    mails = await outbox.claim(database, 100)
    await asyncio.gather(*(mail_courier.deliver(database, settings, mail, letters.write) for mail in mails))
    return len(mails)


async def alter(database: Database, table, **instants) -> None:
    """Moves instants of every row, as time would."""
    values = {name: bindparam(f"new_{name}", type_=UtcInstant) for name in instants}
    query = Query(update(table).values(**values), lambda *_: None)
    await database.rows(query, **{f"new_{name}": value for name, value in instants.items()})


async def set_webhook(database: Database, person: Person, url: str) -> str:
    webhook = await webhooks.put(database, person.principal, url, allow_private=True)
    assert webhook.secret is not None
    return webhook.secret
