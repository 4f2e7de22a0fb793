"""Days and instants: what is due when, wherever the user is."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from taskwell import tasks, users
from taskwell.database import Database
from taskwell.spaces import SpaceAccess
from taskwell.tasks import AS_TASK, PageRequest, Task, TaskDraft, TaskFilter, TaskSort, pages
from taskwell.tasks.task import due_key, start_of
from taskwell.users.principal import Principal
from tests.support.people import Person

MOMENT = timedelta(microseconds=1)
ZONES = st.sampled_from(sorted(available_timezones()))
DAYS = st.dates(date(1970, 1, 2), date(2100, 12, 31))
INSTANTS = st.datetimes(datetime(1970, 1, 2), datetime(2100, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


def local_day(instant: datetime, zone: str) -> date:
    return instant.astimezone(ZoneInfo(zone)).date()


@given(day=DAYS, zone=ZONES)
@example(day=date(2018, 11, 4), zone="America/Sao_Paulo")  # midnight is skipped
@example(day=date(2024, 4, 26), zone="Africa/Cairo")
@example(day=date(2024, 11, 3), zone="America/Havana")  # midnight comes twice
@example(day=date(2010, 11, 7), zone="America/St_Johns")  # the clock goes back over midnight, one minute after it
@example(day=date(2011, 12, 30), zone="Pacific/Apia")  # the day itself is skipped
@example(day=date(2026, 1, 1), zone="Pacific/Kiritimati")
@example(day=date(2026, 1, 1), zone="Etc/GMT+12")
def test_a_day_starts_at_its_first_instant(day: date, zone: str):
    start = start_of(day, zone)

    assert local_day(start - MOMENT, zone) < day <= local_day(start, zone)


@given(day=DAYS, zone=ZONES, away=st.timedeltas(timedelta(hours=-60), timedelta(hours=60)))
@example(day=date(2026, 3, 29), zone="Europe/Berlin", away=timedelta(0))
@example(day=date(2026, 10, 25), zone="Europe/Berlin", away=timedelta(0))
@example(day=date(2026, 6, 1), zone="Pacific/Kiritimati", away=timedelta(hours=-10))
def test_a_task_for_a_day_is_overdue_when_the_day_is_over_where_its_user_is(day: date, zone: str, away: timedelta):
    key = due_key(task_due(due_date=day), zone)
    assert key is not None
    now = datetime(day.year, day.month, day.day, 12, tzinfo=UTC) + away

    is_overdue = key < now

    first_over = start_of(day + timedelta(days=1), zone)
    assert is_overdue == (now >= first_over)
    if abs(now - first_over) > timedelta(hours=1):  # where the clock goes back over midnight, a day comes twice
        assert is_overdue == (local_day(now, zone) > day)


@given(instant=INSTANTS, zone=ZONES)
def test_a_task_for_an_instant_is_due_at_it_in_every_time_zone(instant: datetime, zone: str):
    assert due_key(task_due(due_at=instant), zone) == instant


@given(day=DAYS, zone=ZONES)
def test_a_task_for_a_day_falls_in_that_day_and_after_all_its_instants(day: date, zone: str):
    key = due_key(task_due(due_date=day), zone)

    assert key is not None
    assert start_of(day + timedelta(days=1), zone) - MOMENT == key
    assert key >= start_of(day, zone) - MOMENT


@pytest.mark.parametrize("day", [date.min, date.max])
def test_the_ends_of_the_calendar_are_days_like_others(day: date):
    for zone in ("UTC", "Pacific/Kiritimati", "Etc/GMT+12"):
        assert due_key(task_due(due_date=day), zone) is not None


EDGES = [
    ("UTC", date(2026, 6, 10)),
    ("Pacific/Kiritimati", date(2026, 6, 10)),  # fourteen hours before Greenwich
    ("Etc/GMT+12", date(2026, 6, 10)),  # twelve hours after it
    ("Europe/Berlin", date(2026, 3, 29)),  # a day of 23 hours
    ("America/New_York", date(2026, 11, 1)),  # a day of 25 hours
]


@pytest.mark.parametrize(("zone", "day"), EDGES)
async def test_overdue_begins_with_the_first_instant_after_the_day(
    zone: str, day: date, database: Database, ada: Person, monkeypatch: pytest.MonkeyPatch
):
    space = await living_in(zone, database, ada)
    await tasks.create(database, ada.principal, space, TaskDraft(title="For the day", due_date=day))
    await tasks.create(database, ada.principal, space, TaskDraft(title="Done", due_date=day, completed=True))
    over = start_of(day + timedelta(days=1), zone)

    async def overdue_at(now: datetime) -> list[str]:
        monkeypatch.setattr(pages, "now", lambda: now)
        return await titles(database, ada.principal, space, TaskFilter(overdue=True))

    assert await overdue_at(over - MOMENT) == []
    assert await overdue_at(over) == ["For the day"]


async def test_a_task_is_overdue_after_its_instant_and_until_then_it_is_not(
    database: Database, ada: Person, monkeypatch: pytest.MonkeyPatch
):
    due = datetime(2026, 6, 10, 12, tzinfo=UTC)
    await tasks.create(database, ada.principal, ada.space, TaskDraft(title="At noon", due_at=due))

    for now, is_overdue in ((due - MOMENT, False), (due, False), (due + MOMENT, True)):
        monkeypatch.setattr(pages, "now", lambda now=now: now)
        for asked in (True, False):
            found = await titles(database, ada.principal, ada.space, TaskFilter(overdue=asked))
            assert found == (["At noon"] if asked is is_overdue else [])


@pytest.mark.parametrize(("zone", "day"), EDGES)
async def test_a_day_as_a_bound_is_the_users_day(zone: str, day: date, database: Database, ada: Person):
    space = await living_in(zone, database, ada)
    before, start = start_of(day, zone) - MOMENT, start_of(day, zone)
    for title, due in (("Last of yesterday", before), ("First of today", start)):
        await tasks.create(database, ada.principal, space, TaskDraft(title=title, due_at=due))
    await tasks.create(database, ada.principal, space, TaskDraft(title="Today", due_date=day))
    await tasks.create(database, ada.principal, space, TaskDraft(title="Yesterday", due_date=day - timedelta(days=1)))

    async def found(wanted: TaskFilter) -> list[str]:
        return sorted(await titles(database, ada.principal, space, wanted))

    assert await found(TaskFilter(due_before=day)) == ["Last of yesterday", "Yesterday"]
    assert await found(TaskFilter(due_after=day)) == ["First of today", "Today"]
    assert await found(TaskFilter(due_after=day, due_before=day + timedelta(days=1))) == ["First of today", "Today"]
    assert await found(TaskFilter(due_after=start, due_before=start + MOMENT)) == ["First of today"]


async def test_tasks_without_a_due_come_last_in_both_directions_and_a_day_after_its_instants(
    database: Database, ada: Person
):
    noon = datetime(2026, 6, 10, 12, tzinfo=UTC)
    for title, due_date, due_at in (
        ("Never", None, None),
        ("Day", noon.date(), None),
        ("Noon", None, noon),
        ("Next day", noon.date() + timedelta(days=1), None),
        ("Never either", None, None),
    ):
        await tasks.create(
            database, ada.principal, ada.space, TaskDraft(title=title, due_date=due_date, due_at=due_at)
        )

    for descending, expected in (
        (False, ["Noon", "Day", "Next day", "Never", "Never either"]),
        (True, ["Next day", "Day", "Noon", "Never either", "Never"]),
    ):
        for limit in (1, 2, 3, 50):
            assert await walked(database, ada.principal, ada.space, TaskSort("due", descending), limit) == expected


async def test_moving_to_another_time_zone_moves_nobody_elses_days(database: Database, ada: Person, eve: Person):
    day = date(2026, 6, 10)
    for person in (ada, eve):
        for title, due in (("Whenever", None), ("Before", day - timedelta(days=1)), ("For the day", day)):
            await tasks.create(database, person.principal, person.space, TaskDraft(title=title, due_date=due))

    west = await living_in("Etc/GMT+12", database, ada)

    before_its_end_in_the_west = TaskFilter(due_before=start_of(day + timedelta(days=1), "UTC"))
    assert await titles(database, ada.principal, west, before_its_end_in_the_west) == ["Before"]
    assert await titles(database, eve.principal, eve.space, before_its_end_in_the_west) == ["For the day", "Before"]
    assert (await users.get(database, eve.principal)).time_zone == "UTC"


async def test_whoever_moved_with_another_device_can_move_back(database: Database, ada: Person, eve: Person):
    await living_in("Europe/Berlin", database, eve)

    await tasks.move_to_zone(database, eve.principal, eve.space, eve.space.time_zone)

    assert (await users.get(database, eve.principal)).time_zone == "UTC"


async def test_a_day_is_reckoned_where_the_user_is_now_whatever_a_device_believes(database: Database, ada: Person):
    day = date(2026, 6, 10)
    changed = await tasks.create(database, ada.principal, ada.space, TaskDraft(title="Changed"))
    await living_in("Etc/GMT+12", database, ada)

    await tasks.create(database, ada.principal, ada.space, TaskDraft(title="New", due_date=day))
    await tasks.change(database, ada.principal, ada.space, changed.id, {"due_date": day})

    end = start_of(day + timedelta(days=1), "Etc/GMT+12")
    assert await titles(database, ada.principal, ada.space, TaskFilter(due_before=end - MOMENT)) == []
    assert await titles(database, ada.principal, ada.space, TaskFilter(due_before=end)) == ["New", "Changed"]


def task_due(due_date: date | None = None, due_at: datetime | None = None) -> Task:
    draft = TaskDraft(title="Due", due_date=due_date, due_at=due_at)
    return Task.drafted(draft, task_id="1", now=datetime(2026, 1, 1, tzinfo=UTC))


async def living_in(zone: str, database: Database, person: Person) -> SpaceAccess:
    await tasks.move_to_zone(database, person.principal, person.space, zone)
    return replace(person.space, time_zone=zone)


async def titles(database: Database, actor: Principal, space: SpaceAccess, wanted: TaskFilter) -> list[str]:
    page = await tasks.page(database, actor, space, PageRequest(wanted), AS_TASK)
    return [task.title for task in page.items]


async def walked(database: Database, actor: Principal, space: SpaceAccess, sort: TaskSort, limit: int) -> list[str]:
    found: list[str] = []
    cursor = None
    while True:
        page = await tasks.page(database, actor, space, PageRequest(sort=sort, limit=limit, cursor=cursor), AS_TASK)
        found += [task.title for task in page.items]
        cursor = page.next_cursor
        if cursor is None:
            return found
