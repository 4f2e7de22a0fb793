"""Accounts as the todos contract has them, under ``/api/auth``."""

import httpx2
import pytest

from tests.support.people import PASSWORD, USER_FIELDS, Person
from tests.support.todos import told

NEW_ACCOUNT = {"email": "bob@example.com", "password": PASSWORD, "name": "Bob"}
JSON = {"Content-Type": "application/json"}


async def test_signing_up_in_and_out(nobody: httpx2.AsyncClient):
    signed_up = await nobody.post("/api/auth/signup", json=NEW_ACCOUNT | {"confirm_password": PASSWORD})
    assert signed_up.status_code == 201
    user = signed_up.json()["user"]
    assert set(user) == USER_FIELDS

    signed_in = await nobody.post("/api/auth/login", json=NEW_ACCOUNT)
    assert signed_in.status_code == 200
    session = signed_in.json()
    assert set(session) == {"user", "access_token", "token", "token_type", "expires_at"}
    assert (session["user"], session["token_type"]) == (user, "bearer")

    token = {"Authorization": f"Bearer {session['access_token']}"}
    assert (await nobody.get("/api/auth/me", headers=token)).json() == user
    assert list((await nobody.post("/api/auth/logout", headers=token)).json()) == ["message"]
    refused = await nobody.get("/api/auth/me", headers=token)
    assert refused.status_code == 401
    assert 'error="invalid_token"' in refused.headers["WWW-Authenticate"]
    assert told(refused) == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"password": "short1"}, "password"),
        ({"password": "onlyletters"}, "password"),
        ({"password": 12345678}, "password"),
        ({"email": "nobody"}, "email"),
        ({"name": "B"}, "name"),
    ],
)
async def test_signing_up_with_a_broken_rule_is_400(nobody: httpx2.AsyncClient, change: dict, field: str):
    answer = await nobody.post("/api/auth/signup", json=NEW_ACCOUNT | change)

    assert answer.status_code == 400
    assert told(answer) == [field]


async def test_other_failures_of_accounts_have_the_statuses_of_the_contract(nobody: httpx2.AsyncClient, ada: Person):
    without_name = await nobody.post("/api/auth/signup", json={"email": "b@example.com", "password": PASSWORD})
    not_json = await nobody.post("/api/auth/login", content=b"{", headers=JSON)
    taken = await nobody.post("/api/auth/signup", json=NEW_ACCOUNT | {"email": ada.email.upper()})
    wrong = await nobody.post("/api/auth/login", json={"email": ada.email, "password": "wrong 1234"})

    assert [without_name.status_code, told(without_name)] == [422, ["name"]]
    assert [not_json.status_code, told(not_json)] == [422, ["body"]]
    assert [taken.status_code, told(taken)] == [409, []]
    assert [wrong.status_code, told(wrong)] == [401, []]
