"""Statistics, against counts made by hand and against a model in plain Python."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from statistics import median
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import bindparam, delete, insert

from taskwell import tasks
from taskwell.database import Database, Query, new_id
from taskwell.spaces import SpaceAccess
from taskwell.tasks import Priority, Task, TaskDraft, lists, tags
from taskwell.tasks.lists import TaskList
from taskwell.tasks.queries import row_of
from taskwell.tasks.stats import DayStat, ListStat, Stats, TagStat, stats
from taskwell.tasks.tables import TaskRow
from taskwell.tasks.task import start_of, tag_key
from taskwell.users.principal import Principal
from tests.support.counting import CountingLane
from tests.support.people import Person

NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)

STORE: Query[str] = Query(
    insert(TaskRow)
    .values({name: bindparam(name, type_=column.type) for name, column in TaskRow.__table__.c.items()})
    .returning(TaskRow.id),
    str,
)
FORGET: Query[str] = Query(delete(TaskRow).returning(TaskRow.id), str)


async def _store(database: Database, actor: Principal, space: SpaceAccess, stored: Sequence[Task]) -> None:
    """Stores tasks as they are, whenever they say they were made and completed."""
    await database.many(
        STORE, [row_of(task, actor, space) | {"space_id": space.id, "revision": 1} for task in stored]
    )


def _task(at: datetime = NOON, **values) -> Task:
    return replace(Task.drafted(TaskDraft("A task"), task_id=new_id(), now=at), **values)


def _done(completed_at: datetime, hours: float = 1, **values) -> Task:
    return _task(completed_at - timedelta(hours=hours), completed_at=completed_at, **values)


async def test_today_ends_where_tomorrow_begins_and_overdue_begins_after_the_instant(database: Database, ada: Person):
    midnight = NOON.replace(hour=0)
    due = (midnight, NOON, midnight + timedelta(days=1))
    await _store(database, ada.principal, ada.space, [_task(due_at=each) for each in due])

    found = await stats(database, ada.principal, ada.space, at=NOON)

    assert (found.due_today, found.overdue) == (2, 1)


async def test_the_stats_of_a_new_user_are_zeros(database: Database, ada: Person):
    found = await stats(database, ada.principal, ada.space, at=NOON)

    assert (found.total, found.pending, found.completed, found.overdue, found.due_today) == (0, 0, 0, 0, 0)
    assert found.by_priority == {"low": 0, "medium": 0, "high": 0, "urgent": 0}
    assert (found.by_list, found.by_tag, found.streak_days) == ([], [], 0)
    assert (found.completion_rate, found.median_hours_to_complete) == (None, None)
    assert [each.completed for each in found.completed_by_day] == [0] * 30
    assert (found.completed_by_day[0].date, found.completed_by_day[-1].date) == (date(2026, 5, 17), date(2026, 6, 15))


async def test_the_stats_are_what_one_counts_by_hand(database: Database, ada: Person, eve: Person):
    work = await lists.create(database, ada.principal, ada.space, name="Work")
    home = await lists.create(database, ada.principal, ada.space, name="Home")
    await lists.create(database, ada.principal, ada.space, name="Empty")
    day, hour = timedelta(days=1), timedelta(hours=1)
    await _store(
        database,
        ada.principal,
        ada.space,
        [
            _task(
                list_id=home.id, priority=Priority.high, tags=("Errand", "x"), due_at=NOON - hour
            ),  # overdue, today
            _task(list_id=home.id, due_date=date(2026, 6, 15), tags=("errand",)),  # today
            _task(list_id=work.id, priority=Priority.urgent, due_date=date(2026, 6, 14), tags=("errand",)),  # overdue
            _task(due_date=date(2026, 6, 16)),
            _done(NOON, hours=1, due_date=date(2026, 6, 15), tags=("x",), list_id=work.id),
            _done(NOON - day, hours=3),
            _done(NOON - 2 * day, hours=10),
            _done(NOON - 4 * day, hours=4),
            _done(NOON - 40 * day, hours=2),
            _task(deleted_at=NOON, due_at=NOON - hour, tags=("errand",), list_id=home.id),
            _done(NOON - 3 * day, deleted_at=NOON),
        ],
    )
    await _store(
        database, eve.principal, eve.space, [_task(due_at=NOON - hour, tags=("errand",)), _done(NOON - 3 * day)]
    )

    found = await stats(database, ada.principal, ada.space, at=NOON)

    assert (found.total, found.pending, found.completed, found.overdue, found.due_today) == (9, 4, 5, 2, 2)
    assert found.by_priority == {"low": 0, "medium": 2, "high": 1, "urgent": 1}
    assert found.by_list == [ListStat(work.id, "Work", 1), ListStat(home.id, "Home", 2)]
    assert found.by_tag == [TagStat("errand", 3), TagStat("x", 1)]
    assert [each.completed for each in found.completed_by_day] == [0] * 25 + [1, 0, 1, 1, 1]
    assert found.completion_rate == pytest.approx(5 / 9)
    assert found.median_hours_to_complete == 3
    assert found.streak_days == 3


async def test_days_are_those_of_the_users_time_zone(database: Database, ada: Person):
    """At noon in UTC it is the next day on Kiritimati already."""
    await _store(database, ada.principal, ada.space, [_done(NOON - timedelta(hours=3)), _done(NOON)])

    for zone, today, counted in (
        ("Pacific/Kiritimati", date(2026, 6, 16), [1, 1]),
        ("America/New_York", date(2026, 6, 15), [0, 2]),
    ):
        found = await stats(database, ada.principal, replace(ada.space, time_zone=zone), at=NOON)
        assert found.completed_by_day[-1].date == today
        assert [each.completed for each in found.completed_by_day[-2:]] == counted


async def test_a_streak_goes_on_until_a_whole_day_has_passed_without(database: Database, ada: Person):
    await _store(database, ada.principal, ada.space, [_done(NOON - timedelta(days=n)) for n in (1, 2, 3, 5)])

    streaks = [
        (await stats(database, ada.principal, ada.space, at=NOON + timedelta(days=n))).streak_days for n in (-1, 0, 1)
    ]

    assert streaks == [3, 3, 0]


@pytest.mark.parametrize(("days", "statements"), [(399, 1), (400, 2)])
async def test_a_streak_of_years_is_counted_to_its_end(database: Database, ada: Person, days: int, statements: int):
    await _store(database, ada.principal, ada.space, [_done(NOON - timedelta(days=n)) for n in range(days)])
    lane = CountingLane(database)

    assert (await stats(lane, ada.principal, ada.space, at=NOON)).streak_days == days
    assert lane.statements == statements


async def test_fifty_tags_are_shown_the_most_used_first(database: Database, ada: Person):
    await _store(
        database,
        ada.principal,
        ada.space,
        [_task(tags=(f"tag {n}", "all")) for n in range(60)] + [_task(tags=("Tag 7",))],
    )

    found = await stats(database, ada.principal, ada.space, at=NOON)

    assert len(found.by_tag) == 50
    assert found.by_tag[:3] == [TagStat("all", 60), TagStat("Tag 7", 2), TagStat("tag 0", 1)]


async def test_the_state_of_a_tags_task_follows_the_task(database: Database, ada: Person):
    async def counted() -> tuple[list[tags.TagUse], list[TagStat]]:
        uses = (await tags.every(database, ada.principal, ada.space)).items
        return uses, (await stats(database, ada.principal, ada.space)).by_tag

    task = await tasks.create(database, ada.principal, ada.space, TaskDraft("A", tags=("x",)))
    assert await counted() == ([tags.TagUse("x", 1, 1)], [TagStat("x", 1)])
    await tasks.change(database, ada.principal, ada.space, task.id, {"completed": True})
    assert await counted() == ([tags.TagUse("x", 1, 0)], [])
    await tasks.delete(database, ada.principal, ada.space, task.id)
    assert await counted() == ([], [])
    await tasks.restore(database, ada.principal, ada.space, task.id)
    assert await counted() == ([tags.TagUse("x", 1, 0)], [])
    await tasks.change(database, ada.principal, ada.space, task.id, {"completed": False, "tags": ("y",)})
    assert await counted() == ([tags.TagUse("y", 1, 1)], [TagStat("y", 1)])


def model(stored: Sequence[Task], shown: Sequence[TaskList], zone: str, at: datetime) -> Stats:
    """The same as ``stats``, counted one by one."""
    local = ZoneInfo(zone)
    today = at.astimezone(local).date()
    living = [task for task in stored if task.deleted_at is None]
    pending = [task for task in living if not task.completed]
    finished = [(task.created_at, task.completed_at) for task in living if task.completed_at is not None]
    by_day = Counter(completed.astimezone(local).date() for _, completed in finished)
    spellings = Counter(tag for task in pending for tag in task.tags)
    used = Counter(tag_key(tag) for task in pending for tag in task.tags)

    def is_overdue(task: Task) -> bool:
        return (task.due_at is not None and task.due_at < at) or (task.due_date is not None and task.due_date < today)

    def is_due_today(task: Task) -> bool:
        return task.due_date == today or (task.due_at is not None and task.due_at.astimezone(local).date() == today)

    streak, day = 0, today if by_day[today] else today - timedelta(days=1)
    while by_day[day]:
        streak, day = streak + 1, day - timedelta(days=1)
    return Stats(
        total=len(living),
        pending=len(pending),
        completed=len(finished),
        overdue=sum(map(is_overdue, pending)),
        due_today=sum(map(is_due_today, pending)),
        by_priority={each.name: sum(task.priority == each for task in pending) for each in Priority},
        by_list=[
            ListStat(each.id, each.name, count)
            for each in shown
            if (count := sum(task.list_id == each.id for task in pending))
        ],
        by_tag=[
            TagStat(min((n for n in spellings if tag_key(n) == key), key=lambda n: (-spellings[n], n)), count)
            for key, count in sorted(used.items(), key=lambda item: (-item[1], item[0]))
        ],
        completed_by_day=[
            DayStat(today - timedelta(days=n), by_day[today - timedelta(days=n)]) for n in reversed(range(30))
        ],
        completion_rate=len(finished) / len(living) if living else None,
        median_hours_to_complete=(
            median((completed - created) / timedelta(hours=1) for created, completed in finished)
            if finished
            else None
        ),
        streak_days=streak,
    )


ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Asia/Kathmandu"]
DAYS = [
    date(2026, 3, 8),
    date(2026, 3, 29),
    date(2026, 4, 5),
    date(2026, 9, 6),
    date(2026, 10, 25),
    date(2026, 11, 1),
]
"""Days on which clocks change somewhere; in Santiago at midnight."""


@st.composite
def worlds(draw) -> tuple[str, datetime, list[dict]]:
    """A time zone, an instant, and tasks that happen about that instant's midnights."""
    zone, day = draw(st.sampled_from(ZONES)), draw(st.sampled_from(DAYS))
    microseconds = st.sampled_from([-1, 0, 1, 3_600_000_000 - 1, 3_600_000_000, 43_200_000_000])

    def instant(first: int, last: int) -> st.SearchStrategy[datetime]:
        days = st.integers(first, last).map(lambda n: start_of(day + timedelta(days=n), zone))
        return st.builds(lambda start, more: start + timedelta(microseconds=more), days, microseconds)

    due = st.one_of(
        st.just({}),
        instant(-2, 2).map(lambda at: {"due_at": at}),
        st.integers(-2, 2).map(lambda n: {"due_date": day + timedelta(days=n)}),
    )
    task = st.fixed_dictionaries(
        {
            "created_at": instant(-40, -35),
            "completed_at": st.one_of(st.none(), instant(-6, 1), instant(-32, 1)),
            "deleted_at": st.sampled_from([None, None, None, NOON]),
            "priority": st.sampled_from(Priority),
            "list": st.integers(0, 3),
            "tags": st.sampled_from([(), ("a",), ("A", "b"), ("a", "B"), ("b",)]),
            "due": due,
        }
    )
    return zone, draw(instant(0, 1)), draw(st.lists(task, max_size=25))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(world=worlds())
async def test_the_stats_are_those_of_the_model_also_where_clocks_change(database: Database, ada: Person, world):
    zone, at, drawn = world
    user, space = ada.principal, replace(ada.space, time_zone=zone)
    shown = (await lists.every(database, user, space)).items
    for name in ("Z", "A", "M")[len(shown) :]:
        shown.append(await lists.create(database, user, space, name=name))
    stored = [
        _task(list_id=None if each["list"] == 3 else shown[each["list"]].id, **rest, **each["due"])
        for each in drawn
        for rest in [{name: value for name, value in each.items() if name not in {"list", "due"}}]
    ]
    await database.rows(FORGET)
    await _store(database, user, space, stored)

    found = await stats(database, user, space, at=at)

    expected = model(stored, shown, zone, at)
    assert found.median_hours_to_complete == pytest.approx(
        expected.median_hours_to_complete, abs=2e-10
    )  # hours: 1 µs
    assert replace(found, median_hours_to_complete=expected.median_hours_to_complete) == expected
