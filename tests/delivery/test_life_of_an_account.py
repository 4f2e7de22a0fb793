"""An account from its first mail to its last, over a real mail server: who gets what, and nobody else anything."""

from taskwell import worker
from taskwell.app import create_app
from taskwell.database import Database
from taskwell.settings import Settings
from tests.conftest import running
from tests.support.deliveries import until
from tests.support.letters import follow, login, token_of
from tests.support.people import PASSWORD, Person, client
from tests.support.smtp import Mailbox

OLD, NEW = "ben@example.com", "benjamin@example.com"
LATER = "engine 1852"


async def test_an_account_is_opened_confirmed_recovered_and_moved_by_mail(
    database: Database, sending: Settings, mailbox: Mailbox, eve: Person
):
    strict = create_app(sending.model_copy(update={"require_verified_email": True}))
    async with running(strict) as app, worker.running(database, sending):
        nobody = client(app)

        async def sent(number: int) -> tuple[str, str]:
            await until(lambda: len(mailbox.messages) == number)
            return mailbox.recipients[-1], mailbox.messages[-1]["Subject"]

        account = {"email": OLD, "password": PASSWORD, "name": "Ben"}
        assert (await nobody.post("/api/v1/auth/signup", json=account)).json()["access_token"] is None
        assert await sent(1) == (OLD, "Confirm your e-mail for Taskwell")
        assert await login(nobody, OLD, PASSWORD) == 403
        await sent(2)
        assert (await follow(nobody, token_of(mailbox))).status_code == 204
        assert await login(nobody, OLD, PASSWORD) == 200

        await nobody.post("/api/v1/auth/password/forgot", json={"email": OLD})
        assert await sent(3) == (OLD, "Choose a new password for Taskwell")
        body = {"token": token_of(mailbox), "new_password": LATER}
        assert (await nobody.post("/api/v1/auth/password/reset", json=body)).status_code == 204
        assert await sent(4) == (OLD, "Your Taskwell password was changed")
        assert [await login(nobody, OLD, password) for password in (PASSWORD, LATER)] == [401, 200]

        session = await nobody.post("/api/v1/auth/login", json={"email": OLD, "password": LATER})
        ben = client(app, {"Authorization": f"Bearer {session.json()['access_token']}"})
        wanted = {"email": NEW, "current_password": LATER}
        assert (await ben.patch("/api/v1/users/me", json=wanted)).json()["pending_email"] == NEW
        assert await sent(5) == (NEW, "Confirm your e-mail for Taskwell")
        assert (await follow(nobody, token_of(mailbox))).status_code == 204
        assert await sent(6) == (OLD, "The e-mail of your Taskwell account was changed")
        assert [await login(nobody, email, LATER) for email in (OLD, NEW)] == [401, 200]

    assert eve.email not in mailbox.recipients
    for message in mailbox.messages:
        text, page = message.get_body(("plain",)), message.get_body(("html",))
        assert text is not None
        assert page is not None
        assert "Ben" not in text.get_content() + page.get_content(), "nothing of what somebody typed"
        assert message["List-Unsubscribe"] is None
