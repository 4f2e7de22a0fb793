"""What setting another password with a mailed link ends, and what it makes good."""

import httpx2
import pytest
from sqlalchemy import insert, select

from taskwell.api.gateway import Gateway
from taskwell.database import Database, Query
from taskwell.settings import Settings
from taskwell.users.known_groups import is_group_of_user
from taskwell.users.tables import ExternalIdentityRow
from tests.support.deliveries import send_mails, set_webhook
from tests.support.letters import NEW, follow, forget, problem, reset, signed_in, token_of
from tests.support.people import Person, arrive
from tests.support.smtp import Mailbox


async def test_a_reset_makes_the_network_known_that_it_comes_from(
    app: Gateway, nobody: httpx2.AsyncClient, ada: Person, database: Database, sending: Settings, mailbox: Mailbox
):
    assert app.services is not None
    group = app.services.limits.hashed("127.0.0.1")
    await forget(nobody, ada.email)
    await send_mails(database, sending)
    assert not await is_group_of_user(database, ada.id, group)

    await reset(nobody, token_of(mailbox))

    assert await is_group_of_user(database, ada.id, group)


async def test_a_reset_confirms_the_e_mail(
    app: Gateway, nobody: httpx2.AsyncClient, database: Database, sending: Settings, mailbox: Mailbox
):
    bob = await arrive(app, "bob", is_confirmed=False)
    await forget(nobody, bob.email)
    await send_mails(database, sending)

    await reset(nobody, token_of(mailbox))

    assert (await (await signed_in(app, bob.email)).get("/api/v1/users/me")).json()["email_verified"] is True


async def test_a_reset_ends_every_other_link_the_wait_and_the_webhook(
    app: Gateway, nobody: httpx2.AsyncClient, ada: Person, database: Database, sending: Settings, mailbox: Mailbox
):
    await set_webhook(database, ada, "https://hooks.example.com/x")
    await ada.http.patch("/api/v1/users/me", json=NEW)
    await send_mails(database, sending)
    change = token_of(mailbox)
    for _ in range(2):
        await forget(nobody, ada.email)
        await send_mails(database, sending)
    first, second = [link.rpartition("token=")[2] for link in mailbox.links()[1:]]

    assert (await reset(nobody, second)).status_code == 204

    assert (await reset(nobody, first)).status_code == 410
    assert await problem(await follow(nobody, change)) == (410, "link_over")
    http = await signed_in(app, ada.email)
    assert (await http.get("/api/v1/users/me")).json()["pending_email"] is None
    assert (await http.get("/api/v1/users/me/webhook")).status_code == 404


_LINKS: Query[str] = Query(select(ExternalIdentityRow.user_id), str)


@pytest.mark.parametrize("is_confirmed", [True, False])
async def test_a_reset_ends_other_services_where_it_is_what_first_confirms_the_e_mail_and_names_them_elsewhere(
    app: Gateway,
    nobody: httpx2.AsyncClient,
    database: Database,
    sending: Settings,
    mailbox: Mailbox,
    is_confirmed: bool,  # noqa: FBT001
):
    bob = await arrive(app, "bob", is_confirmed=is_confirmed)
    link = insert(ExternalIdentityRow).values(issuer="https://accounts.example.com", subject="x", user_id=bob.id)
    await database.rows(Query(link, lambda *_: None))
    await forget(nobody, bob.email)
    await send_mails(database, sending)

    await reset(nobody, token_of(mailbox))

    assert await database.rows(_LINKS) == ([bob.id] if is_confirmed else [])
    await send_mails(database, sending)
    assert ("accounts.example.com" in mailbox.messages[-1].as_string()) is is_confirmed
