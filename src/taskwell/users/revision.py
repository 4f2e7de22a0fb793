"""One revision per user: every write to a user's things takes the next number of ``users.revision``."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from sqlalchemy import ColumnElement, FromClause, bindparam, select, update
from sqlalchemy.sql.base import Executable

from taskwell.database import Build, Lane, Query, UuidText
from taskwell.errors import Unauthorized
from taskwell.users.principal import Principal
from taskwell.users.tables import UserRow

_owner = UserRow.id == bindparam("user_id", type_=UuidText)


def stamped(write: Callable[[FromClause], Executable], *, provided: ColumnElement[bool] | None = None) -> Build:
    """A write that takes the user's next revision; none is taken where ``provided`` does not hold.

    ``write`` gets a one-row source with the columns ``revision`` (the new number) and ``time_zone``, empty if
    the user is gone. The row of the user that ``user_id`` names is locked before any other, so revisions
    commit in their order and two writes never wait for each other. On PostgreSQL all of it is one statement;
    on SQLite it is two in one transaction.
    """

    def build(dialect: str) -> Sequence[Executable]:
        bump = update(UserRow).where(_owner).values(revision=UserRow.revision + 1)
        if provided is not None:
            bump = bump.where(provided)
        if dialect == "postgresql":
            return [write(bump.returning(UserRow.revision, UserRow.time_zone).cte("stamp"))]
        return [bump, write(select(UserRow.revision, UserRow.time_zone).where(_owner).subquery("stamp"))]

    return build


REVISION: Query[int] = Query(select(UserRow.revision).where(_owner), int)

_ZONE_HELD: Query[str] = Query(select(UserRow.time_zone).where(_owner).with_for_update(), str)


async def hold(transaction: Lane, user: Principal) -> Principal:
    """Makes every other write of the user wait until this transaction ends; gives the user as it is now.

    Raises:
        Unauthorized: the user is gone.
    """
    time_zone = await transaction.row(_ZONE_HELD, user_id=user.user_id)
    if time_zone is None:
        raise Unauthorized
    return replace(user, time_zone=time_zone)


_ADVANCE: Query[int] = Query(
    update(UserRow).where(_owner).values(revision=UserRow.revision + 1).returning(UserRow.revision), int
)


async def advance(transaction: Lane, user: Principal) -> int:
    """Takes the user's next revision for a write of several statements, after ``hold``."""
    revision = await transaction.row(_ADVANCE, user_id=user.user_id)
    assert revision is not None, "the user's row is held"
    return revision
