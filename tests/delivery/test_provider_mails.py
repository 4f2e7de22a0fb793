"""Who has an account is told when a provider becomes a way into it."""

import pytest

from taskwell import users
from taskwell.database import Database
from taskwell.security.claims import ProviderIdentity
from taskwell.security.sign_in_state import challenge_of
from taskwell.settings import Settings
from taskwell.users import links, providers
from tests.support.deliveries import send_mails
from tests.support.people import Person
from tests.support.smtp import Mailbox

ISSUER, VERIFIER = "https://lab.example.com", "v" * 43


@pytest.fixture
def identity(ada: Person) -> ProviderIdentity:
    return ProviderIdentity(ISSUER, "ada-at-lab", ada.email, email_verified=True, name="<b>Ada</b>")


async def test_the_owner_is_mailed_when_a_provider_takes_the_account_over(
    database: Database, sending: Settings, mailbox: Mailbox, ada: Person, identity: ProviderIdentity
):
    await providers.arrive(database, identity, is_trusted=True, challenge=challenge_of(VERIFIER), sends_link=True)

    await send_mails(database, sending)

    (message,) = mailbox.messages
    assert (message["To"], "another service" in message["Subject"]) == (ada.email, True)
    assert "<b>Ada" not in message.as_string()


async def test_the_owner_is_mailed_when_a_provider_is_linked(
    database: Database, sending: Settings, mailbox: Mailbox, ada: Person, identity: ProviderIdentity
):
    code = await links.hand_over_link(database, ada.id, identity, challenge=challenge_of(VERIFIER))
    await providers.exchange(database, code=code, verifier=VERIFIER, caller=ada.principal, group="here")

    await send_mails(database, sending)

    (message,) = mailbox.messages
    assert (message["To"], "another way in" in message["Subject"]) == (ada.email, True)


async def test_an_e_mail_that_the_provider_has_not_verified_is_asked_to_be_confirmed(
    database: Database, sending: Settings, mailbox: Mailbox
):
    identity = ProviderIdentity(ISSUER, "ben-at-lab", "ben@example.com", email_verified=False, name="Ben")
    await providers.arrive(database, identity, is_trusted=True, challenge=challenge_of(VERIFIER), sends_link=True)
    await send_mails(database, sending)

    token = mailbox.links()[-1].rpartition("token=")[2]
    await users.verify_email(database, token, group="here")

    assert (await users.by_email(database, "ben@example.com")).email_verified
