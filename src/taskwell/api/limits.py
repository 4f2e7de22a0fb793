"""How often: attempts to sign in or up, and requests of one user."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import blake2b
from typing import TypeVar

from taskwell.api.windows import Store, Windows
from taskwell.errors import TooManyRequests
from taskwell.observability.metrics import RATE_LIMITED
from taskwell.settings import Settings

T = TypeVar("T")

MINUTE = 60
LONGEST_LOCK_OUT = 15 * MINUTE
REMEMBERED = 24 * 60 * MINUTE
"""How long a lock-out makes the next ones longer, counted from the first of them."""

PLACE_SECONDS = 30
"""When the place of an attempt is free again whose process died."""

PATIENCE_SECONDS = 10.0
POLL_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Quota:
    """What is left of a limit, as draft-ietf-httpapi-ratelimit-headers-10 writes it."""

    name: str
    limit: int
    remaining: int
    seconds: int

    @property
    def headers(self) -> dict[str, str]:
        return {
            "RateLimit-Policy": f'"{self.name}";q={self.limit};w={MINUTE}',
            "RateLimit": f'"{self.name}";r={self.remaining};t={self.seconds}',
        }

    def exceeded(self, what: str) -> TooManyRequests:
        RATE_LIMITED.labels(self.name).inc()
        detail = f"{what}; try again in {self.seconds} second{'s' if self.seconds > 1 else ''}."
        return TooManyRequests(detail, headers={"Retry-After": str(self.seconds)} | self.headers)


class Limits:
    """The limits: of all processes together where ``REDIS_URL`` is set, else of this one.

    While Redis is down, requests are not limited, and attempts are limited by this process's own counts.

    Attributes:
        store: Where the counts are.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        self._per_attempt = settings.rate_limit_per_minute
        self._per_request = settings.api_rate_limit_per_minute
        self._secret = settings.signing_key.encode()[:64]
        self.store = Store(settings.redis_url.get_secret_value() if settings.redis_url else None, clock)

    async def close(self) -> None:
        await self.store.close()

    async def request(self, user_id: str) -> Quota | None:
        """Counts a request of a user; None where requests are not limited, or cannot be counted.

        Raises:
            TooManyRequests: this minute's are used up.
        """
        limit = self._per_request
        if not limit:
            return None

        async def counted(windows: Windows) -> tuple[bool, float, int]:
            key = f"requests/{user_id}"
            has_room = await windows.acquire_entry(key, limit, MINUTE)
            oldest, used = await windows.get_moving_window(key, limit, MINUTE)
            return has_room, oldest, used

        counts = await self.store.ask_if_up(counted)
        if counts is None:
            return None
        has_room, oldest, used = counts
        quota = Quota("requests", limit, max(0, limit - used), _seconds(oldest + MINUTE - self.store.now()))
        if not has_room:
            raise quota.exceeded(f"A user may send {limit} requests a minute")
        return quota

    def sign_in(self, address: str, account: str) -> "Attempt":
        """An attempt to prove who one is, against the counts of the address and of the account.

        Args:
            address: Whoever shares it shares the count.
            account: Whatever the caller says it is; whether it exists makes no difference.
        """
        name = blake2b(account.encode("utf-8", "replace"), key=self._secret, digest_size=16).hexdigest()
        return self._attempt("sign-in", f"sign-in/address/{address}", f"sign-in/account/{name}")

    def sign_up(self, address: str) -> "Attempt":
        return self._attempt("sign-up", f"sign-up/{address}")

    def _attempt(self, name: str, *keys: str) -> "Attempt":
        return Attempt(self.store, name, self._per_attempt, keys)


