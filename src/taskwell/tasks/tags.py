"""The verbs of tags.

A tag is there as long as a living task carries it. Spellings that differ in case are one tag, whose name is the
spelling that most of its living tasks use (of equally used ones the first by code point).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ARRAY, BigInteger, ColumnElement, Select, Subquery, bindparam, cast, func, select, true, update
from sqlalchemy import Text as SqlText
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.base import Executable

from taskwell.database import Lane, Query, UtcInstant, now
from taskwell.database.json_rows import as_json_rows, json_rows
from taskwell.errors import NotFound, Unauthorized
from taskwell.spaces import SpaceAccess
from taskwell.spaces.revision import SPACE, lock_space, next_revision
from taskwell.spaces.tables import SpaceRow
from taskwell.tasks.tables import IN_TRASH, OPEN, TaskRow, TaskTagRow
from taskwell.tasks.task import tag_key, without_twins
from taskwell.tasks.visibility import in_space, readable
from taskwell.users.principal import Principal


@dataclass(frozen=True, slots=True)
class TagUse:
    """A tag and how many living tasks carry it.

    Attributes:
        open_tasks: Those that are not completed.
    """

    name: str
    tasks: int
    open_tasks: int


@dataclass(frozen=True, slots=True)
class Tags:
    """All tags of a space by name.

    Attributes:
        revision: The space's revision that they show.
    """

    items: list[TagUse]
    revision: int


def by_name(*conditions: ColumnElement[bool]) -> Subquery:
    """The tags that meet the conditions: ``name``, ``tag_key``, ``tasks``, ``open_tasks``."""
    tasks = func.count()
    spelled = (
        select(
            TaskTagRow.tag_key,
            TaskTagRow.tag.label("name"),
            tasks.label("tasks"),
            tasks.filter(TaskTagRow.state == OPEN).label("open_tasks"),
        )
        .where(*conditions)
        .group_by(TaskTagRow.tag_key, TaskTagRow.tag)
        .subquery("spelled")
    )
    key = spelled.c.tag_key
    ranked = select(
        spelled.c.name,
        key,
        func.sum(spelled.c.tasks).over(partition_by=key).cast(BigInteger).label("tasks"),
        func.sum(spelled.c.open_tasks).over(partition_by=key).cast(BigInteger).label("open_tasks"),
        func.row_number().over(partition_by=key, order_by=(spelled.c.tasks.desc(), spelled.c.name)).label("place"),
    ).subquery("ranked")
    return (
        select(ranked.c.name, ranked.c.tag_key, ranked.c.tasks, ranked.c.open_tasks)
        .where(ranked.c.place == 1)
        .subquery("by_name")
    )


def _all() -> Select[Any]:
    """The revision with the tags, so that their ETag never promises more than they show; see ``page_query``."""
    tags = by_name(in_space(TaskTagRow), TaskTagRow.state > IN_TRASH)
    return (
        select(SpaceRow.revision, tags.c.name, tags.c.tasks, tags.c.open_tasks)
        .select_from(SpaceRow)
        .outerjoin(tags, true())
        .where(SpaceRow.id == SPACE)
        .order_by(tags.c.tag_key)
    )


def _all_row(space_revision: int, name: str | None, tasks: int, open_tasks: int) -> tuple[int, TagUse | None]:
    return space_revision, None if name is None else TagUse(name, tasks, open_tasks)


_ALL: Query[tuple[int, TagUse | None]] = Query(_all(), _all_row, is_heavy=True)


@dataclass(frozen=True, slots=True)
class _Tagged:
    task_id: str
    tags: tuple[str, ...]
    is_completed: bool
    is_in_trash: bool


def _tagged(dialect: str) -> Sequence[Executable]:
    """On PostgreSQL by the tags in the row: a join of the two tables goes through all of one for each of the other
    where statistics are not there yet, which took a minute for 10,000 tasks.
    """
    keys = [bindparam("key", type_=SqlText), bindparam("new_key", type_=SqlText)]
    if dialect == "postgresql":
        has_one: ColumnElement[Any] = TaskRow.tag_keys.op("&&")(cast(postgresql.array(keys), ARRAY(SqlText)))
    else:
        tagged = select(TaskTagRow.task_id).where(in_space(TaskTagRow), TaskTagRow.tag_key.in_(keys))
        has_one = TaskRow.id.in_(tagged)
    completed, in_trash = TaskRow.completed_at.is_not(None), TaskRow.deleted_at.is_not(None)
    return [select(TaskRow.id, TaskRow.tags, completed, in_trash).where(in_space(TaskRow), has_one)]


_TAGGED: Query[_Tagged] = Query(_tagged, _Tagged, is_heavy=True)


_TASK = TaskRow.__table__.c


def _retag(dialect: str) -> Sequence[Executable]:
    given = json_rows(dialect, "given", {each.name: each.type for each in (_TASK.id, _TASK.tags, _TASK.tag_keys)})
    return [
        update(TaskRow)
        .values(
            tags=given.c.tags,
            tag_keys=given.c.tag_keys,
            revision=bindparam("revision", type_=BigInteger),
            updated_at=bindparam("now", type_=UtcInstant),
        )
        .where(in_space(TaskRow), TaskRow.id == given.c.id)
    ]


_RETAG: Query[int] = Query(_retag, int, is_heavy=True)


async def every(lane: Lane, actor: Principal, space: SpaceAccess) -> Tags:
    """All tags of the space's living tasks."""
    rows = await lane.rows(_ALL, **readable(actor, space))
    if not rows:
        raise Unauthorized
    return Tags([item for _, item in rows if item is not None], rows[0][0])


