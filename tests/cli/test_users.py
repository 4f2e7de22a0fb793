"""``taskwell users``, as an operator uses it, beside a running service."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from taskwell import users
from taskwell.api.gateway import Gateway
from taskwell.cli.main import command_line
from taskwell.database import Database, now
from taskwell.security.claims import ExternalClaims
from taskwell.settings import Settings
from tests.conftest import SECRET
from tests.support.authenticator import Authenticator
from tests.support.command import Outcome, taskwell
from tests.support.issuer import SHARED, SUBJECT, shared_secret_token
from tests.support.people import PASSWORD, Person, arrive, client
from tests.support.personal import made

NEW = "engine 1852"


async def operate(settings: Settings, folder: Path, *arguments: str, stdin: str = "") -> Outcome:
    return await asyncio.to_thread(
        taskwell, folder, "users", *arguments, stdin=stdin, DATABASE_URL=settings.database_url, SECRET_KEY=SECRET
    )


async def sign_in(app: Gateway, email: str, password: str) -> int:
    answer = await client(app).post("/api/v1/auth/login", json={"email": email, "password": password})
    if answer.status_code == 401:
        assert answer.json()["detail"] == "The e-mail or the password is wrong."
    return answer.status_code


async def test_an_account_is_made_shut_opened_and_given_another_password(app: Gateway, settings: Settings, tmp_path):
    made = await operate(settings, tmp_path, "create", "bob@example.com", "Bob", stdin=f"{PASSWORD}\n")
    assert made.code == 0, made
    user_id = made.output.strip()
    token = (
        await client(app).post("/api/v1/auth/login", json={"email": "bob@example.com", "password": PASSWORD})
    ).json()["access_token"]
    bob = client(app, {"Authorization": f"Bearer {token}"})
    assert (await bob.get("/api/v1/users/me")).json()["id"] == user_id

    shut = await operate(settings, tmp_path, "disable", "BOB@example.com")
    assert (shut.code, shut.output) == (0, "bob@example.com is disabled.\n")
    await asyncio.sleep(1.1)
    assert (await bob.get("/api/v1/tasks")).status_code == 401
    assert await sign_in(app, "bob@example.com", PASSWORD) == 401

    assert (await operate(settings, tmp_path, "enable", user_id)).code == 0
    assert (await bob.get("/api/v1/tasks")).status_code == 200

    changed = await operate(settings, tmp_path, "set-password", "bob@example.com", stdin=NEW)
    assert (changed.code, changed.output) == (0, "bob@example.com has a new password.\n")
    await asyncio.sleep(1.1)
    assert (await bob.get("/api/v1/tasks")).status_code == 401
    assert [await sign_in(app, "bob@example.com", password) for password in (PASSWORD, NEW)] == [401, 200]


async def test_an_e_mail_is_confirmed_by_the_operator(app: Gateway, settings: Settings, tmp_path: Path):
    bob = await arrive(app, "bob", is_confirmed=False)

    confirmed = await operate(settings, tmp_path, "verify", "BOB@example.com")

    assert (confirmed.code, confirmed.output) == (0, "bob@example.com is confirmed.\n")
    assert (await bob.http.get("/api/v1/users/me")).json()["email_verified"] is True
    events = (await bob.http.get("/api/v1/users/me/activity")).json()["items"]
    assert [event["kind"] for event in events] == ["email_verified"]


async def test_a_reset_link_is_printed_and_sets_another_password_once(
    app: Gateway, settings: Settings, ada: Person, tmp_path: Path
):
    printed = await operate(settings, tmp_path, "reset-link", "ADA@example.com")

    assert printed.code == 0, printed
    page, _, token = printed.output.strip().partition("?token=")
    assert page == "http://127.0.0.1:8000/account/reset-password"
    body = {"token": token, "new_password": NEW}
    answers = [await client(app).post("/api/v1/auth/password/reset", json=body) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [204, 410]
    assert [await sign_in(app, ada.email, password) for password in (PASSWORD, NEW)] == [401, 200]


async def test_there_is_no_reset_link_for_an_account_that_is_disabled(
    settings: Settings, database: Database, ada: Person, tmp_path: Path
):
    await users.disable(database, ada.id)

    refused = await operate(settings, tmp_path, "reset-link", ada.email)

    assert (refused.code, refused.output) == (1, "")
    assert "disabled" in refused.complaint


async def test_an_account_is_signed_out_everywhere(app: Gateway, settings: Settings, ada: Person, tmp_path: Path):
    assert (await ada.http.get("/api/v1/tasks")).status_code == 200

    done = await operate(settings, tmp_path, "sign-out", ada.email)

    assert (done.code, done.output) == (0, "ada@example.com is signed out everywhere.\n")
    await asyncio.sleep(1.1)
    assert (await ada.http.get("/api/v1/tasks")).status_code == 401
    assert await sign_in(app, ada.email, PASSWORD) == 200


async def test_accounts_are_listed_and_removed(settings: Settings, ada: Person, eve: Person, tmp_path: Path):
    await ada.http.post("/api/v1/tasks", json={"title": "x"})

    lines = (await operate(settings, tmp_path, "list")).output.splitlines()
    assert [ada.id in lines[0], eve.id in lines[1], len(lines)] == [True, True, 2]
    assert "active" in lines[0]
    first = json.loads((await operate(settings, tmp_path, "list", "--json")).output.splitlines()[0])
    assert (first["email"], first["issuer"]) == ("ada@example.com", None)

    assert (await operate(settings, tmp_path, "delete", ada.email, stdin="n\n")).code == 1
    assert (await ada.http.get("/api/v1/tasks")).status_code == 200
    gone = await operate(settings, tmp_path, "delete", ada.email, "--yes")
    assert (gone.code, gone.output) == (0, "ada@example.com is gone.\n")
    await asyncio.sleep(1.1)
    assert (await ada.http.get("/api/v1/tasks")).status_code == 401
    assert (await eve.http.get("/api/v1/tasks")).status_code == 200


async def test_a_user_of_better_auth_is_named_by_the_id_there(database: Database, settings: Settings, tmp_path: Path):
    for issuer, subject in (("a", SUBJECT), ("a", "twin"), ("b", "twin")):
        claims = ExternalClaims(issuer, subject, f"{issuer}{subject}", now(), now() + timedelta(days=1), None, "Bob")
        assert await users.holder_of(database, claims) is not None

    shut = await operate(settings, tmp_path, "disable", SUBJECT)
    twin = await operate(settings, tmp_path, "disable", "twin")

    assert (shut.code, shut.output) == (0, "Bob is disabled.\n")
    assert twin.complaint.startswith("taskwell: More than one account has the e-mail or id twin")


async def test_everything_that_is_wrong_is_told_at_once(settings: Settings, tmp_path: Path):
    outcome = await operate(settings, tmp_path, "create", "notanemail", "", stdin=PASSWORD)

    (line,) = outcome.complaint.splitlines()
    assert line.startswith("taskwell: email: ")
    assert "; name: " in line


@pytest.mark.parametrize(
    ("arguments", "stdin", "words"),
    [
        (("create", "ada@example.com", "Ada"), PASSWORD, "exists already"),
        (("create", "bob", "Bob"), PASSWORD, "email"),
        (("set-password", "ada@example.com"), "password1", "most common"),
        (("disable", "nobody@example.com"), "", "no account with the e-mail or id"),
        (("enable", "01938d1b-1111-7222-8333-444455556666"), "", "no account with the e-mail or id"),
    ],
)
async def test_what_cannot_be_done_is_one_line(
    settings: Settings, ada: Person, tmp_path: Path, arguments: tuple[str, ...], stdin: str, words: str
):
    outcome = await operate(settings, tmp_path, *arguments, stdin=stdin)

    assert outcome.code == 1
    (line,) = outcome.complaint.splitlines()
    assert line.startswith("taskwell: ")
    assert words in line
    assert not stdin or stdin not in line


def test_a_password_is_never_an_argument(tmp_path: Path):
    outcome = taskwell(tmp_path, "users", "create", "bob@example.com", "Bob", PASSWORD)

    assert outcome.code == 2
    assert "Traceback" not in outcome.complaint


@pytest.mark.parametrize("command", ["list", "create", "disable", "enable", "set-password", "delete", "events"])
def test_every_command_shows_an_example(command: str):
    assert (
        f"Example: taskwell users {command}"
        in CliRunner().invoke(command_line("users"), ["users", command, "--help"]).output
    )


def test_a_token_of_better_auth_is_shown(tmp_path: Path):
    settings = {"SECRET_KEY": SECRET, "BETTER_AUTH_SECRET": SHARED}
    token = shared_secret_token(SHARED, sub="kX3vQm0Zb1Tn7YcW", iss="https://app.example.com")

    outcome = taskwell(tmp_path, "token", "inspect", "-", stdin=token, **settings)

    assert outcome.code == 0, outcome
    assert "kX3vQm0Zb1Tn7YcW" in outcome.output
    assert "https://app.example.com" in outcome.output
    assert taskwell(tmp_path, "token", "inspect", token[:-3], **settings).code == 1


async def test_the_operator_lists_tokens_and_turns_a_second_factor_off(
    app: Gateway, settings: Settings, ada: Person, authenticator: Authenticator, tmp_path
):
    token = await made(ada)
    await authenticator.turn_on(ada)

    listed = await operate(settings, tmp_path, "tokens", ada.email)
    assert listed.code == 0
    assert listed.output.split()[0] == token["id"]
    assert "never" in listed.output
    assert listed.output.endswith("read        Backup script\n")
    assert token["token"] not in listed.output

    assert (await operate(settings, tmp_path, "disable-totp", ada.email)).output.endswith("signs in without codes.\n")
    assert await sign_in(app, ada.email, PASSWORD) == 200
    again = await operate(settings, tmp_path, "disable-totp", ada.email)
    assert again.code == 1
    assert "signs in without codes already" in again.complaint
