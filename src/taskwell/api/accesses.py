"""What users may do in shared spaces, remembered for a few seconds. Only a yes is: a no is the database's own."""

import time

from taskwell.database import Database
from taskwell.spaces import SpaceAccess, queries
from taskwell.spaces.current import current
from taskwell.spaces.rules import no_such_space

MAX_ENTRIES = 10_000
MAX_AGE_SECONDS = 5.0


def name_of_space(space_id: str) -> str:
    """What stands for all that is remembered of a space, for ``Identities.forget``."""
    return f"space:{space_id}"


class Accesses:
    """By space and user. What this process does to members is forgotten at once, what others do by ``refresh``."""

    def __init__(self, database: Database, max_tasks: int) -> None:
        self._database = database
        self._max_tasks = max_tasks
        self._entries: dict[str, dict[str, tuple[SpaceAccess, float]]] = {}
        self._size = 0
        self._forgotten = 0

    async def of(self, user_id: str, space_id: str) -> SpaceAccess:
        """Raises:
        NotFound: there is no such space, or the user is no member of it.
        """
        found, good_until = self._entries.get(space_id, {}).get(user_id, (None, 0.0))
        if found is not None and good_until > time.monotonic():
            return found
        return await self.read(user_id, space_id)

    async def read(self, user_id: str, space_id: str) -> SpaceAccess:
        """As the database has it now.

        Raises:
            NotFound: see ``of``.
        """
        forgotten = self._forgotten
        found = await queries.access_of(self._database, user_id, space_id)
        if found is None:
            raise no_such_space()
        access = self._limited(found)
        if self._forgotten == forgotten:  # else it may have ended while it was looked up
            self._keep(user_id, access)
        return access

    async def every(self, user_id: str) -> tuple[SpaceAccess, ...]:
        """Those of all spaces of a user, which nobody remembers: a space that they have just joined is among them."""
        return tuple(self._limited(each) for each in await queries.accesses_of(self._database, user_id))

    def forget(self, names: set[str]) -> None:
        """Drops what is known of spaces by ``name_of_space``; other names are none of them."""
        self._forgotten += 1
        for name in names:
            self._size -= len(self._entries.pop(name.removeprefix("space:"), ()))

    async def refresh(self) -> None:
        """Drops what is known of spaces whose members or zone have changed, in one statement if there is any."""
        if not self._entries:
            return
        found = await current(self._database, self._entries.keys())
        changed = {
            name_of_space(space_id)
            for space_id, users in self._entries.items()
            if any((access.id, access.access, access.time_zone) not in found for access, _ in users.values())
        }
        self.forget(changed)

    def _limited(self, access: SpaceAccess) -> SpaceAccess:
        return SpaceAccess(access.id, access.role, access.access, access.time_zone, self._max_tasks)

    def _keep(self, user_id: str, access: SpaceAccess) -> None:
        if self._size >= MAX_ENTRIES:
            self._entries.clear()
            self._size = 0
        users = self._entries.setdefault(access.id, {})
        self._size += user_id not in users
        users[user_id] = (access, time.monotonic() + MAX_AGE_SECONDS)