async def rename(lane: Lane, actor: Principal, space: SpaceAccess, tag: str, name: str) -> TagUse:
    """Gives the tag another name or spelling, on the tasks in the trash too.

    Where a tag of that name exists the two become one, spelled as ``name``; a task that has both keeps the
    place of the first.

    Raises:
        NotFound: no living task of the space carries the tag.
    """
    return await _replace(lane, actor, space, tag, name)


async def remove(lane: Lane, actor: Principal, space: SpaceAccess, tag: str) -> None:
    """Takes the tag off every task, in the trash too.

    Raises:
        NotFound: see ``rename``.
    """
    await _replace(lane, actor, space, tag, None)


async def _replace(lane: Lane, actor: Principal, space: SpaceAccess, tag: str, name: str | None) -> TagUse:
    key, new_key = tag_key(tag), tag_key(name or tag)
    if "\x00" in key:
        raise _unknown()
    async with lane.transaction() as transaction:
        locked = await lock_space(transaction, space)
        tagged = await transaction.rows(_TAGGED, **readable(actor, space), key=key, new_key=new_key)
        living = [task for task in tagged if not task.is_in_trash]
        if not any(key in map(tag_key, task.tags) for task in living):
            raise _unknown()
        changed = [
            {"id": task.task_id, "tags": tags, "tag_keys": tuple(map(tag_key, tags))}
            for task in tagged
            if (tags := _respelled(task.tags, {key, new_key}, name)) != task.tags
        ]
        if changed:
            revision = await next_revision(transaction, locked)
            await transaction.rows(
                _RETAG, **readable(actor, space), given=as_json_rows(changed), revision=revision, now=now()
            )
    return TagUse(name or tag, len(living), sum(not task.is_completed for task in living))


def _respelled(tags: tuple[str, ...], keys: set[str], name: str | None) -> tuple[str, ...]:
    """The tags with ``name``, or nothing, in the place of those that any of the keys means."""
    named = [name if tag_key(tag) in keys else tag for tag in tags]
    return without_twins([tag for tag in named if tag is not None])


def _unknown() -> NotFound:
    return NotFound("There is no such tag.")
