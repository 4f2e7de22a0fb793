"""A pool of asyncpg connections that costs nothing where there is nothing to wait for.

SQLAlchemy's pool switches greenlets, and asyncpg's starts a task, each time a connection is taken or given
back: a quarter of what a read of one task costs in all. Taking an idle connection here is a pop from a list.
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
"""How long a connection beyond the size is kept for the next who wants one.

Closed at once, it would be opened again for the next request: measured, a tenth of the requests per second.
"""

GONE = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)

Connection: TypeAlias = "asyncpg.Connection[Any]"


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """How many connections, and for how long.

    Attributes:
        size: Connections that stay open.
        overflow: Connections beyond these, closed when nobody has wanted them for ``SURPLUS_SECONDS``.
        timeout: Seconds to wait for one before the request is turned away.
        recycle: Seconds after which a connection is replaced by a new one.
        ping_after_idle: Seconds of idleness after which a connection is asked whether it still works.
    """

    size: int
    overflow: int
    timeout: float
    recycle: float
    ping_after_idle: float


@dataclass(frozen=True, slots=True)
class PoolUse:
    """Connections at this moment, and how many there may be."""

    open: int
    in_use: int
    waiting: int
    limit: int


@dataclass(slots=True)
class Pooled:
    """A connection and its history, in seconds of the monotonic clock."""

    connection: Connection
    opened_at: float = field(default_factory=time.monotonic)
    idle_since: float = field(default_factory=time.monotonic)


class ConnectionPool:
    """Connections of one process; whoever waits longest is served first.

    Attributes:
        open: Places that are taken: by a connection, by one that is being opened, or by who may open one.
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
        """A connection that works, as far as that can be known without using it.

        Raises:
            Unavailable: all are in use, and none came free in time.
        """
        while self._idle:
            pooled, works = self._idle.pop(), False
            try:
                works = await self._works(pooled)
            finally:  # also where the caller is stopped while the connection is asked
                if not works:
                    self._drop(pooled)
            if works:
                return pooled
        if self.open < self.limits.size + self.limits.overflow:
            self.open += 1
            return await self._opened()
        return await self._waited() or await self._opened()

    def release(self, pooled: Pooled, *, is_sound: bool = True) -> None:
        """Takes a connection back; one that was left in the middle of a statement is not sound and is given up."""
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
        """Closes what is surplus; the last taken back is taken first, so the first has idled longest."""
        self._trimming = None
        now = time.monotonic()
        while self._idle and self.open > self.limits.size and now - self._idle[0].idle_since >= SURPLUS_SECONDS:
            self._drop(self._idle.pop(0))
        if self._idle and self.open > self.limits.size:
            self._trimming = asyncio.get_running_loop().call_later(SURPLUS_SECONDS, self._trim)

    async def close(self) -> None:
        """Closes the idle connections; those in use are closed as they come back."""
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
        """A closed socket is seen at once; a connection that idled for long may be half open, and is asked."""
        if pooled.connection.is_closed():
            return False
        if time.monotonic() - pooled.idle_since <= self.limits.ping_after_idle:
            return True
        try:
            await pooled.connection.execute("SELECT 1", timeout=PING_SECONDS)
        except GONE:
            self.drop_idle()  # whatever has cut this one off has most likely cut them off as well
            return False
        return True

    async def _opened(self) -> Pooled:
        """A new connection in a place that the caller has, opened by a task of its own, which nobody stops.

        asyncpg's connecting does not bear it: stopped between the socket and the answer about TLS, it leaves a
        failed future behind that asyncio complains of; stopped as it ends, it leaves the connection behind.
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
        """What was opened for somebody who is gone serves the next; that it failed concerns nobody any more."""
        self._unasked.discard(opening)
        if not opening.cancelled() and opening.exception() is None:
            self.release(opening.result())

    async def _waited(self) -> Pooled | None:
        """A connection from somebody else, or None for a place in which to open one."""
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
        """What was given to somebody who had just stopped waiting."""
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
        """One connection less. Its place passes to who waits: whoever comes before they run must not find it free."""
        if (waiter := self._next_waiter()) is not None:
            waiter.set_result(None)
        else:
            self.open -= 1


async def _close(connection: Connection) -> None:
    try:
        await connection.close(timeout=CLOSE_SECONDS)
    except GONE:
        connection.terminate()
