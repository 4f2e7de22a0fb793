"""One page over the tasks of several spaces."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeVar

from taskwell.database import Lane, now
from taskwell.database.json_rows import as_json_rows
from taskwell.errors import Invalid, InvalidCursor
from taskwell.pagination import decode_cursor, encode_cursor
from taskwell.spaces import SpaceAccess
from taskwell.tasks import pages
from taskwell.tasks.filters import Asker, Condition, Values, conditions
from taskwell.tasks.page_queries import PageShape, limit_of
from taskwell.tasks.page_rows import Projection
from taskwell.tasks.pages import Page, PageRequest, key_of_cursor, key_to_cursor
from taskwell.tasks.search import in_dialects
from taskwell.tasks.several_queries import BOUNDS, several_query, version_query
from taskwell.users.principal import Principal

T = TypeVar("T")


async def page(
    lane: Lane,
    actor: Principal,
    spaces: Sequence[SpaceAccess],
    asked: PageRequest,
    projection: Projection[T],
    *,
    are_all: bool = False,
) -> Page[T]:
    """The tasks of one page; that of one space is what ``pages.page`` gives.

    Args:
        are_all: Whether all of the actor's spaces were asked for: a cursor outlives that there is one more or less.

    Raises:
        InvalidCursor: the cursor is not ours, or of another list or other spaces.
        Invalid: the order means something within one space only.
    """
    if len(spaces) == 1 and not are_all:
        return await pages.page(lane, actor, spaces[0], asked, projection)
    _require_common_order(asked)
    found, values = _values(spaces, asked)
    listing = _listing(actor, spaces, asked, are_all=are_all)
    after = None
    if asked.cursor:
        key, row_id = decode_cursor(listing, asked.cursor)
        after = "dateless" if key is None else "key"
        values |= {"after_key": key_of_cursor(key, asked.order)} | _place(row_id)
    shape = PageShape(found, asked.order, limit_of(asked.limit), after, asked.with_total, asked.in_trash)
    limit = asked.limit or 0
    rows = await lane.row(
        several_query(shape, projection), **values, actor=actor.user_id, subject=actor.subject, end=limit + 1
    )
    assert rows is not None, "the version is always there"
    version = _version(spaces, rows.version)
    if rows.number <= limit:
        return Page(rows.items, rows.number, None, version, rows.total)
    key, row_id = rows.end(limit)
    next_cursor = encode_cursor(listing, key_to_cursor(key), row_id)
    return Page(rows.items[:limit], limit, next_cursor, version, rows.total)


async def version(
    lane: Lane, actor: Principal, spaces: Sequence[SpaceAccess], asked: PageRequest, *, are_all: bool = False
) -> str:
    """The ``version`` that ``page`` would have.

    Raises:
        InvalidCursor: as ``page`` does.
    """
    if len(spaces) == 1 and not are_all:
        return await pages.version(lane, actor, spaces[0], asked)
    _require_common_order(asked)
    if asked.cursor:
        decode_cursor(_listing(actor, spaces, asked, are_all=are_all), asked.cursor)
    _, values = _values(spaces, asked)
    return _version(spaces, await lane.row(version_query(in_trash=asked.in_trash), **values) or "")


def _require_common_order(asked: PageRequest) -> None:
    if asked.sort.key == "relevance":
        raise Invalid.field("sort", f"sort={asked.sort.key} takes one space.", "one_space", location="query")


def _values(spaces: Sequence[SpaceAccess], asked: PageRequest) -> tuple[tuple[Condition, ...], Values]:
    """The conditions, their values, and of each space what is its own."""
    at = now()
    found: tuple[Condition, ...] = ()
    values: Values = {}
    rows: list[dict[str, object]] = []
    for space in spaces:
        found, values = conditions(asked.wanted, Asker(space.id, at, space.time_zone))
        own = {name: values[name] for name in BOUNDS if name in values}
        rows.append({"space_id": space.id} | own | in_dialects(values))
    return found, values | {"asked": as_json_rows(rows)}


def _listing(actor: Principal, spaces: Sequence[SpaceAccess], asked: PageRequest, *, are_all: bool) -> str:
    named = "all" if are_all else sorted(space.id for space in spaces)
    return repr((actor.user_id, named, asked.wanted, asked.sort, asked.in_trash))


def _place(row_id: str | int) -> Values:
    """What breaks ties, as the parameters of a page after it."""
    if isinstance(row_id, int):
        return {"after_place": row_id}
    task_id, _, space_id = row_id.partition("/")
    if not space_id:
        raise InvalidCursor
    return {"after_place": task_id, "after_space": space_id}


def _version(spaces: Sequence[SpaceAccess], revisions: str) -> str:
    """Of every space with its revision and the actor's role there."""
    told = sorted((space.id, space.role, space.time_zone) for space in spaces)
    return blake2b(repr((told, revisions)).encode(), digest_size=12).hexdigest()
