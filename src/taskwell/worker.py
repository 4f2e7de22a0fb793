"""The worker: sends mail, delivers due reminders, and once a day removes expired data.

Any number of workers may run at once. An idle worker sleeps until the next reminder, and looks for new ones every
``WORKER_POLL_SECONDS``.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any, TypeVar

import structlog

from taskwell import users
from taskwell.database import Database, now
from taskwell.database.lanes import DatabaseFull
from taskwell.delivery import courier
from taskwell.delivery.log import purge as purge_deliveries
from taskwell.errors import Unavailable
from taskwell.mail import courier as mail_courier
from taskwell.mail import outbox, quota
from taskwell.observability import logs
from taskwell.observability.metrics import REMINDER_LAG, REMINDERS_DUE
from taskwell.settings import Settings
from taskwell.spaces import invitations
from taskwell.tasks import reminder_queue as queue
from taskwell.tasks.purge import purge as purge_trash
from taskwell.users import events, idempotency, letters, one_time_tokens

T = TypeVar("T")

log = structlog.get_logger("taskwell.worker")

SLOTS = 32
"""How many deliveries run at once."""

USER_SHARE = 8
"""A user with so many running deliveries waits, and one claim takes at most so many. So no user fills all slots."""

MAILS = ""
"""Takes the place of the user's id for a delivery of account mail."""

DRAIN_SECONDS = 15
PATIENCE_SECONDS = 120.0
"""If the search for due reminders takes longer, connecting included, the worker counts as stuck."""

LONGEST_TROUBLE = 30.0
PURGE_EVERY_SECONDS, PURGE_AGAIN_SECONDS = 86_400, 300
"""The pause after a purge, and after one that failed."""

PURGE_BATCH = 500


