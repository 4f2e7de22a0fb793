"""What a space's tasks add up to: one statement, whatever their number.

Days are those of the space's time zone. SQLite knows no time zones, so both databases get the instants at which
the days begin as a parameter, and count between them.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import Field
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Integer,
    ScalarSelect,
    Select,
    bindparam,
    cast,
    func,
    literal_column,
    null,
    select,
    type_coerce,
    union_all,
)
from sqlalchemy import Text as SqlText
from sqlalchemy.sql.base import Executable

from taskwell.database import Lane, Query, UtcInstant, now
from taskwell.database.json_rows import as_json_rows, json_rows
from taskwell.spaces import SpaceAccess
from taskwell.tasks.tables import OPEN, ListRow, TaskRow, TaskTagRow
from taskwell.tasks.tags import by_name
from taskwell.tasks.task import Priority, start_of
from taskwell.tasks.visibility import Column, in_space, living, readable
from taskwell.users.principal import Principal

SHOWN_DAYS = 30
SHOWN_TAGS = 50
STREAK_DAYS = (400, 4_000, 40_000)
"""How far back the end of a streak is looked for: first in the one statement, a longer streak in one more."""


@dataclass(frozen=True, slots=True)
class ListStat:
    list_id: str
    name: str
    pending: int


@dataclass(frozen=True, slots=True)
class TagStat:
    tag: str
    pending: int


@dataclass(frozen=True, slots=True)
class DayStat:
    date: date
    completed: int


@dataclass(frozen=True, slots=True)
class Stats:
    """Counts and rates of a user's tasks; those in the trash count nowhere."""

    total: int
    pending: int
    completed: int
    overdue: int
    due_today: int
    by_priority: dict[str, int]
    by_list: Annotated[list[ListStat], Field(description="The lists that have pending tasks, in their order.")]
    by_tag: Annotated[list[TagStat], Field(description="The tags of pending tasks, the most used first.")]
    completed_by_day: Annotated[list[DayStat], Field(description="The last 30 days, today last.")]
    completion_rate: Annotated[float | None, Field(description="From 0 to 1; null where there are no tasks.")]
    median_hours_to_complete: Annotated[float | None, Field(description="Null where nothing is completed.")]
    streak_days: Annotated[
        int, Field(description="Days in a row with something completed, up to today, or else to yesterday.")
    ]


async def stats(lane: Lane, actor: Principal, space: SpaceAccess, *, at: datetime | None = None) -> Stats:
    """The space's stats now, or as they would be at another instant."""
    at = at or now()
    today = at.astimezone(ZoneInfo(space.time_zone)).date()
    rows = await lane.rows(
        _STATS,
        **readable(actor, space),
        now=at,
        today=start_of(today, space.time_zone),
        tomorrow=start_of(today + timedelta(days=1), space.time_zone),
        days=_recent_days(today, space.time_zone),
    )
    parts: dict[str, list[_Row]] = {part: [] for part in ("open", "completed", "tag", "day", "idle")}
    for row in rows:
        parts[row.part].append(row)
    days = {row.place: row.count for row in parts["day"]}
    idle = parts["idle"][0].place
    for first, end in pairwise(STREAK_DAYS):
        if idle is None:
            days_before = await asyncio.to_thread(_days, today, space.time_zone, first, end)
            idle = await lane.row(_IDLE, **readable(actor, space), days=days_before)
    before_today = (idle or STREAK_DAYS[-1]) - 1
    return _stats(parts, today, days, before_today + bool(days[0]))


def _stats(parts: "dict[str, list[_Row]]", today: date, days: dict[int, int], streak: int) -> Stats:
    (done,) = parts["completed"]
    lists: Counter[tuple[int, str, str]] = Counter()
    priorities = Counter(dict.fromkeys(Priority, 0))
    for row in parts["open"]:
        priorities[Priority(row.priority)] += row.count
        if row.key is not None:
            lists[row.place, row.key, row.name] += row.count
    pending = priorities.total()
    total = pending + done.count
    return Stats(
        total=total,
        pending=pending,
        completed=done.count,
        overdue=sum(row.overdue for row in parts["open"]),
        due_today=sum(row.due_today for row in parts["open"]),
        by_priority={priority.name: count for priority, count in priorities.items()},
        by_list=[ListStat(list_id, name, count) for (_, list_id, name), count in sorted(lists.items())],
        by_tag=[TagStat(row.name, row.count) for row in sorted(parts["tag"], key=lambda row: (-row.count, row.key))],
        completed_by_day=[
            DayStat(today - timedelta(days=number), days[number]) for number in reversed(range(SHOWN_DAYS))
        ],
        completion_rate=done.count / total if total else None,
        median_hours_to_complete=None if done.microseconds is None else done.microseconds / 3_600_000_000,
        streak_days=streak,
    )


def _days(today: date, time_zone: str, first: int, end: int) -> str:
    """The days from ``first`` days ago to before ``end`` days ago, as the rows of ``_days_given``."""
    starts = [start_of(today - timedelta(days=number), time_zone) for number in range(first - 1, end)]
    spans = enumerate(pairwise(starts), first)
    return as_json_rows([{"number": number, "begins": begins, "ends": ends} for number, (ends, begins) in spans])


