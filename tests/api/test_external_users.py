"""Users of Better Auth: they get in at once, everywhere, as themselves and as nobody else."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from sqlalchemy import func, select, update

from taskwell import users
from taskwell.api.gateway import Gateway
from taskwell.app import create_app
from taskwell.database import Database, Query, now
from taskwell.errors import Forbidden
from taskwell.settings import Settings
from taskwell.users import by_email_or_id, disable, enable, set_password
from taskwell.users.tables import ExternalIdentityRow, RevokedTokenRow, UserRow
from tests.conftest import running
from tests.support.issuer import SHARED, SUBJECT, Issuer, shared_secret_token
from tests.support.people import Person, client

BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
USERS: Query[int] = Query(select(func.count()).select_from(UserRow), int)
IDENTITIES: Query[int] = Query(select(func.count()).select_from(ExternalIdentityRow), int)


@pytest.fixture
async def issuer():
    async with Issuer() as issuer:
        yield issuer


@pytest.fixture
async def service(app: Gateway, settings: Settings, issuer: Issuer) -> AsyncIterator[Gateway]:
    """Another process of the deployment, which also takes Better Auth's tokens."""
    changes = {"better_auth_url": issuer.url, "better_auth_secret": SHARED}
    async with running(create_app(Settings(_env_file=None, **settings.model_dump() | changes))) as service:
        yield service


def bearing(service: Gateway, token: str) -> httpx2.AsyncClient:
    return client(service, {"Authorization": f"Bearer {token}"})


async def test_a_users_token_works_on_every_contract(service: Gateway, issuer: Issuer):
    grace = bearing(service, issuer.token())

    made = await grace.post(f"/api/{SUBJECT}/tasks", json={"title": "Buy milk"})
    assert made.status_code == 201
    for path in ("/api/v1/tasks", f"/api/v1/users/{SUBJECT}/tasks"):
        (task,) = (await grace.get(path)).json()["items"]
        assert task["title"] == "Buy milk"
        assert task["user_id"] == SUBJECT
    (task,) = (await grace.get(f"/api/{SUBJECT}/tasks")).json()
    assert task["id"] == made.json()["id"]
    assert (await grace.get(f"/api/users/{SUBJECT}/todos")).json()["total"] == 1
    assert (await grace.get("/api/v1/auth/me")).json()["id"] == SUBJECT
    assert (await grace.get("/api/auth/me")).json()["id"] == SUBJECT


async def test_a_user_appears_as_the_issuer_describes_them(service: Gateway, issuer: Issuer):
    me = (await bearing(service, issuer.token()).get("/api/v1/users/me")).json()

    assert (me["email"], me["name"], me["time_zone"]) == ("grace@example.com", "Grace Hopper", "UTC")


@pytest.mark.parametrize(
    ("claims", "email", "name"),
    [
        ({"email": None, "name": None}, None, SUBJECT),
        ({"email": None, "name": "  Grace\n\x00 Hopper\t"}, None, "Grace Hopper"),
        ({"email": "not an e-mail", "name": ""}, None, "not an e-mail"),
        ({"email": "g@example.com", "name": 7}, "g@example.com", "g"),
        ({"email": f"{'g' * 300}@example.com", "name": "x" * 500}, None, "x" * 100),
        ({"email": ["g@example.com"], "name": {"a": 1}}, None, SUBJECT),
    ],
)
async def test_whatever_the_issuer_says_of_a_user_is_no_obstacle(
    service: Gateway, issuer: Issuer, claims: dict, email: str | None, name: str
):
    me = (await bearing(service, issuer.token(**claims)).get("/api/v1/users/me")).json()

    assert (me["email"], me["name"]) == (email, name)


@pytest.mark.parametrize("subject", ["x" * 255, "a/b?c#d", "ümläut 🦊", "'; DROP TABLE users; --", "me", "%00", "-"])
async def test_any_subject_is_a_user(service: Gateway, issuer: Issuer, subject: str):
    grace = bearing(service, issuer.token(sub=subject))

    assert (await grace.post("/api/v1/tasks", json={"title": "x"})).json()["user_id"] == subject
    assert (await grace.get("/api/v1/users/me")).json()["id"] == subject


async def test_twenty_first_requests_at_once_make_one_user(service: Gateway, issuer: Issuer, database: Database):
    tokens = [issuer.token(exp=int(time.time()) + 100 + n) for n in range(20)]

    answers = await asyncio.gather(
        *(bearing(service, token).post("/api/v1/tasks", json={"title": "x"}) for token in tokens)
    )

    assert [answer.status_code for answer in answers] == [201] * 20
    assert await database.row(USERS) == 1
    assert await database.row(IDENTITIES) == 1
    page = (await bearing(service, tokens[0]).get("/api/v1/tasks", params={"include_total": "true"})).json()
    assert page["total"] == 20


