"""Patterns of security events that no single one of them shows, over all processes that share their counts."""

import asyncio

import structlog

from taskwell.api.windows import Store, Windows
from taskwell.telemetry import SECURITY_ALARMS

log = structlog.get_logger("taskwell.security")

WINDOW_SECONDS = 15 * 60
QUIET_SECONDS = 15 * 60
"""How long an alarm that was raised is not raised again for the same address or account."""

MANY_ACCOUNTS = 10
MANY_ADDRESSES = 10
BURST_SECONDS = 60
BURST = 100
TALLY_SECONDS = 0.5
"""How long refused tokens are counted here before all processes are told; each costs too little for a question."""


class Alarms:
    """Raises an alarm once: a warning in the log and a count in the metrics."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._refused = 0
        self._tallying: asyncio.Task[None] | None = None

    async def attempt(self, address: str, account: str) -> None:
        """Somebody failed to sign in to an account, or opened one."""
        await self._spread("many_accounts_from_one_address", MANY_ACCOUNTS, address, account)
        await self._spread("one_account_from_many_addresses", MANY_ADDRESSES, account, address)

    def refused_token(self, address: str) -> None:
        self._refused += 1
        if self._tallying is None or self._tallying.done():
            self._tallying = asyncio.create_task(self._tally(address))

    async def close(self) -> None:
        if self._tallying is not None:
            self._tallying.cancel()
            await asyncio.wait([self._tallying])

    async def _spread(self, pattern: str, threshold: int, one: str, other: str) -> None:
        """How many different others belong to one thing: accounts to an address, or addresses to an account."""

        async def is_reached(windows: Windows) -> bool:
            key = f"alarms/{pattern}/{one}"
            if await windows.incr(f"{key}/{other}", WINDOW_SECONDS) == 1:
                await windows.acquire_entry(key, threshold, WINDOW_SECONDS)
            _, others = await windows.get_moving_window(key, threshold, WINDOW_SECONDS)
            return others >= threshold and await _is_news(windows, pattern, one)

        if await self._store.ask(is_reached):
            _raise(pattern, one)

    async def _tally(self, address: str) -> None:
        pattern = "burst_of_refused_tokens"
        await asyncio.sleep(TALLY_SECONDS)
        while count := self._refused:
            self._refused = 0

            async def is_reached(windows: Windows, count: int = count) -> bool:
                refused = await windows.incr(f"alarms/{pattern}", BURST_SECONDS, count)
                return refused >= BURST and await _is_news(windows, pattern, "everybody")

            if await self._store.ask(is_reached):
                _raise(pattern, address)


async def _is_news(windows: Windows, pattern: str, about: str) -> bool:
    return await windows.incr(f"alarms/{pattern}/raised/{about}", QUIET_SECONDS) == 1


def _raise(pattern: str, about: str) -> None:
    SECURITY_ALARMS.add(pattern)
    log.warning("security alarm", pattern=pattern, about=about)
