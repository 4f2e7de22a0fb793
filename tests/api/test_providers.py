"""Signing in by a provider: whose account it opens, and what the front end gets."""

import asyncio
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator

import httpx2
import pytest

from taskwell import users
from taskwell.api.gateway import Gateway
from taskwell.settings import Settings
from tests.support.authenticator import Authenticator, answer
from tests.support.openid import Browser, Peer, taskwell_with
from tests.support.people import PASSWORD, USER_FIELDS, Person, arrive, client
from tests.support.personal import script_of

ACTIVITY = "/api/v1/users/me/activity"


@pytest.fixture
async def trusting(app: Gateway, settings: Settings, peer: Peer) -> AsyncIterator[Gateway]:
    """Taskwell that links by e-mail what the peer says of it."""
    async with taskwell_with(settings, peer, provider={"trusted": True}) as other:
        yield other


def browser(app: Gateway, peer: Peer, provider: str = "lab") -> Browser:
    return Browser(client(app), peer, provider)


async def session(there: Browser) -> dict:
    """The session at the end of the whole way."""
    assert set(await there.sign_in()) == {"code"}
    exchanged = await there.exchange()
    assert exchanged.status_code == 200, exchanged.text
    return exchanged.json()


def bearer(session: dict) -> dict[str, str]:
    return {"Authorization": f"Bearer {session['access_token']}"}


async def test_the_front_end_is_told_which_providers_there_are(providing: Gateway, nobody: httpx2.AsyncClient):
    shown = await client(providing).get("/api/v1/auth/providers")

    assert shown.json() == {"items": [{"name": "lab", "title": "Lab"}, {"name": "github", "title": "GitHub"}]}
    assert (await nobody.get("/api/v1/auth/providers")).json() == {"items": []}
    unknown = await nobody.get(f"/api/v1/auth/lab/authorize?redirect_to=x&code_challenge={43 * 'A'}")
    assert unknown.status_code == 404


async def test_who_signs_in_for_the_first_time_gets_an_account_and_then_comes_back_to_it(
    providing: Gateway, peer: Peer
):
    first = await session(browser(providing, peer))
    again = await session(browser(providing, peer))

    assert set(first) == {"user", "access_token", "token_type", "expires_at"}
    assert set(first["user"]) == USER_FIELDS
    assert first["user"]["email"] == "ada@example.com"
    assert first["user"]["email_verified"] is True
    assert first["user"]["name"] == "Ada Lovelace"
    assert again["user"]["id"] == first["user"]["id"]
    http = client(providing, bearer(again))
    assert (await http.post("/api/v1/tasks", json={"title": "Buy milk"})).status_code == 201
    assert providing.services is not None
    await providing.services.journal.flush()
    kinds = [each["kind"] for each in (await http.get(ACTIVITY)).json()["items"]]
    assert kinds == ["sign_in", "sign_in", "sign_up"]


async def test_two_who_come_at_once_with_one_identity_share_one_account(providing: Gateway, peer: Peer):
    found = await asyncio.gather(*(session(browser(providing, peer)) for _ in range(4)))

    assert len({each["user"]["id"] for each in found}) == 1


async def test_a_code_works_once_and_only_with_its_verifier(providing: Gateway, peer: Peer):
    there = browser(providing, peer)
    await there.sign_in()

    stolen = await there.exchange(verifier="x" * 43)
    answers = await asyncio.gather(*(there.exchange() for _ in range(5)))

    assert (stolen.status_code, stolen.json()["code"]) == (410, "link_over")
    assert sorted(each.status_code for each in answers) == [200, 410, 410, 410, 410]
    assert (await there.exchange()).json()["code"] == "link_over"


async def test_an_e_mail_that_the_provider_has_not_verified_is_nobodys(providing: Gateway, peer: Peer):
    peer.changes = {"email_verified": False}

    user = (await session(browser(providing, peer)))["user"]

    assert (user["email"], user["email_verified"]) == ("ada@example.com", False)
    body = {"email": "ada@example.com", "password": PASSWORD, "name": "Ada"}
    assert (await client(providing).post("/api/v1/auth/signup", json=body)).status_code == 201


