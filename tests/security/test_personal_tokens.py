"""What a personal token opens, and what it does not; and how a broken one is told."""

import asyncio
import time
from typing import cast
from zlib import crc32

import pytest

from taskwell import users
from taskwell.api.gateway import Gateway
from taskwell.app import create_app
from taskwell.database import Database
from taskwell.database.lanes import DatabaseFull
from taskwell.errors import InvalidToken
from taskwell.security import personal_tokens
from taskwell.settings import Settings
from tests.conftest import running
from tests.security.test_isolation_walk import _paths, belongings, everything_of
from tests.support.counting import CountingLane
from tests.support.documents import operations
from tests.support.issuer import SHARED, SUBJECT, shared_secret_token
from tests.support.people import PASSWORD, Person, client
from tests.support.personal import READ, TOKENS, WRITE, made, script, script_of

LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
ACCOUNT = (
    ("GET", TOKENS, None),
    ("POST", TOKENS, READ),
    ("DELETE", f"{TOKENS}/01938d1b-1111-7222-8333-444455556666", None),
    ("PATCH", "/api/v1/users/me", {"name": "Eve"}),
    ("DELETE", "/api/v1/users/me", {"password": "engine 1843"}),
    ("GET", "/api/v1/users/me/export", None),
    ("GET", "/api/v1/users/me/activity", None),
    ("GET", "/api/v1/users/me/webhook", None),
    ("PUT", "/api/v1/users/me/webhook", {"url": "https://example.com/"}),
    ("POST", "/api/v1/users/me/webhook/secret", None),
    ("GET", "/api/v1/users/me/deliveries", None),
    ("POST", "/api/v1/auth/logout", None),
    ("POST", "/api/auth/logout", None),
    ("POST", "/auth/signout", None),
    ("POST", "/api/v1/auth/password", {"current_password": "engine 1843", "new_password": "engine 1852"}),
    ("POST", "/api/v1/auth/email/verification", None),
    ("POST", "/api/v1/auth/totp", {"current_password": "engine 1843"}),
    ("POST", "/api/v1/auth/totp/confirm", {"code": "123456"}),
    ("DELETE", "/api/v1/auth/totp", {"current_password": "engine 1843", "code": "123456"}),
)


