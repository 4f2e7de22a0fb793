"""Reminders that really arrive, at a real mail server and a real HTTP receiver."""

import asyncio
from datetime import timedelta

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from taskwell import tasks, worker
from taskwell.database import Database, now
from taskwell.delivery import log
from taskwell.settings import Settings
from taskwell.tasks import TaskDraft, reminders
from taskwell.users import profile
from tests.support.deliveries import deliver_due, set_webhook, until
from tests.support.people import Person, set_email
from tests.support.receiver import Receiver
from tests.support.smtp import Mailbox


async def test_a_reminder_for_two_seconds_from_now_arrives_at_both(
    database: Database, sending: Settings, ada: Person, mailbox: Mailbox, receiver: Receiver
):
    secret = await set_webhook(database, ada, receiver.url)
    due_at = now() + timedelta(minutes=1, seconds=2)
    async with worker.running(database, sending):
        await asyncio.sleep(0.2)
        task = await tasks.create(
            database, ada.principal, ada.space, TaskDraft("Käse <b>kaufen</b>", due_at=due_at, tags=("shop",))
        )
        by_mail = await reminders.add(
            database, ada.principal, ada.space, task.id, remind_at=now() + timedelta(seconds=2)
        )
        await reminders.add(database, ada.principal, ada.space, task.id, minutes_before_due=1, channel="webhook")
        await asyncio.sleep(1)
        assert (mailbox.messages, receiver.requests) == ([], [])
        await until(lambda: mailbox.messages and receiver.requests, 3)

    (message,), ((request, headers, body),) = mailbox.messages, receiver.requests
    assert message["To"] == "Ada <ada@example.com>"
    assert message["Subject"] == "Reminder: Käse <b>kaufen</b>"
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert "Käse <b>kaufen</b>" in plain.get_content()
    assert "<h1>Käse &lt;b&gt;kaufen&lt;/b&gt;</h1>" in html.get_content()
    assert request == "POST /hook?of=ada HTTP/1.1"
    event = Webhook(secret).verify(body, headers)
    assert event["type"] == "reminder.due"
    assert event["data"]["task"]["title"] == "Käse <b>kaufen</b>"
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body + b" ", headers)
    deliveries = await log.latest(database, ada.principal)
    assert {each.status for each in deliveries} == {"sent"}
    ids = {each.channel: each.id for each in deliveries}
    assert headers["webhook-id"] == ids["webhook"]
    assert message["Message-ID"] == f"<{ids['email']}@localhost>"
    assert (await reminders.of_task(database, ada.principal, ada.space, task.id))[0].id == by_mail.id
    assert all(each.sent_at for each in await reminders.of_task(database, ada.principal, ada.space, task.id))


@pytest.mark.parametrize(
    ("email", "recipient", "offers_utf8"),
    [
        ("ada@exämple.com", "ada@xn--exmple-cua.com", False),
        ("ada@例え.jp", "ada@xn--r8jz45g.jp", False),
        ("ädä@exämple.com", "ädä@xn--exmple-cua.com", True),
    ],
)
async def test_a_reminder_reaches_an_address_in_any_alphabet(
    database: Database, sending: Settings, ada: Person, mailbox: Mailbox, email: str, recipient: str, offers_utf8
):
    mailbox.offers_utf8 = offers_utf8
    await set_email(database, ada, email)
    await profile.change(database, ada.principal, {"name": "Ädä"})
    task = await tasks.create(database, ada.principal, ada.space, TaskDraft("Käse kaufen"))
    await reminders.add(database, ada.principal, ada.space, task.id, remind_at=now())

    await deliver_due(database, sending)

    (delivery,) = await log.latest(database, ada.principal)
    assert (delivery.status, delivery.error) == ("sent", None)
    (message,) = mailbox.messages
    assert mailbox.recipients == [recipient]
    assert recipient in str(message["To"]).encode(errors="surrogateescape").decode()
    assert message["Subject"] == "Reminder: Käse kaufen"


async def test_a_reminder_moves_with_the_due_and_is_sent_once_for_each(
    database: Database, sending: Settings, ada: Person, mailbox: Mailbox
):
    task = await tasks.create(database, ada.principal, ada.space, TaskDraft("Call", due_at=now() + timedelta(days=1)))
    await reminders.add(database, ada.principal, ada.space, task.id, minutes_before_due=1)
    async with worker.running(database, sending):
        await tasks.change(database, ada.principal, ada.space, task.id, {"due_at": now() + timedelta(seconds=61)})
        await asyncio.sleep(0.5)
        assert mailbox.messages == []
        await until(lambda: len(mailbox.messages) == 1, 3)
        await tasks.change(database, ada.principal, ada.space, task.id, {"due_at": now() + timedelta(seconds=61)})
        await asyncio.sleep(0.5)
        assert (await reminders.of_task(database, ada.principal, ada.space, task.id))[0].sent_at is None
        await until(lambda: len(mailbox.messages) == 2, 3)

    assert len({each["Message-ID"] for each in mailbox.messages}) == 2


async def test_a_reminder_waits_while_the_task_is_done_or_in_the_trash(
    database: Database, sending: Settings, ada: Person, mailbox: Mailbox
):
    done = await tasks.create(database, ada.principal, ada.space, TaskDraft("Done"))
    thrown = await tasks.create(database, ada.principal, ada.space, TaskDraft("Thrown"))
    for task in (done, thrown):
        await reminders.add(database, ada.principal, ada.space, task.id, remind_at=now() + timedelta(seconds=0.5))
    async with worker.running(database, sending):
        await tasks.change(database, ada.principal, ada.space, done.id, {"completed": True})
        await tasks.delete(database, ada.principal, ada.space, thrown.id)
        await asyncio.sleep(1.2)
        assert mailbox.messages == []
        await tasks.change(database, ada.principal, ada.space, done.id, {"completed": False})
        await tasks.restore(database, ada.principal, ada.space, thrown.id)
        await until(lambda: mailbox.of("Done") and mailbox.of("Thrown"), 3)


async def test_a_change_while_a_reminder_is_under_way_neither_doubles_nor_loses_it(
    database: Database, sending: Settings, ada: Person, mailbox: Mailbox
):
    task = await tasks.create(
        database, ada.principal, ada.space, TaskDraft("Call", due_at=now() + timedelta(seconds=60))
    )
    await reminders.add(database, ada.principal, ada.space, task.id, minutes_before_due=1)
    mailbox.pause = 0.7
    async with worker.running(database, sending):
        await asyncio.sleep(0.4)
        await tasks.change(database, ada.principal, ada.space, task.id, {"completed": True})
        await tasks.change(database, ada.principal, ada.space, task.id, {"completed": False})
        await asyncio.sleep(1)
        assert len(mailbox.messages) == 1
        mailbox.pause = 0
        await tasks.change(database, ada.principal, ada.space, task.id, {"due_at": now() + timedelta(seconds=61)})
        await until(lambda: len(mailbox.messages) == 2, 3)
