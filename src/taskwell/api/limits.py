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
HOUR = 60 * MINUTE
LONGEST_LOCK_OUT = 15 * MINUTE
REMEMBERED = 24 * HOUR
"""How long a lock-out makes the next ones longer, counted from the first of them."""

MAX_FROM_ANYWHERE = 50
"""Failures of one account in an hour; after them, only addresses from which it was signed in to may try."""

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
    window: int = MINUTE

    @property
    def headers(self) -> dict[str, str]:
        return {
            "RateLimit-Policy": f'"{self.name}";q={self.limit};w={self.window}',
            "RateLimit": f'"{self.name}";r={self.remaining};t={self.seconds}',
        }

    def exceeded(self, what: str) -> TooManyRequests:
        RATE_LIMITED.labels(self.name).inc()
        detail = f"{what}; try again in {self.seconds} second{'s' if self.seconds > 1 else ''}."
        return TooManyRequests(detail, headers={"Retry-After": str(self.seconds)} | self.headers)


@dataclass(frozen=True, slots=True)
class Count:
    """How many attempts may count under a key in a sliding window.

    Attributes:
        locks_out: Whether reaching the limit locks out, longer each time; else the window only has to slide on.
    """

    key: str
    limit: int
    window: int = MINUTE
    locks_out: bool = True


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

    def sign_in(self, address: str, account: str, *, is_known: bool = False) -> "Attempt":
        """An attempt to prove who one is: counted by address, and by account at this address and at all of them.

        Args:
            address: Whoever shares it shares the count.
            account: Whatever the caller says it is; whether it exists makes no difference.
            is_known: The account was signed in to from this address, so failures elsewhere do not matter.
        """
        here = self._count(f"sign-in/account/{self.hashed(account)}/{address}")
        counts = [self._count(f"sign-in/address/{address}"), here]
        return self._attempt("sign-in", counts if is_known else [*counts, self._from_anywhere(account)], here.key)

    def sign_up(self, address: str) -> "Attempt":
        return self._attempt("sign-up", [self._count(f"sign-up/{address}")])

    def invitation(self, address: str) -> "Attempt":
        """An attempt to use the token of an invitation, which somebody may have guessed."""
        return self._attempt("invitations", [self._count(f"invitations/{address}")])

    async def has_failed_often(self, account: str) -> bool:
        """Whether only known addresses may try this account. Attempts under way count: each of them may fail."""
        count = self._from_anywhere(account)

        async def asked(windows: Windows) -> bool:
            return await _taken(windows, count) + await windows.get(f"{count.key}/under-way") >= count.limit

        return bool(self._per_attempt) and await self.store.ask(asked)

    def hashed(self, text: str) -> str:
        """A short name for a text that is not stored itself; without the secret nobody can guess the text."""
        return blake2b(text.encode("utf-8", "replace"), key=self._secret, digest_size=16).hexdigest()

    def _count(self, key: str) -> Count:
        return Count(key, self._per_attempt)

    def _from_anywhere(self, account: str) -> Count:
        return Count(f"sign-in/anywhere/{self.hashed(account)}", MAX_FROM_ANYWHERE, HOUR, locks_out=False)

    def _attempt(self, name: str, counts: Sequence[Count], cleared: str = "") -> "Attempt":
        return Attempt(self.store, name, counts if self._per_attempt else (), cleared)


