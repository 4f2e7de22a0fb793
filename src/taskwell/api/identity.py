"""From the Authorization header to the principal, without asking the database twice."""

import asyncio
import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256

from taskwell import users
from taskwell.database import Database
from taskwell.errors import InvalidToken, Unauthorized
from taskwell.security.verifier import Verifier
from taskwell.settings import Settings
from taskwell.users import Caller

MAX_ENTRIES = 10_000
MAX_AGE_SECONDS = 60.0
SYNC_SECONDS = 1.0
"""How old the knowledge of revocations may be; twice this is what other processes are promised."""

OVERLAP = timedelta(seconds=15)
"""Revocations of this long ago are read again each time: clocks differ, and commits come out of order."""


MAX_TOKEN_BYTES = 16_384
"""Better Auth puts the whole row of a user into its token; nothing sends headers longer than this."""


@dataclass(frozen=True, slots=True)
class _Entry:
    caller: Caller
    good_until: float


class Identities:
    """Verifies tokens and remembers for whom they stand.

    An entry lives for a minute at most, and never longer than its token. Once a second, and only while there
    are requests, the revocations of all processes are read and what they name is dropped.
    """

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._verifier = Verifier(settings)
        self._max_tasks = settings.max_tasks_per_space
        self._entries: dict[bytes, _Entry] = {}
        self._forgotten = 0
        self._synced_at = time.monotonic()
        self._syncing: asyncio.Task[None] | None = None
        self._news: set[tuple[str, datetime]] = set()

    async def of(self, authorization: list[bytes]) -> Caller:
        """The caller.

        Args:
            authorization: The values of every Authorization header.

        Raises:
            Unauthorized: there is none.
            InvalidToken: it is not exactly one bearer token that is good now.
            Unavailable: it is of another issuer, whose keys could not be fetched since this process began.
        """
        token = bearer_token(authorization)
        digest = sha256(token).digest()
        if time.monotonic() - self._synced_at > SYNC_SECONDS:
            await self._sync()
        entry = self._entries.get(digest)
        if entry is not None and entry.good_until > time.time():
            return entry.caller
        forgotten = self._forgotten
        caller = await self._verify(token)
        if self._forgotten == forgotten:  # else it may have been refused while it was looked up
            self._keep(digest, caller)
        return caller

    def forget(self, names: set[str]) -> None:
        """Drops what is known of tokens by their ids, and of users by ``users.name_of_user``."""
        self._forgotten += 1
        self._entries = {
            digest: entry
            for digest, entry in self._entries.items()
            if entry.caller.actor.token_id not in names
            and users.name_of_user(entry.caller.actor.user_id) not in names
        }

    async def _verify(self, token: bytes) -> Caller:
        claims = await self._verifier.verify(token.decode("latin-1"))
        caller = await users.holder_of(self._database, claims) if claims is not None else None
        if caller is None:
            raise InvalidToken
        return replace(caller, space=replace(caller.space, max_tasks=self._max_tasks))

    def _keep(self, digest: bytes, caller: Caller) -> None:
        self._entries.pop(digest, None)
        if len(self._entries) >= MAX_ENTRIES:
            self._entries.pop(next(iter(self._entries)))
        good_until = min(time.time() + MAX_AGE_SECONDS, caller.actor.expires_at.timestamp())
        self._entries[digest] = _Entry(caller, good_until)

    async def _sync(self) -> None:
        """One query for all who wait; who comes while it runs, and needs no fresher answer, goes on."""
        if self._syncing is None:
            self._syncing = asyncio.create_task(self._read_revocations())
        elif time.monotonic() - self._synced_at < 2 * SYNC_SECONDS:
            return
        await asyncio.shield(self._syncing)

    async def _read_revocations(self) -> None:
        started = time.monotonic()
        try:
            news = await users.recently_revoked(self._database, OVERLAP + timedelta(seconds=MAX_AGE_SECONDS))
            if unread := news - self._news:
                self.forget({name for name, _ in unread})
            self._news = news
            self._synced_at = started
        finally:
            self._syncing = None


def bearer_token(authorization: list[bytes]) -> bytes:
    """The token of the one Authorization header (RFC 6750 section 2.1; the scheme has no case)."""
    if not authorization:
        raise Unauthorized
    scheme, _, token = authorization[0].replace(b"\t", b" ").partition(b" ")
    token = token.strip()
    if scheme.lower() != b"bearer" and len(authorization) == 1:
        raise Unauthorized
    if len(authorization) > 1 or not token or b" " in token or b"\t" in authorization[0]:
        raise InvalidToken("Send exactly one Authorization header with one bearer token.")
    if len(token) > MAX_TOKEN_BYTES:
        raise InvalidToken("The token is too long to be one of ours.")
    return token