def by_hand(secret: str) -> str:
    """The checksum as CONTRACTS says it, calculated another way."""
    number = crc32(secret.encode())
    return "".join(LETTERS[number // 62**power % 62] for power in range(5, -1, -1))


def test_the_last_six_characters_are_the_checksum_of_the_thirty_before():
    for _ in range(200):
        text = personal_tokens.new_text()
        assert text[33:] == by_hand(text[3:33])
        assert personal_tokens.is_intact(text)


@pytest.mark.parametrize(
    "broken",
    [
        lambda text: text[:-1],
        lambda text: text + "0",
        lambda text: "tw-" + text[3:],
        lambda text: text[:10] + ("a" if text[10] != "a" else "b") + text[11:],
        lambda text: text[:-1] + ("a" if text[-1] != "a" else "b"),
        lambda text: text.swapcase(),
        lambda text: "tw_",
        lambda text: "tw_" + "é" * 36,
    ],
)
async def test_a_broken_token_is_refused_without_a_look_up(database: Database, app: Gateway, ada: Person, broken):
    text = broken((await made(ada))["token"])
    lane = CountingLane(database)

    with pytest.raises(InvalidToken) as refused:
        await users.holder_of_personal(lane, text)

    assert lane.statements == 0
    assert text not in refused.value.detail
    answer = await script(app, "x").get("/api/v1/tasks", headers={"Authorization": f"Bearer {text}".encode()})
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")


async def test_a_token_costs_one_look_up_in_a_minute_and_one_write_in_a_day(database: Database, ada: Person):
    text = (await made(ada))["token"]
    counts = []
    for _ in range(3):
        lane = CountingLane(database)
        await users.holder_of_personal(lane, text)
        counts.append(lane.statements)

    assert counts == [2, 1, 1]


async def test_many_requests_at_once_look_the_token_up_and_none_of_them_afterwards(app: Gateway, ada: Person):
    assert app.services is not None
    backup = await script_of(app, ada)
    await backup.get("/api/v1/tasks")
    identities = app.services.identities
    lane = CountingLane(app.services.database)
    before, identities._database = identities._database, cast(Database, lane)
    try:
        identities._synced_at = time.monotonic() + 60
        for _ in range(10):
            assert (await backup.get("/api/v1/tasks")).status_code == 200
    finally:
        identities._database, identities._synced_at = before, time.monotonic()

    assert lane.statements == 0


async def test_a_full_disk_keeps_no_token_from_reading(database: Database, ada: Person):
    text = (await made(ada))["token"]

    class FullDisk(CountingLane):
        async def rows(self, query, /, **values):
            if "today" in values:
                raise DatabaseFull("There is no room left to store this.")
            return await super().rows(query, **values)

    assert (await users.holder_of_personal(FullDisk(database), text)).actor.user_id == ada.id


@pytest.mark.parametrize("body", [READ, WRITE], ids=["read", "write"])
async def test_no_token_reaches_the_account(app: Gateway, ada: Person, body: dict):
    backup = await script_of(app, ada, body)

    for method, path, content in ACCOUNT:
        refused = await backup.request(method, path, json=content)
        assert refused.status_code == 403, (method, path, refused.text)
        assert refused.headers["WWW-Authenticate"] == 'Bearer error="insufficient_scope", scope="account"'
    assert (await ada.http.get("/api/v1/users/me")).json()["name"] == "Ada"


async def test_every_token_reads_who_its_user_is(app: Gateway, ada: Person):
    backup = await script_of(app, ada)

    for path in ("/api/v1/users/me", f"/api/v1/users/{ada.id}", "/api/v1/auth/me", "/api/auth/me", "/auth/me"):
        assert (await backup.get(path)).json()["email"] == ada.email


async def test_a_read_token_reads_and_writes_nothing_by_any_operation(app: Gateway, ada: Person, database: Database):
    hers = await belongings(ada)
    backup = await script_of(app, ada)
    await backup.get("/api/v1/tasks")
    before = await everything_of(database, ada.id)
    statuses: dict[str, set[int]] = {"read": set(), "write": set()}
    for operation in operations():
        if operation.is_signed_in:
            path = next(_paths(operation, [ada.id], hers.ids))
            answer = await backup.request(operation.method, path)
            statuses["read" if operation.method == "get" else "write"].add(answer.status_code)
            if answer.status_code == 403:
                assert answer.headers["WWW-Authenticate"].startswith('Bearer error="insufficient_scope"')
    assert statuses["write"] == {403}
    assert statuses["read"] >= {200}
    assert await everything_of(database, ada.id) == before


async def test_a_write_token_writes_on_every_contract(app: Gateway, ada: Person):
    tablet = await script_of(app, ada, WRITE)

    for path in (
        "/api/v1/tasks",
        f"/api/v1/users/{ada.id}/tasks",
        f"/api/v1/{ada.id}/tasks",
        f"/api/{ada.id}/tasks",
        f"/api/users/{ada.id}/todos",
    ):
        assert (await tablet.post(path, json={"title": "Buy milk"})).status_code == 201, path


@pytest.mark.parametrize("end", ["delete", "disable"])
async def test_another_process_refuses_a_token_within_two_seconds_of_its_end(
    app: Gateway, settings: Settings, database: Database, ada: Person, end: str
):
    token = await made(ada)
    async with running(create_app(settings)) as other:
        elsewhere = script(other, token["token"])
        assert (await elsewhere.get("/api/v1/tasks")).status_code == 200

        if end == "delete":
            assert (await ada.http.delete(f"{TOKENS}/{token['id']}")).status_code == 204
        else:
            await users.disable(database, ada.id)

        ends = time.monotonic() + 2
        while (await elsewhere.get("/api/v1/tasks")).status_code != 401:
            assert time.monotonic() < ends
            await asyncio.sleep(0.05)


async def test_the_token_of_a_user_who_is_gone_is_refused(app: Gateway, ada: Person):
    backup = await script_of(app, ada)
    await backup.get("/api/v1/tasks")

    await ada.http.request("DELETE", "/api/v1/users/me", json={"password": PASSWORD})

    assert (await backup.get("/api/v1/tasks")).json()["code"] == "invalid_token"


async def test_an_external_user_makes_a_token_without_a_confirmed_e_mail(settings: Settings):
    changes = {"better_auth_secret": SHARED}
    async with running(create_app(Settings(_env_file=None, **settings.model_dump() | changes))) as service:
        grace = client(service, {"Authorization": f"Bearer {shared_secret_token(SHARED, sub=SUBJECT)}"})
        answer = await grace.post(TOKENS, json=READ)
        assert answer.status_code == 201, answer.text
        backup = script(service, answer.json()["token"])
        assert (await backup.get("/api/v1/tasks")).status_code == 200
