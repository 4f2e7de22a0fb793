"""Filters, orders and pages of a list, compared with a plain model of what each of them says."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any, get_args

import pytest

from taskwell import tasks
from taskwell.database import Database, new_id
from taskwell.errors import InvalidCursor
from taskwell.tasks import AS_TASK, NO_LIST, PageRequest, Priority, Task, TaskDraft, TaskFilter, TaskSort
from taskwell.tasks.filters import SortKey
from taskwell.tasks.page_queries import FEW
from taskwell.tasks.task import due_key, start_of
from tests.support.people import Person
from tests.support.seeding import store, store_lists

BASE = datetime(2026, 3, 1, tzinfo=UTC)
TAGS = ("Home", "work", "Éclair", "straße", "rare")
LISTS = tuple(new_id() for _ in range(3))
NOW = BASE + timedelta(days=20)


def some_tasks(random: Random, count: int) -> list[Task]:
    return [some_task(random, minute) for minute in range(count)]


def some_task(random: Random, minute: int) -> Task:
    created_at = BASE + timedelta(minutes=random.randrange(minute // 3, minute + 1))
    due = random.choice(("none", "none", "day", "instant"))
    in_days = timedelta(days=random.randrange(40))
    return Task(
        id=new_id(),
        title=random.choice(("Ärger", "apfel", "Zebra", "milk", "MILK")) + str(random.randrange(50)),
        description=None,
        priority=random.choice(tuple(Priority)),
        completed_at=created_at + timedelta(hours=1) if random.random() < 0.5 else None,
        due_date=(BASE + in_days).date() if due == "day" else None,
        due_at=BASE + in_days + timedelta(minutes=random.randrange(1440)) if due == "instant" else None,
        list_id=random.choice((*LISTS, None)),
        tags=tuple(tag for tag in TAGS if random.random() < (0.01 if tag == "rare" else 0.4)),
        revision=1,
        created_at=created_at,
        updated_at=created_at + timedelta(minutes=random.randrange(500)),
        deleted_at=NOW if random.random() < 0.1 else None,
    )


def some_filter(random: Random) -> TaskFilter:
    def perhaps(value: Callable[[], Any]) -> Any:
        return value() if random.random() < 0.25 else None

    def instant() -> datetime:
        return BASE + timedelta(minutes=random.randrange(-100, 1200))

    def day_or_instant() -> date | datetime:
        instant = BASE + timedelta(minutes=random.randrange(40 * 1440))
        return random.choice((instant, instant.date()))

    return TaskFilter(
        completed=perhaps(lambda: random.random() < 0.5),
        priorities=perhaps(lambda: tuple(random.choices(tuple(Priority), k=2))) or (),
        tags=perhaps(lambda: tuple(random.choices(("home", "WORK", "éclair", "STRASSE", "rare", "no"), k=2))) or (),
        all_tags=random.random() < 0.5,
        list_id=perhaps(lambda: random.choice((*LISTS, LISTS[0].upper(), NO_LIST, new_id(), "x"))),
        overdue=perhaps(lambda: random.random() < 0.7),
        due_before=perhaps(day_or_instant),
        due_after=perhaps(day_or_instant),
        created_before=perhaps(instant),
        created_after=perhaps(instant),
        updated_after=perhaps(instant),
    )


def matches(task: Task, wanted: TaskFilter, zone: str) -> bool:
    """The rules of CONTRACTS.md section 2, one after the other."""
    key = due_key(task, zone)
    tags = {tag.casefold() for tag in task.tags}
    wanted_tags = {tag.casefold() for tag in wanted.tags}
    return (
        task.deleted_at is None
        and wanted.completed in (None, task.completed)
        and (not wanted.priorities or task.priority in wanted.priorities)
        and (not wanted_tags or (wanted_tags <= tags if wanted.all_tags else bool(wanted_tags & tags)))
        and (
            wanted.list_id is None or (wanted.list_id.lower() if wanted.list_id != NO_LIST else None) == task.list_id
        )
        and wanted.overdue in (None, key is not None and key < NOW and not task.completed)
        and (wanted.due_before is None or (key is not None and key < as_instant(wanted.due_before, zone)))
        and (wanted.due_after is None or (key is not None and key >= as_instant(wanted.due_after, zone)))
        and (wanted.created_before is None or task.created_at < wanted.created_before)
        and (wanted.created_after is None or task.created_at >= wanted.created_after)
        and (wanted.updated_after is None or task.updated_at >= wanted.updated_after)
    )


def as_instant(bound: date | datetime, zone: str) -> datetime:
    return bound if isinstance(bound, datetime) else start_of(bound, zone)


def in_order(found: Sequence[Task], sort: TaskSort, zone: str) -> list[Task]:
    key: dict[str, Callable[[Task], Any]] = {
        "created_at": lambda task: task.created_at,
        "updated_at": lambda task: task.updated_at,
        "due": lambda task: due_key(task, zone) or BASE,
        "priority": lambda task: task.priority,
        "title": lambda task: task.title.casefold().replace("ä", "a"),
        "relevance": lambda task: task.created_at,
    }
    ordered = sorted(found, key=lambda task: (key[sort.key](task), task.id), reverse=sort.descending)
    return sorted(ordered, key=lambda task: sort.key == "due" and due_key(task, zone) is None)


async def pages(database: Database, owner: Person, wanted: TaskFilter, sort: TaskSort, limit: int) -> list[str]:
    found: list[str] = []
    cursor = None
    while True:
        asked = PageRequest(wanted, sort, limit, cursor, with_total=cursor is None)
        page = await tasks.page(database, owner.principal, owner.space, asked, AS_TASK)
        if cursor is None:
            total = page.total
        found += [task.id for task in page.items]
        cursor = page.next_cursor
        if cursor is None:
            assert len(found) == total
            return found


@pytest.mark.parametrize("count", [60, FEW + 200])
async def test_every_filter_in_every_order_finds_what_the_model_finds(
    count: int, database: Database, ada: Person, eve: Person, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(tasks.pages, "now", lambda: NOW)
    random = Random(count)
    hers = some_tasks(random, count)
    for owner, stored in ((ada, hers), (eve, [])):
        await store_lists(database, owner.space, LISTS if owner is ada else (), hers[0])
        await store(database, owner.principal, owner.space, stored)
    await store(database, eve.principal, eve.space, [without_list(task) for task in some_tasks(random, 30)])

    for _ in range(50):
        wanted = some_filter(random) if random.random() < 0.95 else TaskFilter()
        sort = TaskSort(
            random.choice([key for key in get_args(SortKey) if key != "deleted_at"]), random.random() < 0.5
        )
        expected = in_order([task for task in hers if matches(task, wanted, "UTC")], sort, "UTC")

        found = await pages(database, ada, wanted, sort, random.choice((7, 50, 200)))

        assert found == [task.id for task in expected], (wanted, sort)


def without_list(task: Task) -> Task:
    return Task(**{name: getattr(task, name) for name in Task.__slots__} | {"list_id": None, "id": new_id()})


async def test_a_page_stays_where_it_is_while_others_come_and_go(database: Database, ada: Person):
    stored = [await tasks.create(database, ada.principal, ada.space, TaskDraft(title=f"{n}")) for n in range(6)]
    first = await tasks.page(database, ada.principal, ada.space, PageRequest(limit=3), AS_TASK)

    await tasks.create(database, ada.principal, ada.space, TaskDraft(title="new"))
    await tasks.delete(database, ada.principal, ada.space, stored[4].id)
    await tasks.delete(database, ada.principal, ada.space, stored[3].id)
    second = await tasks.page(
        database, ada.principal, ada.space, PageRequest(limit=3, cursor=first.next_cursor), AS_TASK
    )

    assert [task.title for task in first.items + second.items] == ["5", "4", "3", "2", "1", "0"]
    assert second.next_cursor is None


@pytest.mark.parametrize(
    "other",
    [
        PageRequest(TaskFilter(completed=True)),
        PageRequest(TaskFilter(search="task")),
        PageRequest(sort=TaskSort("title")),
        PageRequest(sort=TaskSort(descending=False)),
        PageRequest(in_trash=True, sort=TaskSort("deleted_at")),
    ],
)
async def test_a_cursor_is_good_for_its_own_list_alone(other: PageRequest, database: Database, ada: Person):
    for _ in range(2):
        await tasks.create(database, ada.principal, ada.space, TaskDraft(title="task"))
    page = await tasks.page(database, ada.principal, ada.space, PageRequest(limit=1), AS_TASK)
    assert page.next_cursor is not None

    elsewhere = PageRequest(other.wanted, other.sort, 1, page.next_cursor, in_trash=other.in_trash)

    with pytest.raises(InvalidCursor):
        await tasks.page(database, ada.principal, ada.space, elsewhere, AS_TASK)
    with pytest.raises(InvalidCursor):
        await tasks.version(database, ada.principal, ada.space, elsewhere)


async def test_a_cursor_of_somebody_else_is_refused(database: Database, ada: Person, eve: Person):
    for _ in range(2):
        await tasks.create(database, ada.principal, ada.space, TaskDraft(title="task"))
    page = await tasks.page(database, ada.principal, ada.space, PageRequest(limit=1), AS_TASK)

    with pytest.raises(InvalidCursor):
        await tasks.page(database, eve.principal, eve.space, PageRequest(limit=1, cursor=page.next_cursor), AS_TASK)