class Attempt:
    """One attempt, against a limit for each of its keys.

    It takes its place before anything is looked at, and tells afterwards whether it counts. So of many at once
    no more are under way than may still fail, whichever process they are in; the others wait for the outcome.
    Whoever reaches a limit by failing is locked out: for a minute, and twice as long each time after that.
    """

    def __init__(self, store: Store, name: str, limit: int, keys: Sequence[str]) -> None:
        self._store = store
        self._name = name
        self._limit = limit
        self._keys = keys

    @asynccontextmanager
    async def under_way(self) -> AsyncIterator["Attempt"]:
        """Holds a place.

        Raises:
            TooManyRequests: a key's limit is reached.
        """
        if not self._limit:
            yield self
            return
        place = await self._place()
        try:
            yield self
        finally:
            await asyncio.shield(self._store.give_back(place, self._leave))

    async def count(self) -> None:
        """This one counts, without a lock-out when it was the last."""
        if self._limit:
            await self._store.ask(self._count)

    async def fail(self) -> bool:
        """This one has failed; whether somebody is locked out now."""
        return bool(self._limit) and await self._store.ask(self._fail)

    async def succeed(self) -> None:
        """The last key's failures, those of the account, are forgotten; those of the address are not."""
        if self._limit:
            await self._store.ask(self._forget)

    async def _place(self) -> Windows:
        give_up = time.monotonic() + PATIENCE_SECONDS
        while (place := await self._store.ask(self._take)) is None:
            if time.monotonic() > give_up:
                raise self._exceeded(1)
            await asyncio.sleep(POLL_SECONDS)
        return place

    async def _take(self, windows: Windows) -> Windows | None:
        """A place under every key; None where others are under way that may use up what is left."""
        for key in self._keys:
            await self._refuse(windows, key)
        for number, key in enumerate(self._keys, 1):
            under_way = await windows.incr(f"{key}/under-way", PLACE_SECONDS)
            _, counted = await windows.get_moving_window(key, self._limit, MINUTE)
            if counted + under_way > self._limit:
                await self._release(windows, self._keys[:number])
                return None
        return windows

    async def _refuse(self, windows: Windows, key: str) -> None:
        if await windows.get(f"{key}/locked"):
            raise self._exceeded(await windows.get_expiry(f"{key}/locked") - self._store.now())
        oldest, counted = await windows.get_moving_window(key, self._limit, MINUTE)
        if counted >= self._limit:
            raise self._exceeded(oldest + MINUTE - self._store.now())

    async def _leave(self, windows: Windows) -> None:
        await self._release(windows, self._keys)

    async def _release(self, windows: Windows, keys: Sequence[str]) -> None:
        for key in keys:
            if await windows.incr(f"{key}/under-way", PLACE_SECONDS, -1) <= 0:
                await windows.clear(f"{key}/under-way")  # so that the next one's has its full time

    async def _count(self, windows: Windows) -> None:
        for key in self._keys:
            await windows.acquire_entry(key, self._limit, MINUTE)

    async def _fail(self, windows: Windows) -> bool:
        await self._count(windows)
        return any([await self._lock(windows, key) for key in self._keys])

    async def _lock(self, windows: Windows, key: str) -> bool:
        """Locks the key out if its limit is reached; of several who see that at once, one does."""
        _, counted = await windows.get_moving_window(key, self._limit, MINUTE)
        if counted < self._limit:
            return False
        before = await windows.get(f"{key}/lock-outs")
        seconds = min(MINUTE * 2 ** min(before, 10), LONGEST_LOCK_OUT)
        if await windows.incr(f"{key}/locked", seconds) > 1:
            return False
        await windows.incr(f"{key}/lock-outs", REMEMBERED)
        await windows.clear(key)
        return True

    async def _forget(self, windows: Windows) -> None:
        await windows.clear(self._keys[-1])
        await windows.clear(f"{self._keys[-1]}/lock-outs")

    def _exceeded(self, seconds: float) -> TooManyRequests:
        return Quota(self._name, self._limit, 0, _seconds(seconds)).exceeded("There were too many attempts")


def _seconds(left: float) -> int:
    return max(1, math.ceil(left))
