"""From the Authorization header to the principal, without asking the database twice."""

import asyncio
import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256

from taskwell import users
from taskwell.api.accesses import Accesses
from taskwell.database import Database
from taskwell.errors import InvalidToken
from taskwell.security.bearer import bearer_token
from taskwell.security.personal_tokens import PREFIX
from taskwell.security.verifier import Verifier
from taskwell.settings import Settings
from taskwell.users import Caller
from taskwell.users.principal import Principal

MAX_ENTRIES = 10_000
MAX_AGE_SECONDS = 60.0
SYNC_SECONDS = 1.0
"""How old the knowledge of revocations may be; twice this is what other processes are promised."""

OVERLAP = timedelta(seconds=15)
"""Revocations of this long ago are read again each time: clocks differ, and commits come out of order."""


@dataclass(frozen=True, slots=True)
class _Entry:
    caller: Caller
    good_until: float


class Identities:
    """Verifies tokens and remembers for whom they stand.

    An entry lives for a minute at most, and never longer than its token. Once a second, and only while there
    are requests, the revocations of all processes are read and what they name is dropped; so with roles.

    Attributes:
        accesses: What users may do in shared spaces.
    """

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._verifier = Verifier(settings)
        self._max_tasks = settings.max_tasks_per_space
        self.accesses = Accesses(database, self._max_tasks)
        self._entries: dict[bytes, _Entry] = {}
        self._by_name: dict[str, set[bytes]] = {}
        self._forgotten = 0
        self._synced_at = time.monotonic()
        self._syncing: asyncio.Task[None] | None = None
        self._news: set[tuple[str, datetime]] = set()

    async def identify(self, authorization: list[bytes]) -> Caller:
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
        """Drops what is known of tokens by their ids, of users by ``users.name_of_user``, and of spaces."""
        self._forgotten += 1
        self.accesses.forget(names)
        for name in names:
            for digest in list(self._by_name.get(name, ())):
                self._drop(digest)

    async def _verify(self, token: bytes) -> Caller:
        caller = await self._holder(token.decode("latin-1"))
        return replace(caller, space=replace(caller.space, max_tasks=self._max_tasks))

    async def _holder(self, text: str) -> Caller:
        if text.startswith(PREFIX):
            return await users.holder_of_personal(self._database, text)
        caller = await users.holder_of(self._database, await self._verifier.verify(text))
        if caller is None:
            raise InvalidToken
        return caller

    def _keep(self, digest: bytes, caller: Caller) -> None:
        if digest in self._entries:
            self._drop(digest)
        if len(self._entries) >= MAX_ENTRIES:
            self._drop(next(iter(self._entries)))
        good_until = min(time.time() + MAX_AGE_SECONDS, caller.actor.expires_at.timestamp())
        self._entries[digest] = _Entry(caller, good_until)
        for name in _names(caller.actor):
            self._by_name.setdefault(name, set()).add(digest)

    def _drop(self, digest: bytes) -> None:
        for name in _names(self._entries.pop(digest).caller.actor):
            digests = self._by_name[name]
            digests.discard(digest)
            if not digests:
                del self._by_name[name]

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
            await self.accesses.refresh()
            self._synced_at = started
        finally:
            self._syncing = None


def _names(actor: Principal) -> tuple[str, str]:
    """By which of its names ``forget`` may be told of it."""
    return actor.token_id, users.name_of_user(actor.user_id)
