"""Invitations by mail: a token of their own, made when they are sent."""

from sqlalchemy import select

from taskwell.api.gateway import Gateway
from taskwell.database import Database, Query
from taskwell.settings import Settings
from taskwell.spaces.tables import InvitationTokenRow
from tests.support.deliveries import send_mails
from tests.support.letters import WAITING, token_of
from tests.support.people import Person, arrive
from tests.support.smtp import Mailbox
from tests.support.spaces import ACCEPT, SPACES, family_of, invite


async def test_the_mail_has_another_token_for_the_same_uses(
    app: Gateway, database: Database, ada: Person, sending: Settings, mailbox: Mailbox
):
    ben = await arrive(app, "ben")
    space = await family_of(ada, name="BUY THIS http://evil.example")
    made = await invite(ada, space, email="ben@example.com")

    await send_mails(database, sending)

    (message,) = mailbox.messages
    assert message["To"] == "ben@example.com"
    assert ada.email in message.as_string()
    assert "evil" not in message.as_string()
    token = token_of(mailbox)
    assert token != made["token"]
    stored = await database.rows(Query(select(InvitationTokenRow.hash), str))
    assert len(stored) == 2
    assert not {token, made["token"]} & set(stored)
    assert (await ben.http.post(ACCEPT, json={"token": token})).status_code == 200
    eve = await arrive(app, "eve")
    assert (await eve.http.post(ACCEPT, json={"token": made["token"]})).status_code == 410


async def test_an_invitation_that_was_withdrawn_is_not_mailed(
    database: Database, ada: Person, sending: Settings, mailbox: Mailbox
):
    space = await family_of(ada)
    made = await invite(ada, space, email="ben@example.com")
    await ada.http.delete(f"{SPACES}/{space}/invitations/{made['id']}")

    await send_mails(database, sending)

    assert mailbox.messages == []
    assert await database.rows(WAITING) == []


async def test_an_address_gets_three_invitations_a_day(ada: Person):
    space = await family_of(ada)
    body = {"role": "editor", "email": "ben@example.com"}

    answers = [await ada.http.post(f"{SPACES}/{space}/invitations", json=body) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [201, 201, 201, 429]
    assert int(answers[-1].headers["retry-after"]) > 0
    assert len((await ada.http.get(f"{SPACES}/{space}/invitations")).json()["items"]) == 3
