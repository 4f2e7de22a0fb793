"""Spaces that several people share, made directly in the database."""

from typing import Any

from sqlalchemy import insert

from taskwell.database import Database, Query, new_id, now
from taskwell.spaces import Role, SpaceAccess
from taskwell.spaces.tables import MembershipRow, SpaceRow
from tests.support.people import Person


async def shared_space(
    database: Database, *members: tuple[Person, Role], name: str = "Family", time_zone: str = "UTC"
) -> dict[str, SpaceAccess]:
    """A new shared space as each of its members may use it, by their ids."""
    space_id, at = new_id(), now()
    owner = members[0][0]
    await _add(
        database,
        SpaceRow,
        id=space_id,
        kind="shared",
        name=name,
        time_zone=time_zone,
        created_by=owner.id,
        created_at=at,
        updated_at=at,
    )
    for person, role in members:
        await _add(database, MembershipRow, space_id=space_id, user_id=person.id, role=role, joined_at=at)
    return {person.id: SpaceAccess(space_id, role, 0, time_zone) for person, role in members}


async def _add(database: Database, table: type[Any], **values: object) -> None:
    await database.rows(Query(insert(table).values(values), lambda *_: None))
