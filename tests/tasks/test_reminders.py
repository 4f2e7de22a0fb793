"""Reminders: the rule of when one is sent, and the queue that keeps it."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from taskwell import tasks
from taskwell.database import Database, Query, now
from taskwell.errors import FieldError, Invalid, NotFound
from taskwell.tasks import TaskDraft, reminders
from taskwell.tasks import reminder_queue as queue
from taskwell.tasks.reminders import MAX_REMINDERS
from tests.support.deliveries import AT_NOON, NOON
from tests.support.people import Person

BEFORE_DUE = replace(
    AT_NOON, remind_at=None, minutes_before_due=30, due_at=NOON, due_key=NOON, changed_at=NOON - timedelta(days=1)
)


def test_a_reminder_is_sent_at_its_instant_or_before_the_due():
    assert AT_NOON.moment() == NOON
    assert BEFORE_DUE.moment() == NOON - timedelta(minutes=30)


def test_a_reminder_of_a_day_counts_from_the_start_of_that_day_where_the_user_is():
    berlin = replace(BEFORE_DUE, due_at=None, due_date=date(2026, 3, 30), time_zone="Europe/Berlin")

    assert replace(berlin, minutes_before_due=0).moment() == datetime(2026, 3, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    assert replace(berlin, due_date=date.min, due_key=NOON.replace(year=1)).moment() is None


def test_a_reminder_rests_while_the_task_is_done_or_has_no_due():
    assert replace(AT_NOON, is_open=False).moment() is None
    assert replace(BEFORE_DUE, due_at=None, due_key=None).moment() is None


def test_a_reminder_is_sent_once_and_again_only_for_a_due_that_is_still_to_come():
    sent = replace(BEFORE_DUE, settled_for=BEFORE_DUE.moment())
    tomorrow = NOON + timedelta(days=1)

    assert sent.moment() is None
    assert replace(sent, due_at=tomorrow, due_key=tomorrow, changed_at=NOON).moment() == tomorrow - timedelta(
        minutes=30
    )
    assert replace(sent, due_at=NOON + timedelta(minutes=10), changed_at=NOON).moment() is None


def test_what_was_missed_while_the_task_was_done_is_made_up_for_within_a_day():
    assert replace(AT_NOON, changed_at=NOON + timedelta(hours=23)).moment() == NOON
    assert replace(AT_NOON, changed_at=NOON + timedelta(hours=25)).moment() is None
    soon = replace(BEFORE_DUE, minutes_before_due=3 * 24 * 60, changed_at=NOON - timedelta(minutes=5))
    assert soon.moment() == NOON - timedelta(days=3), "the task is not due yet, so a late reminder still helps"


def test_a_reminder_however_late_the_worker_is_sent():
    assert replace(AT_NOON, changed_at=NOON - timedelta(days=300)).moment() == NOON
    assert replace(AT_NOON, remind_at=datetime.max.replace(tzinfo=UTC)).moment() == datetime.max.replace(tzinfo=UTC)


async def test_reminders_are_listed_and_removed(database: Database, ada: Person):
    task = await tasks.create(
        database, ada.principal, ada.space, TaskDraft("Call", due_at=now() + timedelta(hours=2))
    )
    first = await reminders.add(database, ada.principal, ada.space, task.id, minutes_before_due=30)
    second = await reminders.add(
        database, ada.principal, ada.space, task.id, remind_at=NOON.replace(year=2126), channel="webhook"
    )

    assert await reminders.of_task(database, ada.principal, ada.space, task.id) == [first, second]
    await reminders.remove(database, ada.principal, ada.space, task.id, first.id)

    assert await reminders.of_task(database, ada.principal, ada.space, task.id) == [second]
    with pytest.raises(NotFound):
        await reminders.remove(database, ada.principal, ada.space, task.id, first.id)


async def test_every_task_has_reminders_of_its_own(database: Database, ada: Person, eve: Person):
    made = []
    for person in (ada, ada, eve):
        task = await tasks.create(database, person.principal, person.space, TaskDraft("Call"))
        reminder = await reminders.add(
            database, person.principal, person.space, task.id, remind_at=now() + timedelta(hours=1)
        )
        made.append((person, task, reminder))

    for person, task, reminder in made:
        assert await reminders.of_task(database, person.principal, person.space, task.id) == [reminder]
    (_, first, hers), (_, second, _), _ = made
    with pytest.raises(NotFound):
        await reminders.remove(database, ada.principal, ada.space, second.id, hers.id)
    await reminders.remove(database, ada.principal, ada.space, first.id, hers.id)
    assert [
        await reminders.of_task(database, person.principal, person.space, task.id) for person, task, _ in made[1:]
    ] == [[reminder] for _, _, reminder in made[1:]]


async def test_a_storm_of_reminders_is_refused(database: Database, ada: Person):
    task = await tasks.create(database, ada.principal, ada.space, TaskDraft("Call"))
    other = await tasks.create(database, ada.principal, ada.space, TaskDraft("Call back"))
    for _ in range(MAX_REMINDERS):
        await reminders.add(database, ada.principal, ada.space, task.id, remind_at=now() + timedelta(hours=1))
    await reminders.add(database, ada.principal, ada.space, other.id, remind_at=now() + timedelta(hours=1))

    with pytest.raises(Invalid) as refused:
        await reminders.add(database, ada.principal, ada.space, task.id, remind_at=now() + timedelta(hours=1))
    assert refused.value.errors == (
        FieldError("body", "", f"A task can have {MAX_REMINDERS} reminders.", "too_many_reminders"),
    )


async def test_somebody_elses_reminders_are_not_there(database: Database, ada: Person, eve: Person):
    task = await tasks.create(database, ada.principal, ada.space, TaskDraft("Call"))
    reminder = await reminders.add(database, ada.principal, ada.space, task.id, remind_at=now() + timedelta(hours=1))

    for attempt in (
        reminders.of_task(database, eve.principal, eve.space, task.id),
        reminders.add(database, eve.principal, eve.space, task.id, remind_at=now() + timedelta(hours=1)),
        reminders.remove(database, eve.principal, eve.space, task.id, reminder.id),
    ):
        with pytest.raises(NotFound):
            await attempt


async def test_moving_the_due_completing_and_restoring_wake_the_reminder(database: Database, ada: Person):
    due = now() + timedelta(days=2)
    task = await tasks.create(database, ada.principal, ada.space, TaskDraft("Call", due_at=due))
    await reminders.add(database, ada.principal, ada.space, task.id, minutes_before_due=60)
    assert await queue.next_look(database) == due - timedelta(hours=1)

    for wake in (
        tasks.change(database, ada.principal, ada.space, task.id, {"due_at": due + timedelta(days=1)}),
        tasks.change(database, ada.principal, ada.space, task.id, {"completed": True}),
        tasks.change(database, ada.principal, ada.space, task.id, {"completed": False}),
        tasks.delete(database, ada.principal, ada.space, task.id),
        tasks.restore(database, ada.principal, ada.space, task.id),
    ):
        await wake
        look_at = await queue.next_look(database)
        assert look_at is not None
        assert look_at <= now()
        await database.rows(Query(_parked(), lambda *_: None), at=due)


async def test_other_changes_leave_the_reminder_alone(database: Database, ada: Person):
    due = now() + timedelta(days=2)
    task = await tasks.create(database, ada.principal, ada.space, TaskDraft("Call", due_at=due))
    await reminders.add(database, ada.principal, ada.space, task.id, minutes_before_due=0)

    await tasks.change(database, ada.principal, ada.space, task.id, {"title": "Call Ada", "tags": ("phone",)})

    assert await queue.next_look(database) == due


async def test_a_claimed_reminder_is_nobody_elses_until_the_lease_ends(database: Database, ada: Person):
    task = await tasks.create(database, ada.principal, ada.space, TaskDraft("Call"))
    for _ in range(3):
        await reminders.add(database, ada.principal, ada.space, task.id, remind_at=now())

    first, second = await queue.claim(database, 2), await queue.claim(database, 2)

    assert (len(first), len(second)) == (2, 1)
    assert await queue.claim(database, 2) == []
    look_at = await queue.next_look(database)
    assert look_at is not None
    assert now() < look_at <= now() + queue.LEASE


def _parked():
    from sqlalchemy import bindparam, update

    from taskwell.database import UtcInstant
    from taskwell.tasks.tables import ReminderRow

    return update(ReminderRow).values(fire_at=bindparam("at", type_=UtcInstant))