async def test_an_e_mail_never_links_to_a_local_account(service: Gateway, issuer: Issuer, ada: Person):
    await ada.http.post("/api/v1/tasks", json={"title": "Ada's own"})
    impostor = bearing(service, issuer.token(email=ada.email, name="Ada"))

    assert (await impostor.get("/api/v1/tasks")).json()["items"] == []
    assert (await impostor.get(f"/api/v1/{ada.id}/tasks")).status_code == 403
    assert (await impostor.get("/api/v1/users/me")).json()["email"] == ada.email

    newcomer = {"email": "grace@example.com", "password": "engine 1843", "name": "Grace"}
    await bearing(service, issuer.token(sub="another")).get("/api/v1/users/me")
    assert (await client(service).post("/api/v1/auth/signup", json=newcomer)).status_code == 201


async def test_a_local_users_id_as_subject_opens_nothing_of_theirs(service: Gateway, issuer: Issuer, ada: Person):
    task = (await ada.http.post("/api/v1/tasks", json={"title": "Ada's own"})).json()
    impostor = bearing(service, issuer.token(sub=ada.id))

    assert (await impostor.get(f"/api/v1/{ada.id}/tasks")).json() == []
    assert (await impostor.get(f"/api/v1/tasks/{task['id']}")).status_code == 404
    assert (await leave(impostor, ada.id)).status_code == 204
    assert (await ada.http.get("/api/v1/tasks")).json()["items"] == [task]


async def test_the_shared_secret_is_for_the_same_users(service: Gateway, issuer: Issuer):
    by_key = bearing(service, issuer.token())
    by_secret = bearing(service, shared_secret_token(SHARED, user_id=SUBJECT))

    task = (await by_key.post("/api/v1/tasks", json={"title": "x"})).json()

    assert (await by_secret.get(f"/api/{SUBJECT}/tasks/{task['id']}")).status_code == 200


async def test_a_user_without_a_password_does_not_sign_in_or_change_it(service: Gateway, issuer: Issuer):
    grace = bearing(service, issuer.token())
    await grace.get("/api/v1/users/me")

    change = {"current_password": "engine 1843", "new_password": "engine 1852"}
    refused = await grace.post("/api/v1/auth/password", json=change)
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    login = {"email": "grace@example.com", "password": "engine 1843"}
    assert (await client(service).post("/api/v1/auth/login", json=login)).status_code == 401


async def test_logout_refuses_the_token_whoever_issued_it(service: Gateway, issuer: Issuer):
    each: dict[str, Any] = {}
    for changes in (each, {"jti": "one"}):
        token = issuer.token(**changes, sub=f"s{changes}")
        grace = bearing(service, token)
        other = bearing(service, issuer.token(**changes | {"jti": "two"}, sub=f"s{changes}"))
        await other.get("/api/v1/users/me")

        assert (await grace.post("/api/v1/auth/logout")).status_code == 200

        assert (await grace.get("/api/v1/users/me")).status_code == 401
        assert (await other.get("/api/v1/users/me")).status_code == 200


async def test_a_signed_out_token_stays_so_however_it_is_spelled(service: Gateway, issuer: Issuer):
    token = issuer.token()
    await bearing(service, token).post("/api/v1/auth/logout")

    last = BASE64URL.index(token[-1])
    twins = [token[:-1] + BASE64URL[last ^ unused] for unused in range(1, 16)]  # Ed25519: 512 bits in 86 letters
    for spelling in (token, f"{token}=", f"{token}==", f"{token}!", *twins):
        answer = await bearing(service, spelling).get("/api/v1/auth/me")
        assert answer.status_code == 401, spelling[len(token) - 1 :]


async def leave(person: httpx2.AsyncClient, confirm: object = SUBJECT) -> httpx2.Response:
    return await person.request("DELETE", "/api/v1/users/me", json={"confirm": confirm})


async def test_deletion_needs_the_own_id_and_no_password(service: Gateway, issuer: Issuer, database: Database):
    grace = bearing(service, issuer.token())
    await grace.post("/api/v1/tasks", json={"title": "x"})
    own_id = await database.row(Query(select(UserRow.id), str))

    for body in (None, {}, {"confirm": None}, {"password": "engine 1843"}, {"confirm": ""}, {"confirm": "another"}):
        refused = await grace.request("DELETE", "/api/v1/users/me", json=body)
        assert (refused.status_code, [each["field"] for each in refused.json()["errors"]]) == (422, ["confirm"])
    assert len((await grace.get("/api/v1/tasks")).json()["items"]) == 1

    assert (await leave(grace, own_id)).status_code == 204
    assert await database.row(USERS) == 0


