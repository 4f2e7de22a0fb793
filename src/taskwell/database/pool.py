"""A pool of asyncpg connections. Taking an idle connection is a pop from a list.

SQLAlchemy's pool switches greenlets for each connection; asyncpg's starts a task. Either costs a quarter of a read
of one task.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import asyncpg

from taskwell.errors import Unavailable
from taskwell.observability.metrics import POOL_WAITS

PING_SECONDS = 2.0
CLOSE_SECONDS = 2.0

SURPLUS_SECONDS = 5.0
"""How long an idle connection beyond the pool's size stays open.

Without it the next request would open a connection again; measured, this left a tenth of the rate.
"""

GONE = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)

Connection: TypeAlias = "asyncpg.Connection[Any]"


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """How many connections, and for how long.

    Attributes:
        size: Connections that stay open.
        overflow: Connections beyond these, closed after ``SURPLUS_SECONDS`` without use.
        timeout: Seconds that a request waits for a connection.
        recycle: Seconds after which a connection is replaced by a new one.
        ping_after_idle: Seconds of idleness after which a connection is tested before use.
    """

    size: int
    overflow: int
    timeout: float
    recycle: float
    ping_after_idle: float


@dataclass(frozen=True, slots=True)
class PoolUse:
    """The number of connections now, and their limit."""

    open: int
    in_use: int
    waiting: int
    limit: int


@dataclass(slots=True)
class Pooled:
    """A connection with its times, in seconds of the monotonic clock."""

    connection: Connection
    opened_at: float = field(default_factory=time.monotonic)
    idle_since: float = field(default_factory=time.monotonic)


class ConnectionPool:
    """The connections of one process; the longest waiting caller is served first.

    Attributes:
        open: Slots in use: connections, those being opened, and those that a waiting caller may open.
    """

    def __init__(self, connect: Callable[[], Awaitable[Connection]], limits: PoolLimits) -> None:
        self.limits = limits
        self.open = 0
        self._connect = connect
        self._idle: list[Pooled] = []
        self._waiting: deque[asyncio.Future[Pooled | None]] = deque()
        self._unasked: set[asyncio.Task[Pooled]] = set()
        self._closing: set[asyncio.Task[None]] = set()
        self._trimming: asyncio.TimerHandle | None = None

    @property
    def in_use(self) -> int:
        return self.open - len(self._idle)

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def use(self) -> PoolUse:
        return PoolUse(self.open, self.in_use, self.waiting, self.limits.size + self.limits.overflow)

    async def acquire(self) -> Pooled:
        """Takes a connection; one that idled for long is tested first.

        Raises:
            Unavailable: all are in use, and none became free in time.
        """
        while self._idle:
            pooled, works = self._idle.pop(), False
            try:
                works = await self._works(pooled)
            finally:  # also if the caller is cancelled during the test
                if not works:
                    self._drop(pooled)
            if works:
                return pooled
        if self.open < self.limits.size + self.limits.overflow:
            self.open += 1
            return await self._opened()
        return await self._waited() or await self._opened()

    def release(self, pooled: Pooled, *, is_sound: bool = True) -> None:
        """Takes a connection back; one that is not sound, since a statement was interrupted, is closed."""
        now = time.monotonic()
        if not is_sound or pooled.connection.is_closed() or now - pooled.opened_at > self.limits.recycle:
            self._drop(pooled)
        elif (waiter := self._next_waiter()) is not None:
            waiter.set_result(pooled)
        else:
            pooled.idle_since = now
            self._idle.append(pooled)
            if self.open > self.limits.size and self._trimming is None:
                self._trimming = asyncio.get_running_loop().call_later(SURPLUS_SECONDS, self._trim)

    def _trim(self) -> None:
        """Closes surplus connections. The list is a stack, so the first one has idled longest."""
        self._trimming = None
        now = time.monotonic()
        while self._idle and self.open > self.limits.size and now - self._idle[0].idle_since >= SURPLUS_SECONDS:
            self._drop(self._idle.pop(0))
        if self._idle and self.open > self.limits.size:
            self._trimming = asyncio.get_running_loop().call_later(SURPLUS_SECONDS, self._trim)

    async def close(self) -> None:
        """Closes the idle connections now, and those in use when they come back."""
        self.limits = PoolLimits(0, 0, self.limits.timeout, 0, 0)
        if self._trimming is not None:
            self._trimming.cancel()
        self.drop_idle()
        if self._unasked:
            _, late = await asyncio.wait(self._unasked, timeout=CLOSE_SECONDS)
            for opening in late:
                opening.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await asyncio.gather(*self._closing, return_exceptions=True)

    async def _works(self, pooled: Pooled) -> bool:
        """Sees a closed socket at once; tests a connection that idled for long, which may be half open."""
        if pooled.connection.is_closed():
            return False
        if time.monotonic() - pooled.idle_since <= self.limits.ping_after_idle:
            return True
        try:
            await pooled.connection.execute("SELECT 1", timeout=PING_SECONDS)
        except GONE:
            self.drop_idle()  # the cause has most likely cut the others off too
            return False
        return True

    async def _opened(self) -> Pooled:
        """Opens a connection for the caller's slot, in a task that is never cancelled.

        asyncpg cannot be cancelled while it connects. Before the TLS answer it leaves a failed future behind,
        and at the end it leaks the connection.
        """
        opening = asyncio.create_task(self._connected())
        try:
            await asyncio.wait((opening,))
        except asyncio.CancelledError:
            self._unasked.add(opening)
            opening.add_done_callback(self._keep)
            raise
        return opening.result()

    async def _connected(self) -> Pooled:
        try:
            return Pooled(await self._connect())
        except BaseException:
            self._forget_one()
            raise

    def _keep(self, opening: "asyncio.Task[Pooled]") -> None:
        """Gives a connection to the next caller if its own caller was cancelled; a failure is ignored."""
        self._unasked.discard(opening)
        if not opening.cancelled() and opening.exception() is None:
            self.release(opening.result())

    async def _waited(self) -> Pooled | None:
        """Waits for a returned connection, or for a free slot (None)."""
        waiter: asyncio.Future[Pooled | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        started = time.perf_counter()
        try:
            async with asyncio.timeout(self.limits.timeout):
                return await waiter
        except BaseException as error:
            if waiter.done() and not waiter.cancelled():
                self._pass_on(waiter.result())
            if isinstance(error, TimeoutError):
                raise Unavailable("Every database connection is in use; try again shortly.", retry_after=1) from None
            raise
        finally:
            POOL_WAITS.observe(time.perf_counter() - started)

    def _pass_on(self, pooled: Pooled | None) -> None:
        """Gives a connection or slot to the next caller if its receiver was just cancelled."""
        if pooled is not None:
            self.release(pooled)
        else:
            self._forget_one()

    def _next_waiter(self) -> "asyncio.Future[Pooled | None] | None":
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                return waiter
        return None

    def drop_idle(self) -> None:
        while self._idle:
            self._drop(self._idle.pop())

    def _drop(self, pooled: Pooled) -> None:
        self._forget_one()
        if pooled.connection.is_closed():
            return
        task = asyncio.create_task(_close(pooled.connection))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    def _forget_one(self) -> None:
        """Counts one connection less. A waiting caller gets its slot, before a new caller can take it."""
        if (waiter := self._next_waiter()) is not None:
            waiter.set_result(None)
        else:
            self.open -= 1


async def _close(connection: Connection) -> None:
    try:
        await connection.close(timeout=CLOSE_SECONDS)
    except GONE:
        connection.terminate()
