"""Nothing but what confirms it goes to an address that nobody has confirmed, and nobody gets mail without end."""

import httpx2

from taskwell import tasks
from taskwell.api.gateway import Gateway
from taskwell.database import Database, now
from taskwell.delivery import log
from taskwell.settings import Settings
from taskwell.tasks import TaskDraft, reminders
from taskwell.tasks.tables import ReminderRow
from taskwell.users.tables import UserRow
from tests.support.deliveries import alter, deliver_due
from tests.support.people import Person, arrive
from tests.support.smtp import Mailbox


async def test_a_reminder_by_e_mail_waits_for_a_confirmed_e_mail(app: Gateway, database: Database):
    bob = await arrive(app, "bob", is_confirmed=False)
    task = (await bob.http.post("/api/v1/tasks", json={"title": "Your account is locked"})).json()
    body = {"remind_at": "2999-01-01T00:00:00Z"}
    path = f"/api/v1/tasks/{task['id']}/reminders"

    refused = await bob.http.post(path, json=body)
    assert (refused.status_code, refused.json()["code"]) == (409, "email_unverified")
    assert (await bob.http.post(path, json=body | {"channel": "webhook"})).status_code == 201
    assert len((await bob.http.get(path)).json()["items"]) == 1


async def test_a_reminder_is_not_sent_to_an_e_mail_that_is_confirmed_no_more(
    database: Database, sending: Settings, ada: Person, mailbox: Mailbox
):
    task = await tasks.create(database, ada.principal, ada.space, TaskDraft("Call"))
    await reminders.add(database, ada.principal, ada.space, task.id, remind_at=now())
    await alter(database, UserRow, email_verified_at=None)

    await deliver_due(database, sending)

    (delivery,) = await log.latest(database, ada.principal)
    assert (delivery.status, delivery.error) == ("failed", "The account has no confirmed e-mail address.")
    assert mailbox.messages == []


async def test_a_user_gets_so_many_reminders_by_e_mail_a_day(
    database: Database, sending: Settings, ada: Person, eve: Person, mailbox: Mailbox
):
    for person, number in ((ada, 6), (eve, 1)):
        for each in range(number):
            task = await tasks.create(database, person.principal, person.space, TaskDraft(f"Task {each}"))
            await reminders.add(database, person.principal, person.space, task.id, remind_at=now())

    await deliver_due(database, sending.model_copy(update={"max_mails_per_day": 4}))

    found = [(each.status, each.error) for each in await log.latest(database, ada.principal)]
    assert sorted(found, key=str) == [("failed", "mail_limit")] * 2 + [("sent", None)] * 4
    assert sorted(mailbox.recipients) == [ada.email] * 4 + [eve.email]


async def test_a_reminder_that_is_tried_again_counts_once(
    database: Database, sending: Settings, ada: Person, mailbox: Mailbox
):
    task = await tasks.create(database, ada.principal, ada.space, TaskDraft("Call"))
    await reminders.add(database, ada.principal, ada.space, task.id, remind_at=now())
    one = sending.model_copy(update={"max_mails_per_day": 1})
    mailbox.refusal = "451 try later"
    await deliver_due(database, one)
    mailbox.refusal = None
    await alter(database, ReminderRow, fire_at=now())

    await deliver_due(database, one)

    (delivery,) = await log.latest(database, ada.principal)
    assert (delivery.status, delivery.attempts) == ("sent", 2)


async def test_a_webhook_is_no_mail(nobody: httpx2.AsyncClient, database: Database, sending: Settings, ada: Person):
    task = await tasks.create(database, ada.principal, ada.space, TaskDraft("Call"))
    await reminders.add(database, ada.principal, ada.space, task.id, remind_at=now(), channel="webhook")

    await deliver_due(database, sending.model_copy(update={"max_mails_per_day": 0}))

    (delivery,) = await log.latest(database, ada.principal)
    assert delivery.error != "mail_limit"