async def test_an_e_mail_is_the_accounts_alone_once_it_is_confirmed(providing: Gateway, peer: Peer):
    peer.changes = {"email_verified": False}
    user = (await session(browser(providing, peer)))["user"]
    assert providing.services is not None

    await users.confirm(providing.services.database, user["id"])

    body = {"email": "ADA@example.com", "password": PASSWORD, "name": "Ada"}
    assert (await client(providing).post("/api/v1/auth/signup", json=body)).json()["code"] == "email_taken"


async def test_nobody_gets_an_account_by_its_e_mail_from_a_provider_that_is_not_trusted(
    providing: Gateway, peer: Peer, ada: Person
):
    assert await browser(providing, peer).sign_in() == {"error": "account_exists"}

    assert (await ada.http.get("/api/v1/auth/me")).status_code == 200


@pytest.mark.parametrize("verified_by", ["us", "them"])
async def test_an_e_mail_links_only_where_it_is_verified_on_both_sides(
    trusting: Gateway, peer: Peer, verified_by: str
):
    await arrive(trusting, "ada", is_confirmed=verified_by == "us")
    peer.changes = {"email_verified": verified_by == "them"}

    assert await browser(trusting, peer).sign_in() == {"error": "account_exists"}


async def test_an_account_that_a_trusted_provider_links_loses_its_password_and_every_token(
    trusting: Gateway, peer: Peer
):
    ada = await arrive(trusting, "ada")
    assert (await ada.http.get("/api/v1/auth/me")).status_code == 200

    there = await session(browser(trusting, peer))

    assert there["user"]["id"] == ada.id
    assert (await client(trusting, bearer(there)).get("/api/v1/auth/me")).status_code == 200
    await asyncio.sleep(2)
    assert (await ada.http.get("/api/v1/auth/me")).json()["code"] == "invalid_token"
    login = await client(trusting).post("/api/v1/auth/login", json={"email": ada.email, "password": PASSWORD})
    assert login.json()["code"] == "invalid_credentials"


async def test_a_disabled_account_is_not_let_in(providing: Gateway, peer: Peer):
    there = browser(providing, peer)
    user = (await session(there))["user"]
    assert providing.services is not None
    await users.disable(providing.services.database, user["id"])

    await there.sign_in()

    assert (await there.exchange()).status_code == 403


async def test_what_the_id_token_does_not_say_the_userinfo_does(providing: Gateway, peer: Peer):
    peer.userinfo = {"email": "ada@example.com", "email_verified": True}

    assert (await session(browser(providing, peer)))["user"]["email"] == "ada@example.com"


@pytest.mark.parametrize("verified", [True, False])
async def test_github_says_by_its_api_who_it_is(providing: Gateway, peer: Peer, verified):
    other = {"email": "work@example.com", "primary": False, "verified": True}
    primary = {"email": "ada@example.com", "primary": True, "verified": verified}
    peer.github = {"/user": {"id": 4711, "login": "ada", "name": None}, "/user/emails": [other, primary]}

    user = (await session(browser(providing, peer, "github")))["user"]

    assert (user["name"], user["email"], user["email_verified"]) == ("ada", "ada@example.com", verified)


async def test_github_refuses_a_code_that_is_not_its_own(providing: Gateway, peer: Peer):
    there = browser(providing, peer, "github")
    brought = peer.approve((await there.leave()).headers["location"])

    assert await there.come_back(**(brought | {"code": "another"})) == {"error": "provider_refused"}


async def test_the_cookie_is_the_callbacks_alone_and_names_nobody(providing: Gateway, peer: Peer):
    left = await browser(providing, peer).leave()

    cookie, *attributes = left.headers["set-cookie"].split("; ")
    assert cookie.startswith("taskwell_sign_in=")
    assert attributes == ["Max-Age=600", "Path=/api/v1/auth/lab/callback", "HttpOnly", "SameSite=Lax"]
    assert left.headers["cache-control"] == "no-store"
    assert left.headers["location"].startswith(f"{peer.url}/authorize?")