@pytest.mark.parametrize("ago", [60, 3, 1])
async def test_deletion_refuses_every_older_token(service: Gateway, issuer: Issuer, database: Database, ago: int):
    before = int(time.time()) - ago
    used, unused = issuer.token(), issuer.token(iat=before, exp=before + 10 * 365 * 86_400)
    grace = bearing(service, used)
    await grace.post("/api/v1/tasks", json={"title": "x"})

    assert (await leave(grace)).status_code == 204

    for _ in range(2):
        assert (await bearing(service, unused).get("/api/v1/tasks")).status_code == 401
        await age_revocations(database, days=0)
        await users.purge_revoked(database, 1_000)
    assert await database.row(USERS) == 0
    again = bearing(service, issuer.token(exp=int(time.time()) + 800))
    assert (await again.get("/api/v1/tasks")).json()["items"] == []
    assert await database.row(USERS) == 1


async def age_revocations(database: Database, days: int) -> None:
    """As if the deletion were so long ago, and all had run out since but what is kept for ever."""
    ran_out, is_passing = now() - timedelta(days=1), RevokedTokenRow.expires_at < now() + timedelta(days=3_650)
    await database.rows(Query(update(RevokedTokenRow).where(is_passing).values(expires_at=ran_out), lambda *_: None))
    if days:
        at = now() - timedelta(days=days)
        await database.rows(Query(update(RevokedTokenRow).values(revoked_at=at), lambda *_: None))


@pytest.mark.parametrize(("days", "status"), [(0, 401), (29, 401), (31, 200)])
async def test_deletion_refuses_tokens_without_an_instant_for_thirty_days(
    service: Gateway, database: Database, days: int, status: int
):
    used, unused = (shared_secret_token(SHARED, sub=SUBJECT, jti=name) for name in ("used", "unused"))
    grace = bearing(service, used)
    await grace.post("/api/v1/tasks", json={"title": "x"})
    await bearing(service, unused).get("/api/v1/tasks")

    assert (await leave(grace)).status_code == 204
    await age_revocations(database, days)
    await users.purge_revoked(database, 1_000)

    answer = await bearing(service, unused).get("/api/v1/tasks")
    assert answer.status_code == status
    assert await database.row(USERS) == (status == 200)


async def test_a_disabled_user_is_refused_and_an_enabled_one_is_not(
    service: Gateway, issuer: Issuer, database: Database
):
    grace = bearing(service, issuer.token())
    await grace.post("/api/v1/tasks", json={"title": "x"})
    user_id = await database.row(Query(select(UserRow.id), str))
    assert user_id is not None

    await disable(database, user_id)
    for _ in range(40):
        if (await grace.get("/api/v1/tasks")).status_code == 401:
            break
        await asyncio.sleep(0.05)
    assert (await bearing(service, issuer.token(jti="new")).get("/api/v1/tasks")).status_code == 401

    await enable(database, user_id)
    assert len((await grace.get("/api/v1/tasks")).json()["items"]) == 1


async def test_a_hostile_token_is_a_401_in_the_contracts_shape(service: Gateway, issuer: Issuer):
    for path, shape in (("/api/v1/tasks", "code"), (f"/api/{SUBJECT}/tasks", "detail"), ("/api/auth/me", "error")):
        for token in (
            issuer.token(iss="https://evil.example"),
            issuer.token(header={"kid": "unknown"}),
            "x" * 65_536,
        ):
            answer = await bearing(service, token).get(path)

            assert answer.status_code == 401
            assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
            assert shape in answer.json()


async def test_keys_that_cannot_be_had_yet_are_a_503(service: Gateway, issuer: Issuer):
    token = issuer.token()
    await issuer.stop()

    answer = await bearing(service, token).get("/api/v1/tasks")

    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0


async def test_the_operator_gives_nobody_a_password_whose_account_another_service_keeps(
    service: Gateway, issuer: Issuer, database: Database
):
    assert (await bearing(service, issuer.token()).get("/api/v1/auth/me")).status_code == 200
    grace = await by_email_or_id(database, (await database.rows(Query(select(UserRow.id), str)))[0])

    with pytest.raises(Forbidden, match="Another service keeps this account"):
        await set_password(database, grace, "engine 1843 difference")
