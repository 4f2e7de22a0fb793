"""Where attempts are counted: this process's memory, or Redis for all processes together.

``limits`` does it on Redis. Its own memory storage is not used: every hit walks all keys and hands each to a
thread, and importing the package costs more than the rest of the start-up's imports.
"""

import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import structlog

from taskwell.observability.metrics import LIMIT_STORE_FAILURES
from taskwell.settings import InvalidSettings

T = TypeVar("T")
U = TypeVar("U")
log = structlog.get_logger("taskwell.limits")

MAX_KEYS = 100_000
"""What one process remembers at most; beyond it, the oldest keys go."""

REDIS_SECONDS = 0.5
"""How long Redis may take to answer before it counts as down."""

RETRY_SECONDS = 1.0
"""How long nobody asks a Redis that was down."""


class Windows(Protocol):
    """Counts by key, as the storages of ``limits.aio`` do; instants are seconds since the epoch."""

    async def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Adds a hit unless there were ``limit`` of them within ``expiry`` seconds."""

    async def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """When the oldest hit within ``expiry`` seconds was, and how many there were."""

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Adds to a plain count that ends ``expiry`` seconds after its first addition; gives the sum."""

    async def get(self, key: str) -> int: ...

    async def get_expiry(self, key: str) -> float: ...

    async def clear(self, key: str) -> None: ...


@dataclass(slots=True)
class _Count:
    value: int
    ends: float


@dataclass(slots=True)
class _Hits:
    ends: float = 0
    instants: deque[float] = field(default_factory=deque)


class MemoryWindows(Windows):
    """The counts of this process, bounded in number."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._counts: dict[str, _Count] = {}
        self._hits: dict[str, _Hits] = {}

    async def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        hits, at = self._within(key, expiry), self._clock()
        if len(hits.instants) + amount > limit:
            return False
        hits.instants.extend([at] * amount)
        hits.ends = at + expiry
        self._hits[key] = hits
        _trim(self._hits, at)
        return True

    async def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        instants = self._within(key, expiry).instants
        return (instants[0], len(instants)) if instants else (self._clock(), 0)

    def _within(self, key: str, expiry: int) -> _Hits:
        hits = self._hits.get(key) or _Hits()
        start = self._clock() - expiry
        while hits.instants and hits.instants[0] <= start:
            hits.instants.popleft()
        return hits

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        at = self._clock()
        count = self._live(key)
        if count is None:
            count = self._counts[key] = _Count(0, at + expiry)
            _trim(self._counts, at)
        count.value += amount
        return count.value

    async def get(self, key: str) -> int:
        count = self._live(key)
        return count.value if count else 0

    async def get_expiry(self, key: str) -> float:
        count = self._live(key)
        return count.ends if count else self._clock()

    async def clear(self, key: str) -> None:
        self._counts.pop(key, None)
        self._hits.pop(key, None)

    def _live(self, key: str) -> _Count | None:
        count = self._counts.get(key)
        if count is not None and count.ends <= self._clock():
            del self._counts[key]
            return None
        return count


def _trim(kept: "dict[str, _Count] | dict[str, _Hits]", at: float) -> None:
    """Makes room once the bound is reached: what has ended goes, and the oldest as far as that is no tenth.

    Room for less would have the next keys look through all of them again.
    """
    if len(kept) <= MAX_KEYS:
        return
    for key in [key for key, each in kept.items() if each.ends <= at]:
        del kept[key]
    for key in list(kept)[: len(kept) - MAX_KEYS + MAX_KEYS // 10]:
        del kept[key]


class Store:
    """Where questions about counts are asked: Redis where there is one and it answers, else this process.

    Attributes:
        memory: The counts of this process.
        now: The instant, as the counts see it.
    """

    def __init__(self, redis_url: str | None, clock: Callable[[], float] = time.time) -> None:
        self.now = clock
        self.memory = MemoryWindows(clock)
        self._shared = SharedWindows(redis_url) if redis_url else None

    async def close(self) -> None:
        if self._shared is not None:
            await self._shared.close()

    async def ask(self, question: Callable[[Windows], Awaitable[T]]) -> T:
        """The answer; while Redis is down, by the counts of this process."""
        if self._shared is None:
            return await question(self.memory)
        return await self._shared.ask(question, lambda: question(self.memory))

    async def ask_if_up(self, question: Callable[[Windows], Awaitable[T]]) -> T | None:
        """The answer; None while Redis is down."""
        if self._shared is None:
            return await question(self.memory)
        return await self._shared.ask(question, _nothing)

    async def give_back(self, place: Windows, question: Callable[[Windows], Awaitable[None]]) -> None:
        """Undoes what an earlier question did at the place that it was asked."""
        if place is self.memory or self._shared is None:
            await question(self.memory)
        else:
            await self._shared.ask(question, _nothing)


async def _nothing() -> None:
    return None


class SharedWindows:
    """Redis while it answers.

    When it stops answering, that is logged and counted once; from then on one question a second finds out
    whether it is back, and all others get what was agreed on for that case.
    """

    def __init__(self, url: str) -> None:
        self._windows, self._failures, self.close = _connect(url)
        self._is_down = False
        self._asked_at = 0.0

    async def ask(self, question: Callable[[Windows], Awaitable[T]], otherwise: Callable[[], Awaitable[U]]) -> T | U:
        """The answer from Redis; what ``otherwise`` gives while Redis is down."""
        if self._is_down:
            if time.monotonic() - self._asked_at < RETRY_SECONDS:
                return await otherwise()
            self._asked_at = time.monotonic()
        try:
            answer = await question(self._windows)
        except self._failures as error:
            self._failed(error)
            return await otherwise()
        if self._is_down:
            self._is_down = False
            log.info("redis is back", effect="limits are shared between processes again")
        return answer

    def _failed(self, error: Exception) -> None:
        self._asked_at = time.monotonic()
        LIMIT_STORE_FAILURES.inc()
        if not self._is_down:
            self._is_down = True
            log.error(
                "redis is down",
                error=type(error).__name__,
                effect="requests are not limited; sign-ins are limited by each process for itself",
            )


def _connect(url: str) -> tuple[Windows, tuple[type[Exception], ...], Callable[[], Awaitable[None]]]:
    """Redis by way of ``limits``; connects at the first question."""
    from limits.aio.storage import RedisStorage  # noqa: PLC0415 - optional, so not imported until it is used
    from redis.asyncio import ConnectionPool  # noqa: PLC0415
    from redis.asyncio.retry import Retry  # noqa: PLC0415
    from redis.backoff import NoBackoff  # noqa: PLC0415
    from redis.exceptions import RedisError  # noqa: PLC0415

    try:
        pool = ConnectionPool.from_url(
            url,
            socket_timeout=REDIS_SECONDS,
            socket_connect_timeout=REDIS_SECONDS,
            retry=Retry(NoBackoff(), 1),
        )
    except ValueError as error:
        raise InvalidSettings(f"REDIS_URL cannot be used: {error}") from error
    storage = RedisStorage(url, implementation="redispy", key_prefix="taskwell", connection_pool=pool)  # type: ignore[arg-type]
    return storage, (RedisError, OSError, TimeoutError), pool.aclose