class Attempt:
    """One attempt, against each of its counts; against none where attempts are not limited.

    It takes its place before anything is looked at, and tells afterwards whether it counts. So of many at once
    no more are under way than may still fail, whichever process they are in; the others wait for the outcome.
    Whoever reaches a limit by failing is locked out: for a minute, and twice as long each time after that.
    """

    def __init__(self, store: Store, name: str, counts: Sequence[Count], cleared: str) -> None:
        """Counts attempts under several keys.

        Args:
            cleared: The key that a success removes.
        """
        self._store = store
        self._name = name
        self._counts = counts
        self._cleared = cleared

    @asynccontextmanager
    async def under_way(self) -> AsyncIterator["Attempt"]:
        """Holds a place.

        Raises:
            TooManyRequests: a limit is reached.
        """
        if not self._counts:
            yield self
            return
        place = await self._place()
        try:
            yield self
        finally:
            await asyncio.shield(self._store.give_back(place, self._leave))

    async def count(self) -> None:
        """This one counts, without a lock-out when it was the last."""
        if self._counts:
            await self._store.ask(self._count)

    async def fail(self) -> list[Count]:
        """This one has failed; gives the counts of which it reaches the limit, and so locks somebody out."""
        return await self._store.ask(self._fail) if self._counts else []

    async def succeed(self) -> None:
        """The failures of this account at this address are forgotten; those of the address are not."""
        if self._counts:
            await self._store.ask(self._forget)

    async def _place(self) -> Windows:
        give_up = time.monotonic() + PATIENCE_SECONDS
        while (place := await self._store.ask(self._take)) is None:
            if time.monotonic() > give_up:
                raise self._exceeded(self._counts[0], 1)
            await asyncio.sleep(POLL_SECONDS)
        return place

    async def _take(self, windows: Windows) -> Windows | None:
        """A place under every key; None where others are under way that may use up what is left."""
        for count in self._counts:
            await self._refuse(windows, count)
        for number, count in enumerate(self._counts, 1):
            under_way = await windows.incr(f"{count.key}/under-way", PLACE_SECONDS)
            if await _taken(windows, count) + under_way > count.limit:
                await self._release(windows, self._counts[:number])
                return None
        return windows

    async def _refuse(self, windows: Windows, count: Count) -> None:
        if count.locks_out and await windows.get(f"{count.key}/locked"):
            raise self._exceeded(count, await windows.get_expiry(f"{count.key}/locked") - self._store.now())
        oldest, taken = await windows.get_moving_window(count.key, count.limit, count.window)
        if taken >= count.limit:
            raise self._exceeded(count, oldest + count.window - self._store.now())

    async def _leave(self, windows: Windows) -> None:
        await self._release(windows, self._counts)

    async def _release(self, windows: Windows, counts: Sequence[Count]) -> None:
        for count in counts:
            if await windows.incr(f"{count.key}/under-way", PLACE_SECONDS, -1) <= 0:
                await windows.clear(f"{count.key}/under-way")  # so that the next one's has its full time

    async def _count(self, windows: Windows) -> None:
        for count in self._counts:
            await windows.acquire_entry(count.key, count.limit, count.window)

    async def _fail(self, windows: Windows) -> list[Count]:
        return [count for count in self._counts if await self._is_last(windows, count)]

    async def _is_last(self, windows: Windows, count: Count) -> bool:
        """Counts a failure; whether it reaches the limit. Of several who see that at once, one does."""
        is_counted = await windows.acquire_entry(count.key, count.limit, count.window)
        if await _taken(windows, count) < count.limit:
            return False
        return await self._lock(windows, count.key) if count.locks_out else is_counted

    async def _lock(self, windows: Windows, key: str) -> bool:
        before = await windows.get(f"{key}/lock-outs")
        seconds = min(MINUTE * 2 ** min(before, 10), LONGEST_LOCK_OUT)
        if await windows.incr(f"{key}/locked", seconds) > 1:
            return False
        await windows.incr(f"{key}/lock-outs", REMEMBERED)
        await windows.clear(key)
        return True

    async def _forget(self, windows: Windows) -> None:
        await windows.clear(self._cleared)
        await windows.clear(f"{self._cleared}/lock-outs")

    def _exceeded(self, count: Count, seconds: float) -> TooManyRequests:
        quota = Quota(self._name, count.limit, 0, _seconds(seconds), count.window)
        return quota.exceeded("There were too many attempts")


async def _taken(windows: Windows, count: Count) -> int:
    _, taken = await windows.get_moving_window(count.key, count.limit, count.window)
    return taken


def _seconds(left: float) -> int:
    return max(1, math.ceil(left))
