"""Ending reminders by e-mail with the link that each of them has."""

import httpx2
import pytest

from taskwell import tasks
from taskwell.database import Database, now
from taskwell.delivery import unsubscribing
from taskwell.settings import Settings
from taskwell.tasks import TaskDraft, reminders
from tests.support.deliveries import deliver_due
from tests.support.people import Person
from tests.support.smtp import Mailbox

OWN = "http://127.0.0.1:8000"


async def remind(database: Database, person: Person, title: str, channel: reminders.Channel = "email") -> None:
    task = await tasks.create(database, person.principal, person.space, TaskDraft(title))
    await reminders.add(database, person.principal, person.space, task.id, remind_at=now(), channel=channel)


async def test_a_reminder_can_be_ended_by_a_mail_program_and_new_ones_be_set(
    nobody: httpx2.AsyncClient, database: Database, sending: Settings, ada: Person, eve: Person, mailbox: Mailbox
):
    await remind(database, ada, "Call")
    await deliver_due(database, sending)
    (message,) = mailbox.messages
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    address = message["List-Unsubscribe"].strip("<>")
    assert address.startswith(f"{OWN}/account/unsubscribe?token=")
    assert address in mailbox.links()
    for person in (ada, eve):
        await remind(database, person, "Write")

    one_click = await nobody.post(address.removeprefix(OWN), files={"List-Unsubscribe": (None, "One-Click")})

    assert one_click.status_code == 200
    await deliver_due(database, sending)
    assert mailbox.recipients == [ada.email, eve.email]
    await remind(database, ada, "Read")
    await deliver_due(database, sending)
    assert mailbox.recipients == [ada.email, eve.email, ada.email]


async def test_to_look_at_the_page_ends_nothing(
    nobody: httpx2.AsyncClient, database: Database, sending: Settings, ada: Person, mailbox: Mailbox
):
    await remind(database, ada, "Call")

    page = await nobody.get(unsubscribing.link(sending, ada.id).removeprefix(OWN))

    assert (page.status_code, "<form" in page.text) == (200, True)
    await deliver_due(database, sending)
    assert mailbox.recipients == [ada.email]


async def test_neither_an_access_token_nor_one_that_was_bent_ends_anything_and_the_links_is_no_access_token(
    nobody: httpx2.AsyncClient, settings: Settings, ada: Person
):
    token = unsubscribing.link(settings, ada.id).rpartition("token=")[2]
    for bad in ("", "x", "é", ada.token, token[:-2]):
        assert (await nobody.post("/account/unsubscribe", params={"token": bad})).status_code == 410

    refused = await nobody.get("/api/v1/tasks", headers={"Authorization": f"Bearer {token}"})
    assert refused.status_code == 401


@pytest.mark.parametrize("is_previous", [False, True])
async def test_a_link_survives_another_secret_key(
    database: Database,
    settings: Settings,
    ada: Person,
    is_previous: bool,  # noqa: FBT001
):
    values = settings.model_dump() | {"secret_key": "another-key-0123456789-abcdefghijklmnop"}
    if is_previous:
        values["secret_key_previous"] = settings.secret_key
    else:
        values["secret_key"] = settings.secret_key
    token = unsubscribing.link(settings, ada.id).rpartition("token=")[2]

    changed = Settings(_env_file=None, **values)

    assert await unsubscribing.unsubscribe(database, changed, token) == ada.id
