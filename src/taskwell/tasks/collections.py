"""The lists and the tags of several spaces, each in one statement."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Generic, TypeVar

from sqlalchemy import BigInteger, FromClause, Select, and_, cast, func, null, select, union_all
from sqlalchemy import Text as SqlText
from sqlalchemy.sql.base import Executable

from taskwell.database import Lane, Query, UuidText
from taskwell.database.json_rows import as_json_rows, json_rows
from taskwell.spaces import SpaceAccess
from taskwell.spaces.tables import SpaceRow
from taskwell.tasks import lists, tags
from taskwell.tasks.list_queries import LIST_COLUMNS
from taskwell.tasks.lists import TaskList
from taskwell.tasks.tables import IN_TRASH, ListRow, TaskRow, TaskTagRow
from taskwell.tasks.tags import TagUse
from taskwell.tasks.task import tag_key
from taskwell.users.principal import Principal

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Collection(Generic[T]):
    """Attributes:
    version: What differs whenever another write has come to one of the spaces, or the actor's role is another.
    """

    items: list[T]
    version: str


async def every_list(lane: Lane, actor: Principal, spaces: Sequence[SpaceAccess]) -> Collection[TaskList]:
    """The lists of all these spaces in their order."""
    if len(spaces) == 1:
        found = await lists.every(lane, actor, spaces[0])
        return Collection(found.items, f"{found.revision}-{len(found.items)}")
    rows = await lane.rows(_LISTS, asked=_asked_rows(spaces))
    items = [item for *_, item in rows if item is not None]
    return Collection(items, _version(spaces, {(space_id, revision) for space_id, revision, _ in rows}))


async def every_tag(lane: Lane, actor: Principal, spaces: Sequence[SpaceAccess]) -> Collection[TagUse]:
    """The tags of all these spaces by name; of two spellings the one that most tasks use."""
    if len(spaces) == 1:
        found = await tags.every(lane, actor, spaces[0])
        return Collection(found.items, f"{found.revision}-{len(found.items)}")
    rows = await lane.rows(_TAGS, asked=_asked_rows(spaces))
    items = sorted((tag for _, tag in rows if tag is not None), key=lambda tag: tag_key(tag.name))
    return Collection(items, _version(spaces, {space for space, _ in rows if space is not None}))


def _asked_rows(spaces: Sequence[SpaceAccess]) -> str:
    return as_json_rows([{"space_id": space.id} for space in spaces])


def _version(spaces: Sequence[SpaceAccess], revisions: set[tuple[str, int]]) -> str:
    roles = sorted((space.id, space.role) for space in spaces)
    return blake2b(repr((roles, sorted(revisions))).encode(), digest_size=12).hexdigest()


def _asked(dialect: str) -> FromClause:
    return json_rows(dialect, "asked", {"space_id": UuidText()})


def _lists(dialect: str) -> Sequence[Executable]:
    asked, counting = _asked(dialect), _asked(dialect)
    counted = (
        select(TaskRow.space_id, TaskRow.list_id, func.count().label("open_tasks"))
        .join(counting, TaskRow.space_id == counting.c.space_id)
        .where(TaskRow.deleted_at.is_(None), TaskRow.list_id.is_not(None), TaskRow.completed_at.is_(None))
        .group_by(TaskRow.space_id, TaskRow.list_id)
        .subquery("counted")
    )
    is_its = and_(counted.c.space_id == ListRow.space_id, counted.c.list_id == ListRow.id)
    shown = select(SpaceRow.id.label("of_space"), SpaceRow.revision.label("at"), *LIST_COLUMNS)
    return [
        shown.add_columns(func.coalesce(counted.c.open_tasks, 0))
        .join(asked, asked.c.space_id == SpaceRow.id)
        .outerjoin(ListRow, ListRow.space_id == asked.c.space_id)
        .outerjoin(counted, is_its)
        .order_by(ListRow.position, ListRow.id, ListRow.space_id)
    ]


def _list_row(space_id: str, revision: int, list_id: str | None, *columns: Any) -> tuple[str, int, TaskList | None]:
    return space_id, revision, None if list_id is None else TaskList(list_id, *columns)


def _tags(dialect: str) -> Sequence[Executable]:
    """Every space's revision, and then every tag: a tag is of no one space."""
    asked, tagged = _asked(dialect), _asked(dialect)
    named = tags.by_name(TaskTagRow.space_id == tagged.c.space_id, TaskTagRow.state > IN_TRASH)
    spaces = select(SpaceRow.id.label("of_space"), SpaceRow.revision).join(asked, asked.c.space_id == SpaceRow.id)
    nothing: list[Any] = [cast(null(), SqlText), cast(null(), BigInteger), cast(null(), BigInteger)]
    no_space: list[Any] = [cast(null(), UuidText), cast(null(), BigInteger)]
    shown: Select[Any] = select(*no_space, named.c.name, named.c.tasks, named.c.open_tasks)
    return [union_all(spaces.add_columns(*nothing), shown)]


def _tag_row(
    space_id: str | None, revision: int | None, name: str | None, tasks: int, open_tasks: int
) -> tuple[tuple[str, int] | None, TagUse | None]:
    space = None if space_id is None or revision is None else (space_id, revision)
    return space, None if name is None else TagUse(name, tasks, open_tasks)


_LISTS: Query[tuple[str, int, TaskList | None]] = Query(_lists, _list_row, is_heavy=True)
_TAGS: Query[tuple[tuple[str, int] | None, TagUse | None]] = Query(_tags, _tag_row, is_heavy=True)