@lru_cache(maxsize=64)
def _recent_days(today: date, time_zone: str) -> str:
    return _days(today, time_zone, 0, STREAK_DAYS[0])


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of the statement, whose part says what it counts.

    Attributes:
        part: ``open`` for the pending tasks of one list and priority; ``completed`` for all that are; ``tag``;
            ``day`` for what was completed on it; ``idle`` for the last day before today without a completion.
        place: The list's position, or how many days ago the day was.
    """

    part: str
    key: Any
    name: Any
    place: Any
    priority: int
    count: int
    overdue: int
    due_today: int
    microseconds: int | None


def _part(part: str, source: FromClause | None = None, **values: Column) -> Select[Any]:
    types = {
        "key": SqlText,
        "name": SqlText,
        "place": BigInteger,
        "priority": Integer,
        "count": BigInteger,
        "overdue": BigInteger,
        "due_today": BigInteger,
        "microseconds": BigInteger,
    }
    columns: list[ColumnElement[Any]] = [
        cast(values.get(name, null()), type_).label(name) for name, type_ in types.items()
    ]
    chosen: Select[Any] = select(literal_column(f"'{part}'", SqlText).label("part"), *columns)
    return chosen if source is None else chosen.select_from(source)


def _open() -> Select[Any]:
    count = func.count()
    due = TaskRow.due_key
    today, tomorrow, at = (bindparam(name, type_=UtcInstant) for name in ("today", "tomorrow", "now"))
    found = (
        living(
            TaskRow.list_id,
            TaskRow.priority,
            count.label("count"),
            count.filter(due < at).label("overdue"),
            count.filter(due >= today, due < tomorrow).label("due_today"),
        )
        .where(TaskRow.completed_at.is_(None))
        .group_by(TaskRow.list_id, TaskRow.priority)
        .subquery("found")
    )
    source = found.outerjoin(ListRow, (in_space(ListRow)) & (ListRow.id == found.c.list_id))
    counts = {name: found.c[name] for name in ("priority", "count", "overdue", "due_today")}
    return _part("open", source, key=found.c.list_id, name=ListRow.name, place=ListRow.position, **counts)


def _completed(dialect: str) -> Select[Any]:
    finished = living(func.count().label("count")).where(TaskRow.completed_at.is_not(None))
    if dialect == "postgresql":
        seconds = func.date_part("epoch", TaskRow.completed_at - TaskRow.created_at)
        median = func.percentile_cont(0.5).within_group(seconds)
        both = finished.add_columns(func.floor(median * 1_000_000 + 0.5).label("microseconds")).subquery("both")
        return _part("completed", both, count=both.c.count, microseconds=both.c.microseconds)
    count = finished.scalar_subquery()
    microseconds = (_microseconds(TaskRow.completed_at) - _microseconds(TaskRow.created_at)).label("microseconds")
    middle = (
        finished.with_only_columns(microseconds)
        .order_by(microseconds)
        .limit(2 - count % 2)
        .offset((count - 1) // 2)
        .subquery("middle")
    )
    average = select(func.round(func.avg(middle.c.microseconds)))
    return _part("completed", count=count, microseconds=average.scalar_subquery())


def _microseconds(instant: Column) -> ColumnElement[int]:
    """On SQLite, whose own arithmetic knows milliseconds; see ``UtcInstant`` for the text."""
    text = type_coerce(instant, SqlText)
    seconds, fraction = func.strftime("%s", func.substr(text, 1, 19)), func.substr(text, 21, 6)
    return cast(seconds, BigInteger) * 1_000_000 + cast(fraction, BigInteger)


def _tags() -> Select[Any]:
    tags = by_name(in_space(TaskTagRow), TaskTagRow.state == OPEN)
    first = select(tags).order_by(tags.c.open_tasks.desc(), tags.c.tag_key).limit(literal_column(str(SHOWN_TAGS)))
    most_used = first.subquery("most_used")
    return _part("tag", most_used, key=most_used.c.tag_key, name=most_used.c.name, count=most_used.c.open_tasks)


def _days_given(dialect: str) -> FromClause:
    return json_rows(dialect, "days", {"number": Integer(), "begins": UtcInstant(), "ends": UtcInstant()})


def _completed_on(day: FromClause, *columns: Any) -> Select[Any]:
    return living(*columns).where(TaskRow.completed_at >= day.c.begins, TaskRow.completed_at < day.c.ends)


def _by_day(dialect: str) -> Select[Any]:
    day = _days_given(dialect)
    count: ScalarSelect[Any] = _completed_on(day, func.count()).correlate(day).scalar_subquery()
    return _part("day", day, place=day.c.number, count=count).where(day.c.number < SHOWN_DAYS)


def _last_idle(dialect: str) -> Select[Any]:
    day = _days_given(dialect)
    is_idle = ~_completed_on(day, literal_column("1")).correlate(day).exists()
    return select(func.min(day.c.number)).where(day.c.number > 0, is_idle)


def _statement(dialect: str) -> Sequence[Executable]:
    idle = _part("idle", place=_last_idle(dialect).scalar_subquery())
    parts = union_all(_open(), _completed(dialect), _tags(), _by_day(dialect), idle)
    return [select(*parts.subquery("parts").c)]


def _as_it_is(number: int | None) -> int | None:
    return number


_STATS: Query[_Row] = Query(_statement, _Row, is_heavy=True)
_IDLE: Query[int | None] = Query(lambda dialect: [_last_idle(dialect)], _as_it_is, is_heavy=True)
