"""The worker: reminders that really arrive, at a real mail server and a real HTTP receiver."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import bindparam, update
from standardwebhooks import Webhook, WebhookVerificationError

from taskwell import tasks, worker
from taskwell.database import Database, Query, UtcInstant, now
from taskwell.delivery import courier, log, queue, webhooks
from taskwell.settings import Settings
from taskwell.tasks import TaskDraft, reminders
from taskwell.tasks.tables import ReminderRow, TaskRow
from tests.support.people import Person
from tests.support.receiver import Receiver
from tests.support.smtp import Mailbox


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    async with Mailbox() as mailbox:
        yield mailbox


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as receiver:
        yield receiver


@pytest.fixture
def sending(settings: Settings, mailbox: Mailbox) -> Settings:
    return settings.model_copy(
        update={
            "smtp_host": "127.0.0.1",
            "smtp_port": mailbox.port,
            "webhook_allow_private": True,
            "worker_poll_seconds": 0.1,
        }
    )


async def until(condition, seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  # what it waits for is another program
            await asyncio.sleep(0.02)


async def deliver_due(database: Database, settings: Settings) -> int:
    """One look at everything that is due; gives how many reminders were looked at."""
    claims = await queue.claim(database, 100)
    await asyncio.gather(*(courier.deliver(database, settings, claim) for claim in claims))
    return len(claims)


async def alter(database: Database, table, **instants) -> None:
    """Moves instants of every row, as time would."""
    values = {name: bindparam(f"new_{name}", type_=UtcInstant) for name in instants}
    query = Query(update(table).values(**values), lambda *_: None)
    await database.rows(query, **{f"new_{name}": value for name, value in instants.items()})


async def set_webhook(database: Database, person: Person, url: str) -> str:
    webhook = await webhooks.put(database, person.principal, url, allow_private=True)
    assert webhook.secret is not None
    return webhook.secret


async def test_a_reminder_for_two_seconds_from_now_arrives_at_both(
    database: Database, sending: Settings, ada: Person, mailbox: Mailbox, receiver: Receiver
):
    secret = await set_webhook(database, ada, receiver.url)
    due_at = now() + timedelta(minutes=1, seconds=2)
    async with worker.running(database, sending):
        await asyncio.sleep(0.2)
        task = await tasks.create(
            database, ada.principal, TaskDraft("Käse <b>kaufen</b>", due_at=due_at, tags=("shop",))
        )
        by_mail = await reminders.add(database, ada.principal, task.id, remind_at=now() + timedelta(seconds=2))
        await reminders.add(database, ada.principal, task.id, minutes_before_due=1, channel="webhook")
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
    assert (await reminders.of_task(database, ada.principal, task.id))[0].id == by_mail.id
    assert all(each.sent_at for each in await reminders.of_task(database, ada.principal, task.id))


async def test_a_reminder_moves_with_the_due_and_is_sent_once_for_each(
    database: Database, sending: Settings, ada: Person, mailbox: Mailbox
):
    task = await tasks.create(database, ada.principal, TaskDraft("Call", due_at=now() + timedelta(days=1)))
    await reminders.add(database, ada.principal, task.id, minutes_before_due=1)
    async with worker.running(database, sending):
        await tasks.change(database, ada.principal, task.id, {"due_at": now() + timedelta(seconds=61)})
        await asyncio.sleep(0.5)
        assert mailbox.messages == []
        await until(lambda: len(mailbox.messages) == 1, 3)
        await tasks.change(database, ada.principal, task.id, {"due_at": now() + timedelta(seconds=61)})
        await asyncio.sleep(0.5)
        assert (await reminders.of_task(database, ada.principal, task.id))[0].sent_at is None
        await until(lambda: len(mailbox.messages) == 2, 3)

    assert len({each["Message-ID"] for each in mailbox.messages}) == 2


async def test_a_reminder_waits_while_the_task_is_done_or_in_the_trash(
    database: Database, sending: Settings, ada: Person, mailbox: Mailbox
):
    done = await tasks.create(database, ada.principal, TaskDraft("Done"))
    thrown = await tasks.create(database, ada.principal, TaskDraft("Thrown"))
    for task in (done, thrown):
        await reminders.add(database, ada.principal, task.id, remind_at=now() + timedelta(seconds=0.5))
    async with worker.running(database, sending):
        await tasks.change(database, ada.principal, done.id, {"completed": True})
        await tasks.delete(database, ada.principal, thrown.id)
        await asyncio.sleep(1.2)
        assert mailbox.messages == []
        await tasks.change(database, ada.principal, done.id, {"completed": False})
        await tasks.restore(database, ada.principal, thrown.id)
        await until(lambda: mailbox.of("Done") and mailbox.of("Thrown"), 3)


async def test_a_change_while_a_reminder_is_under_way_neither_doubles_nor_loses_it(
    database: Database, sending: Settings, ada: Person, mailbox: Mailbox
):
    task = await tasks.create(database, ada.principal, TaskDraft("Call", due_at=now() + timedelta(seconds=60)))
    await reminders.add(database, ada.principal, task.id, minutes_before_due=1)
    mailbox.pause = 0.7
    async with worker.running(database, sending):
        await asyncio.sleep(0.4)
        await tasks.change(database, ada.principal, task.id, {"completed": True})
        await tasks.change(database, ada.principal, task.id, {"completed": False})
        await asyncio.sleep(1)
        assert len(mailbox.messages) == 1
        mailbox.pause = 0
        await tasks.change(database, ada.principal, task.id, {"due_at": now() + timedelta(seconds=61)})
        await until(lambda: len(mailbox.messages) == 2, 3)


async def test_a_failure_is_tried_again_with_the_same_id_and_given_up_after_a_day(
    database: Database, sending: Settings, ada: Person, receiver: Receiver
):
    await set_webhook(database, ada, receiver.url)
    task = await tasks.create(database, ada.principal, TaskDraft("Call"))
    await reminders.add(database, ada.principal, task.id, remind_at=now(), channel="webhook")
    receiver.status = "503 Service Unavailable"

    await deliver_due(database, sending)
    (first,) = await log.latest(database, ada.principal)
    assert (first.status, first.error, first.attempts) == ("retrying", "The receiver answered 503.", 1)
    assert first.next_try_at is not None
    assert timedelta(seconds=7) < first.next_try_at - first.tried_at < timedelta(seconds=13)
    assert await deliver_due(database, sending) == 0

    await alter(database, ReminderRow, fire_at=now(), tried_since=now() - timedelta(hours=23, minutes=59, seconds=59))
    await deliver_due(database, sending)
    (last,) = await log.latest(database, ada.principal)
    assert (last.status, last.attempts, last.next_try_at, last.sent_at) == ("failed", 2, None, None)
    assert len({headers["webhook-id"] for _, headers, _ in receiver.requests}) == 1
    assert await queue.next_look(database) is None


async def test_a_retry_that_succeeds_is_logged_as_sent(
    database: Database, sending: Settings, ada: Person, receiver: Receiver
):
    await set_webhook(database, ada, receiver.url)
    task = await tasks.create(database, ada.principal, TaskDraft("Call"))
    await reminders.add(database, ada.principal, task.id, remind_at=now(), channel="webhook")
    receiver.status = "500 Oops"
    await deliver_due(database, sending)
    receiver.status = "200 OK"
    await alter(database, ReminderRow, fire_at=now())
    await deliver_due(database, sending)

    (delivery,) = await log.latest(database, ada.principal)
    assert (delivery.status, delivery.attempts, delivery.error) == ("sent", 2, None)


async def test_a_task_done_between_two_attempts_drops_the_delivery(
    database: Database, sending: Settings, ada: Person, receiver: Receiver
):
    await set_webhook(database, ada, receiver.url)
    task = await tasks.create(database, ada.principal, TaskDraft("Call"))
    await reminders.add(database, ada.principal, task.id, remind_at=now(), channel="webhook")
    receiver.status = "500 Oops"
    await deliver_due(database, sending)

    await tasks.change(database, ada.principal, task.id, {"completed": True})
    await deliver_due(database, sending)

    (delivery,) = await log.latest(database, ada.principal)
    assert (delivery.status, delivery.next_try_at) == ("dropped", None)
    assert len(receiver.requests) == 1


@pytest.mark.parametrize(
    ("answer", "status", "error"),
    [
        ("302 Found", "retrying", "The receiver answered 302."),
        ("410 Gone", "failed", "The receiver answered 410: it wants no more of this."),
        ("NONSENSE", "retrying", "127.0.0.1 did not answer in HTTP."),
    ],
)
async def test_what_is_not_a_receipt_is_a_failure(
    database: Database, sending: Settings, ada: Person, receiver: Receiver, answer: str, status: str, error: str
):
    await set_webhook(database, ada, receiver.url)
    task = await tasks.create(database, ada.principal, TaskDraft("Call"))
    await reminders.add(database, ada.principal, task.id, remind_at=now(), channel="webhook")
    receiver.status, receiver.extra = answer, f"Location: {receiver.url}/elsewhere\r\n".encode()

    await deliver_due(database, sending)

    (delivery,) = await log.latest(database, ada.principal)
    assert (delivery.status, delivery.error) == (status, error)
    assert len(receiver.requests) == 1


async def test_without_means_of_sending_the_log_says_what_is_missing(
    database: Database, settings: Settings, ada: Person
):
    task = await tasks.create(database, ada.principal, TaskDraft("Call"))
    for channel in ("email", "webhook"):
        await reminders.add(database, ada.principal, task.id, remind_at=now(), channel=channel)

    await deliver_due(database, settings)

    errors = {each.channel: each.error for each in await log.latest(database, ada.principal)}
    assert "SMTP_HOST" in (errors["email"] or "")
    assert "webhook" in (errors["webhook"] or "")


async def test_a_refused_address_is_given_up_at_once(
    database: Database, sending: Settings, ada: Person, mailbox: Mailbox
):
    task = await tasks.create(database, ada.principal, TaskDraft("Call"))
    await reminders.add(database, ada.principal, task.id, remind_at=now())
    mailbox.refusal = "550 No such person"

    await deliver_due(database, sending)

    (delivery,) = await log.latest(database, ada.principal)
    assert (delivery.status, delivery.error) == ("failed", "The mail server refused the address (550).")


async def test_a_name_that_leads_to_this_machine_is_not_visited(
    database: Database, sending: Settings, ada: Person, receiver: Receiver
):
    await set_webhook(database, ada, f"http://localhost:{receiver.port}/")
    task = await tasks.create(database, ada.principal, TaskDraft("Call"))
    await reminders.add(database, ada.principal, task.id, remind_at=now(), channel="webhook")

    await deliver_due(database, sending.model_copy(update={"webhook_allow_private": False}))

    (delivery,) = await log.latest(database, ada.principal)
    assert delivery.status == "retrying"
    assert receiver.requests == []


async def test_a_title_cannot_add_headers_or_markup(
    database: Database, sending: Settings, ada: Person, mailbox: Mailbox
):
    title = "Call\r\nBcc: eve@example.com\r\n\r\n<script>"
    task = await tasks.create(database, ada.principal, TaskDraft(title, description="<img src=x>\n& more"))
    await reminders.add(database, ada.principal, task.id, remind_at=now())

    await deliver_due(database, sending)

    (message,) = mailbox.messages
    assert message["Bcc"] is None
    assert message["Subject"] == "Reminder: Call Bcc: eve@example.com <script>"
    html = message.get_body(("html",))
    assert html is not None
    assert "<script>" not in html.get_content()
    assert "<img" not in html.get_content()


async def test_the_worker_removes_what_has_had_its_time(database: Database, ada: Person):
    old, young, living = [await tasks.create(database, ada.principal, TaskDraft(name)) for name in ("a", "b", "c")]
    await tasks.delete(database, ada.principal, old.id)
    await alter(database, TaskRow, deleted_at=now() - timedelta(days=30, seconds=1))
    await tasks.restore(database, ada.principal, young.id)
    await tasks.restore(database, ada.principal, living.id)
    await tasks.delete(database, ada.principal, young.id)

    assert (await worker.purge(database))["tasks"] == 1

    trash = await tasks.page(database, ada.principal, tasks.PageRequest(in_trash=True), tasks.AS_TASK)
    assert [each.id for each in trash.items] == [young.id]
    assert (await tasks.get(database, ada.principal, living.id)).title == "c"
