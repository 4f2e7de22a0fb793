"""Deliveries that fail: tried again, given up, and told."""

import asyncio
import ssl
import threading
from datetime import timedelta

import pytest

from taskwell import tasks, worker
from taskwell.database import Database, now
from taskwell.delivery import log, signed_post
from taskwell.settings import Settings
from taskwell.tasks import TaskDraft, reminders
from taskwell.tasks import reminder_queue as queue
from taskwell.tasks.tables import ReminderRow
from taskwell.users import directory
from tests.support.deliveries import alter, deliver_due, set_webhook, until
from tests.support.people import Person, set_email
from tests.support.receiver import Receiver
from tests.support.smtp import Mailbox


async def test_a_failure_is_tried_again_with_the_same_id_and_given_up_after_a_day(
    database: Database, sending: Settings, ada: Person, receiver: Receiver
):
    await set_webhook(database, ada, receiver.url)
    task = await tasks.create(database, ada.principal, ada.space, TaskDraft("Call"))
    await reminders.add(database, ada.principal, ada.space, task.id, remind_at=now(), channel="webhook")
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
    task = await tasks.create(database, ada.principal, ada.space, TaskDraft("Call"))
    await reminders.add(database, ada.principal, ada.space, task.id, remind_at=now(), channel="webhook")
    receiver.status = "500 Oops"
    await deliver_due(database, sending)
    receiver.status = "200 OK"
    await alter(database, ReminderRow, fire_at=now())
    await deliver_due(database, sending)

    (delivery,) = await log.latest(database, ada.principal)
    assert (delivery.status, delivery.attempts, delivery.error) == ("sent", 2, None)


async def test_a_disabled_account_gets_nothing_until_it_is_enabled_within_a_day(
    database: Database, sending: Settings, ada: Person, mailbox: Mailbox
):
    task = await tasks.create(database, ada.principal, ada.space, TaskDraft("Call"))
    await reminders.add(database, ada.principal, ada.space, task.id, remind_at=now())
    await directory.disable(database, ada.id)

    assert await deliver_due(database, sending) == 1
    (delivery,) = await log.latest(database, ada.principal)
    assert (delivery.status, delivery.error, mailbox.messages) == ("retrying", "The account is disabled.", [])

    await directory.enable(database, ada.id)
    await alter(database, ReminderRow, fire_at=now())
    await deliver_due(database, sending)
    assert len(mailbox.messages) == 1


async def test_an_address_that_the_mail_server_cannot_write_is_given_up_at_once(
    database: Database, sending: Settings, ada: Person, mailbox: Mailbox
):
    mailbox.offers_utf8 = False
    await set_email(database, ada, "ädä@exämple.com")
    task = await tasks.create(database, ada.principal, ada.space, TaskDraft("Call"))
    await reminders.add(database, ada.principal, ada.space, task.id, remind_at=now())

    await deliver_due(database, sending)

    (delivery,) = await log.latest(database, ada.principal)
    assert (delivery.status, delivery.attempts, mailbox.messages) == ("failed", 1, [])
    assert delivery.error == "The mail server takes only ASCII before the @ of an address."


async def test_nobody_waits_for_another_users_slow_receiver(
    database: Database, sending: Settings, ada: Person, eve: Person, mailbox: Mailbox, receiver: Receiver
):
    receiver.permission = asyncio.Event()
    await set_webhook(database, ada, receiver.url)
    slow = await tasks.create(database, ada.principal, ada.space, TaskDraft("Slow"))
    for _ in range(reminders.MAX_REMINDERS):
        await reminders.add(database, ada.principal, ada.space, slow.id, remind_at=now(), channel="webhook")
    quick = await tasks.create(database, eve.principal, eve.space, TaskDraft("Quick"))
    await reminders.add(database, eve.principal, eve.space, quick.id, remind_at=now())

    async with worker.running(database, sending):
        await until(lambda: mailbox.messages)
        assert len(receiver.requests) < 2 * worker.USER_SHARE
        receiver.permission.set()
        await until(lambda: len(receiver.requests) == reminders.MAX_REMINDERS)