class Worker:
    """Delivers and purges until it is stopped. An error ends only its own delivery."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self.settings = settings
        self._deliveries: dict[asyncio.Task[None], str] = {}
        """The user of each delivery; all account mail counts as one user."""
        self._wake = asyncio.Event()
        self._is_stopping = False
        self._reaches_database = False
        self._must_turn_by = time.monotonic() + PATIENCE_SECONDS

    @property
    def is_alive(self) -> bool:
        """Whether the loop is not stuck. Any thread may call this."""
        return time.monotonic() < self._must_turn_by

    @property
    def is_ready(self) -> bool:
        """Whether the last search reached the database, and the worker is not stopping. Any thread may call this."""
        return self._reaches_database and self.is_alive and not self._is_stopping

    def stop(self) -> None:
        """Starts nothing new; ``run`` ends after the running deliveries."""
        self._is_stopping = True
        self._wake.set()

    async def run(self) -> None:
        """Works until it is stopped; waits for a database that is down."""
        purging = asyncio.create_task(self._purge_daily())
        trouble = 0.0
        try:
            while not self._is_stopping:
                self._must_turn_by = time.monotonic() + PATIENCE_SECONDS
                pause = await _logged(self._start_due())
                if pause is None:
                    self._reaches_database = False
                    trouble = pause = min(max(1.0, trouble * 2), LONGEST_TROUBLE)
                else:
                    trouble = 0.0
                self._must_turn_by = time.monotonic() + pause + PATIENCE_SECONDS
                await self._rest(pause)
        finally:
            purging.cancel()
            await self._drain()

    async def _start_due(self) -> float:
        """Starts due deliveries while slots are free; gives the seconds to sleep."""
        poll = self.settings.worker_poll_seconds * random.uniform(0.8, 1.0)  # noqa: S311  # so that replicas spread out
        return min(await self._start_mails(poll), await self._start_reminders(poll))

    async def _start_mails(self, poll: float) -> float:
        under_way = sum(user_id == MAILS for user_id in self._deliveries.values())
        free = min(SLOTS - len(self._deliveries), USER_SHARE - under_way)
        if free <= 0:
            return poll
        look_at = await outbox.next_look(self._database)
        seconds = poll if look_at is None else (look_at - now()).total_seconds()
        if seconds > 0:
            return min(poll, seconds)
        claimed = await outbox.claim(self._database, free)
        for mail in claimed:
            self._start(mail_courier.deliver(self._database, self.settings, mail, letters.write), MAILS)
        return 0 if claimed else poll

    async def _start_reminders(self, poll: float) -> float:
        free = SLOTS - len(self._deliveries)
        if free <= 0:
            return poll
        busy = self._busy()
        look_at = await queue.next_look(self._database, busy)
        self._reaches_database = True
        seconds = poll if look_at is None else (look_at - now()).total_seconds()
        REMINDER_LAG.set(max(0.0, -seconds))
        if seconds > 0:
            return min(poll, seconds)
        claims = await queue.claim(self._database, min(free, USER_SHARE), busy)
        REMINDERS_DUE.inc(len(claims))
        for claim in claims:
            self._start(courier.deliver(self._database, self.settings, claim), claim.user_id)
        return 0 if claims else poll

    def _start(self, work: Coroutine[Any, Any, None], user_id: str) -> None:
        delivery = asyncio.create_task(_logged(work))
        self._deliveries[delivery] = user_id
        delivery.add_done_callback(self._ended)

    def _busy(self) -> set[str]:
        under_way = Counter(user_id for user_id in self._deliveries.values() if user_id != MAILS)
        return {user_id for user_id, count in under_way.items() if count >= USER_SHARE}

    def _ended(self, delivery: "asyncio.Task[None]") -> None:
        user_id = self._deliveries[delivery]
        was_full = len(self._deliveries) >= SLOTS or user_id == MAILS or user_id in self._busy()
        del self._deliveries[delivery]
        if was_full:
            self._wake.set()

    async def _rest(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        if not self._is_stopping:
            self._wake.clear()

    async def _drain(self) -> None:
        """Waits for deliveries and cancels late ones; their claims expire, and another worker delivers them."""
        if self._deliveries:
            _, late = await asyncio.wait(list(self._deliveries), timeout=DRAIN_SECONDS)
            for delivery in late:
                delivery.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _purge_daily(self) -> None:
        while True:
            removed = await _logged(purge(self._database))
            await asyncio.sleep(PURGE_AGAIN_SECONDS if removed is None else PURGE_EVERY_SECONDS)


async def purge(database: Database) -> dict[str, int]:
    """Removes expired data: the trash, logs, revoked tokens and idempotency keys."""
    removed = {
        "tasks": await _in_batches(lambda: purge_trash(database, PURGE_BATCH)),
        "deliveries": await _in_batches(lambda: purge_deliveries(database, PURGE_BATCH)),
        "revoked_tokens": await _in_batches(lambda: users.purge_revoked(database, PURGE_BATCH)),
        "known_groups": await _in_batches(lambda: users.purge_known_groups(database, PURGE_BATCH)),
        "idempotency_keys": await _in_batches(lambda: idempotency.purge(database, PURGE_BATCH)),
        "security_events": await _purge_events(database),
        "one_time_tokens": await _in_batches(lambda: one_time_tokens.purge(database, PURGE_BATCH)),
        "invitations": await _in_batches(lambda: invitations.purge(database, PURGE_BATCH)),
        "mail_quotas": await _in_batches(lambda: quota.purge(database, PURGE_BATCH)),
    }
    if any(removed.values()):
        log.info("purged", **removed)
    return removed


async def _purge_events(database: Database) -> int:
    removed = await _in_batches(lambda: events.purge(database, PURGE_BATCH))
    for user_id in await events.crowded(database):
        removed += await _in_batches(partial(events.thin, database, user_id, PURGE_BATCH))
    return removed


async def _in_batches(batch: Callable[[], Awaitable[int]]) -> int:
    """Runs small transactions until one removes nothing, so that other writers do not wait long."""
    total = 0
    while removed := await batch():
        total += removed
    return total


@asynccontextmanager
async def running(database: Database, settings: Settings) -> AsyncIterator[Worker]:
    """Runs a worker while the block runs."""
    worker = Worker(database, settings)
    work = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        worker.stop()
        await work


async def _logged(work: Awaitable[T]) -> T | None:
    """Logs an error instead of raising it, so that the worker goes on; then gives None."""
    try:
        return await work
    except (Unavailable, DatabaseFull) as error:
        log.warning("the database cannot be used", reason=error.detail, cause=logs.cause_of(error))
    except Exception:
        log.exception("unexpected error")
    return None
