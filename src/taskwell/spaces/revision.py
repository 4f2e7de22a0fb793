"""One revision per space: every write to a space's things takes the next number of ``spaces.revision``."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Exists,
    FromClause,
    Text,
    and_,
    bindparam,
    exists,
    func,
    literal_column,
    select,
    update,
)
from sqlalchemy.orm import aliased
from sqlalchemy.sql.base import Executable

from taskwell.database import Build, Lane, Query, UuidText
from taskwell.errors import LimitReached, NotFound, Unauthorized
from taskwell.spaces.access import SpaceAccess
from taskwell.spaces.tables import SpaceRow

SPACE = bindparam("space", type_=UuidText)
UNLIMITED = 2**63 - 1

_IS_SPACE = SpaceRow.id == SPACE
_AS_READ = and_(_IS_SPACE, SpaceRow.access == bindparam("access", type_=BigInteger))
_HAS_ROOM = SpaceRow.living < bindparam("max_tasks", type_=BigInteger)
IN_SAME_ZONE = SpaceRow.time_zone == bindparam("time_zone", type_=Text)
"""False where the space has moved to another time zone since ``due_key`` was computed."""
_SEEN = aliased(SpaceRow)
IS_AS_SEEN = SpaceRow.revision == select(_SEEN.revision).where(_SEEN.id == SPACE).scalar_subquery()
"""False where the statement has waited for another write, and so sees other rows as they were before that."""


class AccessChanged(NotFound):
    """The space's members have changed since the actor's role was read; nothing was stored."""


def stamp_values(space: SpaceAccess) -> dict[str, object]:
    """The parameters of every statement that ``with_next_revision`` makes."""
    return {
        "space": space.id,
        "access": space.access,
        "time_zone": space.time_zone,
        "max_tasks": space.max_tasks or UNLIMITED,
    }


def with_next_revision(
    write: Callable[[FromClause], Any],
    *,
    on_space: ColumnElement[bool] | None = None,
    provided: Exists | None = None,
    living: int = 0,
) -> Build:
    """A write that takes the space's next revision, if the actor's role is still the one that was read.

    ``write`` gets a one-row source with the column ``revision``, empty where no number is taken. The space's row is
    locked before any other, so revisions commit in their order and two writes never wait for each other. On
    PostgreSQL all of it is one statement; on SQLite it is two in one transaction.

    Args:
        on_space: A condition on the space's own row.
        provided: A condition on the rows to write; without them no revision is taken.
        living: How many tasks come out of the trash or are new, less those that go; a plus needs room.
    """
    conditions = [_AS_READ, *([] if on_space is None else [on_space]), *([_HAS_ROOM] if living > 0 else [])]

    def build(dialect: str) -> Sequence[Executable]:
        if dialect == "postgresql" and provided is not None and living:
            return [_counting_what_was_written(write, conditions, living)]
        bump = update(SpaceRow).where(*conditions, *([] if provided is None else [provided])).values(_next(living))
        if dialect == "postgresql":
            return [write(bump.returning(SpaceRow.revision).cte("stamp"))]
        was_taken = func.changes() == literal_column("1")
        return [bump, write(select(SpaceRow.revision).where(_IS_SPACE, was_taken).subquery("stamp"))]

    return build


def _counting_what_was_written(
    write: Callable[[FromClause], Any], conditions: Sequence[ColumnElement[bool]], living: int
) -> Executable:
    """Counts after the write. A condition on other rows is old for a statement that waited for the space's row."""
    stamp = select((SpaceRow.revision + 1).label("revision")).where(*conditions).with_for_update().cte("stamp")
    written = write(stamp).cte("written")
    count = update(SpaceRow).where(_IS_SPACE, exists(select(written.c.revision))).values(_next(living))
    return select(*written.c).add_cte(count.cte("count"))


def _next(living: int) -> dict[Any, Any]:
    values = {SpaceRow.revision: SpaceRow.revision + 1}
    return values | ({SpaceRow.living: SpaceRow.living + literal_column(str(living), BigInteger)} if living else {})


@dataclass(frozen=True, slots=True)
class LockedSpace(SpaceAccess):
    """A space that nobody else writes to until the transaction ends.

    Attributes:
        living: How many tasks of it are not in the trash.
    """

    living: int = 0

    @property
    def room(self) -> int:
        """How many tasks more it may hold."""
        return self.max_tasks - self.living if self.max_tasks else UNLIMITED

    def require_room(self, tasks: int) -> None:
        """Raises:
        LimitReached: so many tasks more are too many.
        """
        if tasks > max(self.room, 0):
            raise LimitReached(
                f"A space may hold {self.max_tasks:,} tasks that are not in the trash; delete some first."
            )


_LOCK: Query[tuple[str, int, int]] = Query(
    select(SpaceRow.time_zone, SpaceRow.access, SpaceRow.living).where(_IS_SPACE).with_for_update(),
    lambda *columns: columns,
)


async def lock_space(transaction: Lane, space: SpaceAccess) -> LockedSpace:
    """Makes every other write to the space wait until this transaction ends; gives the space as it is now.

    Raises:
        Unauthorized: the space is gone, and so is its user.
        AccessChanged: the actor's role must be read again.
    """
    found = await transaction.row(_LOCK, space=space.id)
    if found is None:
        raise Unauthorized
    time_zone, access, living = found
    if access != space.access:
        raise AccessChanged("There is no such space.")
    return LockedSpace(space.id, space.role, access, time_zone, space.max_tasks, living)


async def lock_spaces(transaction: Lane, spaces: Iterable[SpaceAccess]) -> dict[str, LockedSpace]:
    """Locks several spaces in the order of their ids, so that two writes of several never wait for each other."""
    in_order = sorted({each.id: each for each in spaces}.items())
    return {space_id: await lock_space(transaction, space) for space_id, space in in_order}


_NEXT: Query[int] = Query(
    update(SpaceRow)
    .where(_IS_SPACE)
    .values(revision=SpaceRow.revision + 1, living=SpaceRow.living + bindparam("living", 0, BigInteger))
    .returning(SpaceRow.revision),
    int,
)


async def next_revision(transaction: Lane, space: LockedSpace, *, living: int = 0) -> int:
    """Takes the space's next revision for a write of several statements.

    Args:
        living: How many tasks come out of the trash or are new, less those that go.
    """
    revision = await transaction.row(_NEXT, space=space.id, living=living)
    assert revision is not None, "the space's row is locked"
    return revision


REVISION: Query[int] = Query(select(SpaceRow.revision).where(_IS_SPACE), int)
