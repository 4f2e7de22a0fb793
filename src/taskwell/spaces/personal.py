"""The personal space of a user, made in the statement that makes the user."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import FromClause, Select, Text, bindparam, delete, insert, literal, select
from sqlalchemy.sql.base import Executable

from taskwell.database import Lane, Query
from taskwell.spaces.revision import SPACE
from taskwell.spaces.tables import MembershipRow, SpaceRow

NAME = "Personal"
_SPACE_COLUMNS = ["id", "kind", "name", "time_zone", "created_by", "created_at", "updated_at"]
_MEMBERSHIP_COLUMNS = ["space_id", "user_id", "role", "joined_at"]


def adding_personal_spaces(users: FromClause, dialect: str) -> Sequence[Executable]:
    """Adds a space and its owner for each of ``users``, which has their ``id`` and ``created_at``.

    One statement on PostgreSQL, where ``users`` may be a CTE that inserts them; two on SQLite.
    """
    id_, at = users.c.id, users.c.created_at
    zone = bindparam("time_zone", "UTC", Text)
    spaces = insert(SpaceRow).from_select(
        _SPACE_COLUMNS, select(id_, literal("personal", Text), literal(NAME, Text), zone, id_, at, at)
    )
    if dialect == "sqlite":
        return [spaces, _adding_owners(select(id_, at))]
    space = spaces.returning(SpaceRow.id, SpaceRow.created_at).cte("space")
    return [_adding_owners(select(space.c.id, space.c.created_at))]


def _adding_owners(spaces: Select[Any]) -> Executable:
    each = spaces.subquery("each_space")
    return insert(MembershipRow).from_select(
        _MEMBERSHIP_COLUMNS, select(each.c.id, each.c.id, literal("owner", Text), each.c.created_at)
    )


_REMOVE: Query[str] = Query(delete(SpaceRow).where(SpaceRow.id == SPACE).returning(SpaceRow.id), str, is_heavy=True)


async def remove_personal_space(transaction: Lane, user_id: str) -> None:
    """Removes a user's space with everything in it."""
    await transaction.rows(_REMOVE, space=user_id)
