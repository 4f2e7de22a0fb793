"""Patterns of security events that no single one of them shows."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from taskwell.telemetry import SECURITY_ALARMS

log = structlog.get_logger("taskwell.security")

WINDOW_SECONDS = 15 * 60
QUIET_SECONDS = 15 * 60
"""How long an alarm that was raised is not raised again for the same address or account."""

MANY_ACCOUNTS = 10
MANY_ADDRESSES = 10
BURST_SECONDS = 60
BURST = 100
MAX_KEYS = 10_000


@dataclass(slots=True)
class Spread:
    """How many different others belong to one thing: accounts to an address, or addresses to an account."""

    pattern: str
    threshold: int
    seen: dict[str, dict[str, float]] = field(default_factory=dict)

    def is_reached(self, one: str, other: str, at: float) -> bool:
        others = self.seen.pop(one, {})
        others[other] = at
        others = {name: last for name, last in others.items() if at - last < WINDOW_SECONDS}
        self.seen[one] = others
        if len(self.seen) > MAX_KEYS:
            del self.seen[next(iter(self.seen))]
        return len(others) >= self.threshold


class Watch:
    """Raises an alarm once: a warning in the log and a count in the metrics."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._accounts = Spread("many_accounts_from_one_address", MANY_ACCOUNTS)
        self._addresses = Spread("one_account_from_many_addresses", MANY_ADDRESSES)
        self._burst_began = 0.0
        self._burst = 0
        self._raised: dict[tuple[str, str], float] = {}

    def attempt(self, address: str, account: str) -> None:
        """Somebody failed to sign in to an account, or opened one."""
        at = self._clock()
        if self._accounts.is_reached(address, account, at):
            self._raise(self._accounts.pattern, address, at)
        if self._addresses.is_reached(account, address, at):
            self._raise(self._addresses.pattern, account, at)

    def refused_token(self, address: str) -> None:
        at = self._clock()
        if at - self._burst_began >= BURST_SECONDS:
            self._burst_began, self._burst = at, 0
        self._burst += 1
        if self._burst == BURST:
            self._raise("burst_of_refused_tokens", address, at, once_for="everybody")

    def _raise(self, pattern: str, about: str, at: float, *, once_for: str | None = None) -> None:
        key = (pattern, once_for or about)
        if at - self._raised.get(key, -QUIET_SECONDS) < QUIET_SECONDS:
            return
        self._raised = {each: last for each, last in self._raised.items() if at - last < QUIET_SECONDS}
        self._raised[key] = at
        SECURITY_ALARMS.add(pattern)
        log.warning("security alarm", pattern=pattern, about=about)