async def test_no_answer_but_authorize_sets_a_cookie(providing: Gateway, peer: Peer):
    there = browser(providing, peer)
    brought = peer.approve((await there.leave()).headers["location"])
    answers = [
        await there.http.get("/api/v1/auth/lab/callback", params=brought),
        await there.http.get("/api/v1/auth/lab/callback", params=brought),
        await there.http.get("/api/v1/auth/providers"),
        await there.leave(redirect_to="https://evil.example"),
    ]

    assert not [each for each in answers if "set-cookie" in each.headers]


async def test_over_tls_the_cookie_is_secure(app: Gateway, settings: Settings, peer: Peer):
    async with taskwell_with(settings, peer, public_url="https://test/tasks") as other:
        left = await browser(other, peer).leave()

    attributes = left.headers["set-cookie"].split("; ")
    assert {"Secure", "Path=/tasks/api/v1/auth/lab/callback"} <= set(attributes)


async def test_where_e_mails_must_be_confirmed_an_unverified_one_signs_nobody_in(
    app: Gateway, settings: Settings, peer: Peer
):
    peer.changes = {"email_verified": False}
    async with taskwell_with(settings, peer, require_verified_email=True) as other:
        there = browser(other, peer)
        await there.sign_in()

        assert (await there.exchange()).json()["code"] == "sign_in_unconfirmed"


async def test_new_accounts_and_taken_e_mails_are_counted_like_sign_ups(
    app: Gateway, settings: Settings, peer: Peer, ada: Person
):
    async with taskwell_with(settings, peer, rate_limit_per_minute=5) as other:
        backs = [await browser(other, peer).sign_in() for _ in range(6)]

    assert backs == 5 * [{"error": "account_exists"}] + [{"error": "rate_limited"}]


async def test_who_is_known_is_not_counted(app: Gateway, settings: Settings, peer: Peer):
    async with taskwell_with(settings, peer, rate_limit_per_minute=2) as other:
        backs = [await browser(other, peer).sign_in() for _ in range(6)]

    assert [set(back) for back in backs] == 6 * [{"code"}]


def test_who_sets_no_provider_imports_nothing_for_one():
    script = (
        "import asyncio, sys\n"
        "from taskwell.app import create_app\n"
        "from taskwell.settings import Settings\n"
        "async def run():\n"
        "    async with create_app(Settings(_env_file=None, database_url='sqlite:///taskwell.db')).lifespan(): pass\n"
        "asyncio.run(run())\n"
        "names = ('httpx2', 'cryptography.fernet', 'taskwell.security.openid')\n"
        "print([name for name in names if name in sys.modules])"
    )
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "[]"


async def test_who_has_a_second_factor_is_asked_for_it_after_a_provider_too(
    trusting: Gateway, peer: Peer, authenticator: Authenticator
):
    ada = await arrive(trusting, "ada")
    await authenticator.turn_on(ada)
    there = browser(trusting, peer)
    await there.sign_in()

    asked = await there.exchange()
    answered = await answer(there.http, asked.json()["challenge"], authenticator.code())

    assert (asked.status_code, asked.json()["code"]) == (401, "totp_required")
    assert answered.json()["user"]["id"] == ada.id


async def test_a_personal_token_ends_where_a_provider_takes_the_account_over(trusting: Gateway, peer: Peer):
    ada = await arrive(trusting, "ada")
    script = await script_of(trusting, ada)
    assert (await script.get("/api/v1/tasks")).status_code == 200

    await session(browser(trusting, peer))

    await asyncio.sleep(2)
    assert (await script.get("/api/v1/tasks")).status_code == 401


async def test_who_signed_in_by_a_provider_deletes_the_account_with_its_id(providing: Gateway, peer: Peer):
    there = await session(browser(providing, peer))
    http = client(providing, bearer(there))

    assert (await http.request("DELETE", "/api/v1/users/me", json={"confirm": "another"})).status_code == 422
    gone = await http.request("DELETE", "/api/v1/users/me", json={"confirm": there["user"]["id"]})

    assert gone.status_code == 204
    assert (await session(browser(providing, peer)))["user"]["id"] != there["user"]["id"]