async def test_reading_certificates_holds_up_nobody(
    database: Database, sending: Settings, ada: Person, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
):
    """Eight readings of 30 ms on the event loop let connections time out on a busy machine."""
    readers: list[str] = []

    def read(context: ssl.SSLContext, *where: str | None) -> None:
        readers.append(threading.current_thread().name)

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", read)
    signed_post.certificates.cache_clear()
    await set_webhook(database, ada, receiver.url)
    task = await tasks.create(database, ada.principal, ada.space, TaskDraft("Call"))
    for _ in range(worker.USER_SHARE):
        await reminders.add(database, ada.principal, ada.space, task.id, remind_at=now(), channel="webhook")
    try:
        await deliver_due(database, sending)
    finally:
        signed_post.certificates.cache_clear()

    assert len(receiver.requests) == worker.USER_SHARE
    assert len(readers) == 1
    assert readers != ["MainThread"]


async def test_a_task_done_between_two_attempts_drops_the_delivery(
    database: Database, sending: Settings, ada: Person, receiver: Receiver
):
    await set_webhook(database, ada, receiver.url)
    task = await tasks.create(database, ada.principal, ada.space, TaskDraft("Call"))
    await reminders.add(database, ada.principal, ada.space, task.id, remind_at=now(), channel="webhook")
    receiver.status = "500 Oops"
    await deliver_due(database, sending)

    await tasks.change(database, ada.principal, ada.space, task.id, {"completed": True})
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
    task = await tasks.create(database, ada.principal, ada.space, TaskDraft("Call"))
    await reminders.add(database, ada.principal, ada.space, task.id, remind_at=now(), channel="webhook")
    receiver.status, receiver.extra = answer, f"Location: {receiver.url}/elsewhere\r\n".encode()

    await deliver_due(database, sending)

    (delivery,) = await log.latest(database, ada.principal)
    assert (delivery.status, delivery.error) == (status, error)
    assert len(receiver.requests) == 1


async def test_without_means_of_sending_the_log_says_what_is_missing(
    database: Database, settings: Settings, ada: Person
):
    task = await tasks.create(database, ada.principal, ada.space, TaskDraft("Call"))
    for channel in ("email", "webhook"):
        await reminders.add(database, ada.principal, ada.space, task.id, remind_at=now(), channel=channel)

    await deliver_due(database, settings)

    errors = {each.channel: each.error for each in await log.latest(database, ada.principal)}
    assert "SMTP_HOST" in (errors["email"] or "")
    assert "webhook" in (errors["webhook"] or "")


async def test_a_refused_address_is_given_up_at_once(
    database: Database, sending: Settings, ada: Person, mailbox: Mailbox
):
    task = await tasks.create(database, ada.principal, ada.space, TaskDraft("Call"))
    await reminders.add(database, ada.principal, ada.space, task.id, remind_at=now())
    mailbox.refusal = "550 No such person"

    await deliver_due(database, sending)

    (delivery,) = await log.latest(database, ada.principal)
    assert (delivery.status, delivery.error) == ("failed", "The mail server refused the address (550).")


async def test_a_name_that_leads_to_this_machine_is_not_visited(
    database: Database, sending: Settings, ada: Person, receiver: Receiver
):
    await set_webhook(database, ada, f"http://localhost:{receiver.port}/")
    task = await tasks.create(database, ada.principal, ada.space, TaskDraft("Call"))
    await reminders.add(database, ada.principal, ada.space, task.id, remind_at=now(), channel="webhook")

    await deliver_due(database, sending.model_copy(update={"webhook_allow_private": False}))

    (delivery,) = await log.latest(database, ada.principal)
    assert delivery.status == "retrying"
    assert receiver.requests == []


async def test_a_title_cannot_add_headers_or_markup(
    database: Database, sending: Settings, ada: Person, mailbox: Mailbox
):
    title = "Call\r\nBcc: eve@example.com\r\n\r\n<script>"
    task = await tasks.create(database, ada.principal, ada.space, TaskDraft(title, description="<img src=x>\n& more"))
    await reminders.add(database, ada.principal, ada.space, task.id, remind_at=now())

    await deliver_due(database, sending)

    (message,) = mailbox.messages
    assert message["Bcc"] is None
    assert message["Subject"] == "Reminder: Call Bcc: eve@example.com <script>"
    html = message.get_body(("html",))
    assert html is not None
    assert "<script>" not in html.get_content()
    assert "<img" not in html.get_content()
