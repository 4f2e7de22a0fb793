"""Writes security events down, beside the request that they belong to.

The log line and the count come at once. The row is stored a moment later in a transaction of its own, so it costs
the request nothing, and a request that fails has its event all the same.
"""

import asyncio
from collections import Counter, deque
from dataclasses import dataclass, replace
from hashlib import blake2b

import structlog

from taskwell.database import Database
from taskwell.errors import AppError
from taskwell.observability.metrics import SECURITY_EVENTS, SECURITY_EVENTS_LOST
from taskwell.settings import Settings
from taskwell.users import events
from taskwell.users.events import Kind, SecurityEvent
from taskwell.users.user import email_key

log = structlog.get_logger("taskwell.security")

MAX_WAITING = 10_000
BATCH = 500
PAUSE_SECONDS = 0.05
RETRY_SECONDS = 1.0
SUM_SECONDS = 60
ROWS_OF_NOBODY = 20
"""Events that have no user are stored singly up to this many a minute, and beyond it as sums."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    """An event that is not stored yet.

    Attributes:
        email: The e-mail of the account, if it is not known yet whether the account exists.
    """

    event: SecurityEvent
    email: str | None = None


class SecurityJournal:
    """One for each process. What waits for the database is in memory and bounded; what is dropped is counted."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._secret = settings.signing_key.encode()[:64]
        self._waiting: deque[_Waiting] = deque()
        self._writing = asyncio.Lock()
        self._writer: asyncio.Task[None] | None = None
        self._told: set[tuple[Kind, str | None]] = set()
        self._sums: Counter[tuple[Kind, str | None]] = Counter()
        self._timer: asyncio.TimerHandle | None = None

    def pseudonym(self, account: str) -> str:
        """An account for the log: people type passwords into the field of the e-mail."""
        return blake2b(account.encode("utf-8", "replace"), key=self._secret, digest_size=8).hexdigest()

    def record(
        self,
        kind: Kind,
        address: str,
        *,
        user_id: str | None = None,
        email: str | None = None,
        subject: str | None = None,
        request_id: str | None = None,
    ) -> None:
        """Writes down an event of the account that ``user_id`` or ``email`` names, if there is such an account."""
        SECURITY_EVENTS.labels(kind).inc()
        who = {"account": self.pseudonym(email_key(email))} if email is not None else {"user_id": user_id or subject}
        log.info("security event", kind=kind, address=address, request_id=request_id, **who)
        self._wait(_Waiting(SecurityEvent(kind, user_id, address, subject), email))

    def token_refused(self, address: str) -> None:
        """Counts a refused token; anybody can send a million, so few of them are written down."""
        SECURITY_EVENTS.labels("token_refused").inc()
        event = SecurityEvent("token_refused", None, address)
        if not self._is_summed_up(event):
            log.info("security event", kind=event.kind, address=address)
            self._wait(_Waiting(event))

    async def flush(self) -> None:
        """Stores what waits.

        Raises:
            Unavailable: the database does not take it now; it goes on waiting.
        """
        async with self._writing:
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
                try:
                    batch = await self._attributed(batch)
                    if batch:
                        await events.keep(self._database, [waiting.event for waiting in batch])
                except BaseException:
                    self._waiting.extendleft(reversed(batch))
                    raise

    async def close(self) -> None:
        if self._writer is not None:
            self._writer.cancel()
            await asyncio.wait([self._writer])
        self._sum_up()
        try:
            await self.flush()
        except AppError:
            SECURITY_EVENTS_LOST.inc(len(self._waiting))
            log.exception("security events could not be stored", lost=len(self._waiting))

    def _wait(self, waiting: _Waiting) -> None:
        if len(self._waiting) >= MAX_WAITING:
            SECURITY_EVENTS_LOST.inc()
            return
        self._waiting.append(waiting)
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())

    async def _write(self) -> None:
        pause = PAUSE_SECONDS
        while self._waiting:
            await asyncio.sleep(pause)
            try:
                await self.flush()
                pause = PAUSE_SECONDS
            except AppError:
                pause = RETRY_SECONDS
            except Exception:
                log.exception("security events could not be stored", lost=len(self._waiting))
                SECURITY_EVENTS_LOST.inc(len(self._waiting))
                self._waiting.clear()

    async def _attributed(self, batch: list[_Waiting]) -> list[_Waiting]:
        """The batch with its accounts, without what is summed up: that must not be tried again with the rest."""
        emails = {waiting.email for waiting in batch if waiting.email is not None}
        holders = {email: await events.holder(self._database, email) for email in emails}
        known = []
        for waiting in batch:
            event = waiting.event
            if waiting.email is not None:
                event = replace(event, user_id=holders[waiting.email])
                if event.user_id is None and self._is_summed_up(event):
                    continue
            known.append(_Waiting(event))
        return known

    def _is_summed_up(self, event: SecurityEvent) -> bool:
        """Whether this event of nobody's is one of too many of its kind and address in this minute."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(SUM_SECONDS, self._sum_up)
        key = (event.kind, event.address)
        if key not in self._told and len(self._told) < ROWS_OF_NOBODY:
            self._told.add(key)
            return False
        known = key in self._sums or len(self._sums) < MAX_WAITING
        self._sums[key if known else (event.kind, None)] += 1
        return True

    def _sum_up(self) -> None:
        """Turns the sums of this minute into events: the largest by address, the others together."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        largest = dict(self._sums.most_common(ROWS_OF_NOBODY))
        for key, count in self._sums.items():
            if key not in largest:
                rest = (key[0], None)
                largest[rest] = largest.get(rest, 0) + count
        self._sums.clear()
        self._told.clear()
        for (kind, address), count in largest.items():
            self._wait(_Waiting(SecurityEvent(kind, None, address, count=count)))
