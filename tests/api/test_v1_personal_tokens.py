"""v1: personal tokens are made, listed and deleted."""

import asyncio
import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from taskwell.api.gateway import Gateway
from taskwell.database import Database, Query, now
from taskwell.mail.tables import MailRow
from taskwell.users.personal_tokens import MAX_TOKENS
from taskwell.users.tables import ApiTokenRow, IdempotencyKeyRow, UserRow
from tests.support.people import PASSWORD, Person, arrive
from tests.support.personal import READ, TOKENS, WRITE, made, script, script_of

SPACES, TASKS = "/api/v1/spaces", "/api/v1/tasks"
FORM = re.compile(r"tw_[0-9A-Za-z]{36}")
FIELDS = {"id", "name", "scopes", "space_ids", "expires_at", "last_used_on", "created_at"}
MAILS: Query[tuple[str, str]] = Query(select(MailRow.kind, MailRow.email), lambda *columns: columns)


async def test_a_token_is_told_once_and_listed_without_its_text(app: Gateway, ada: Person):
    token = await made(ada)

    assert FORM.fullmatch(token["token"])
    assert token.keys() == FIELDS | {"token"}
    assert (token["name"], token["scopes"], token["space_ids"]) == ("Backup script", ["read"], None)
    listed = await ada.http.get(TOKENS)
    assert listed.json() == {"items": [{name: token[name] for name in FIELDS}]}
    assert listed.headers["Cache-Control"] == "no-store"


KEY: dict[str, Any] = {"Idempotency-Key": "token-1"}


async def test_only_the_hash_of_a_token_is_stored(database: Database, ada: Person):
    token = (await made(ada, **KEY))["token"]

    rows: Query[Any] = Query(select(ApiTokenRow.__table__), lambda *row: row)
    kept: Query[bytes] = Query(select(IdempotencyKeyRow.response), bytes)
    assert token not in repr(await database.rows(rows)) + repr(await database.rows(kept))


async def test_a_repeat_of_the_request_makes_no_second_token_and_tells_none(ada: Person):
    first = await made(ada, **KEY)
    again = await ada.http.post(TOKENS, json=READ, headers={"Idempotency-Key": "token-1"})

    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (201, "true")
    assert again.json() == first | {"token": None}
    assert len((await ada.http.get(TOKENS)).json()["items"]) == 1


async def test_the_day_of_the_last_use_is_shown(app: Gateway, ada: Person):
    await (await script_of(app, ada)).get("/api/v1/tasks")

    (listed,) = (await ada.http.get(TOKENS)).json()["items"]
    assert listed["last_used_on"] == now().date().isoformat()


async def test_a_deleted_token_is_refused_at_once(app: Gateway, ada: Person):
    token = await made(ada)
    backup = script(app, token["token"])
    assert (await backup.get("/api/v1/tasks")).status_code == 200

    assert (await ada.http.delete(f"{TOKENS}/{token['id']}")).status_code == 204

    refused = await backup.get("/api/v1/tasks")
    assert (refused.status_code, refused.json()["code"]) == (401, "invalid_token")
    assert 'error="invalid_token"' in refused.headers["WWW-Authenticate"]
    assert (await ada.http.delete(f"{TOKENS}/{token['id']}")).status_code == 404


async def test_nobody_deletes_or_lists_the_tokens_of_somebody_else(ada: Person, eve: Person):
    token = await made(ada)

    assert (await eve.http.get(TOKENS)).json() == {"items": []}
    assert (await eve.http.delete(f"{TOKENS}/{token['id']}")).status_code == 404
    assert len((await ada.http.get(TOKENS)).json()["items"]) == 1


async def test_a_user_has_fifty_tokens_at_most_however_many_are_made_at_once(ada: Person):
    for _ in range(MAX_TOKENS - 1):
        await made(ada)

    answers = await asyncio.gather(*(ada.http.post(TOKENS, json=READ) for _ in range(4)))

    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"limit_reached"}


async def test_an_unconfirmed_user_makes_no_token(app: Gateway):
    bob = await arrive(app, "bob", is_confirmed=False)

    refused = await bob.http.post(TOKENS, json=READ)

    assert (refused.status_code, refused.json()["code"]) == (409, "email_unverified")


async def test_the_owner_is_told_by_mail(database: Database, ada: Person):
    await made(ada)

    assert await database.rows(MAILS) == [("token_made", ada.email)]


async def test_a_token_may_be_confined_to_spaces_of_its_user_and_to_no_other(ada: Person, eve: Person):
    family = (await ada.http.post(SPACES, json={"name": "Family"})).json()["id"]
    named = [family.upper(), "personal", ada.id]
    assert (await made(ada, READ | {"space_ids": named}))["space_ids"] == sorted([ada.id, family])
    for foreign in (eve.id, "01938d1b-1111-7222-8333-444455556666", "no id"):
        refused = await ada.http.post(TOKENS, json=READ | {"space_ids": [ada.id, foreign]})
        assert (refused.status_code, refused.json()["code"]) == (404, "not_found")


async def test_a_confined_token_finds_no_space_but_its_own_in_any_contract(app: Gateway, ada: Person):
    family, team = [(await ada.http.post(SPACES, json={"name": name})).json()["id"] for name in ("Family", "Team")]
    secret = (await ada.http.post(TASKS, json={"title": "Gift"})).json()["id"]
    tablet = await script_of(app, ada, WRITE | {"space_ids": [family]})
    milk = (await tablet.post(f"{TASKS}?space={family}", json={"title": "Milk"})).json()["id"]

    hidden = [TASKS, f"{TASKS}/{secret}", f"/api/v1/users/me/tasks/{secret}", "/api/v1/lists", "/api/v1/tags"]
    hidden += [f"{TASKS}?space={space}" for space in (team, "personal", ada.id)]
    hidden += [f"{TASKS}?space={family}&space={team}", f"{SPACES}/{team}", f"{SPACES}/personal"]
    hidden += [f"/api/v1/{ada.id}/tasks", f"/api/{ada.id}/tasks", f"/api/users/{ada.id}/todos"]
    for path in hidden:
        assert (await tablet.get(path)).status_code == 404, path
    moved = await tablet.post(f"{TASKS}/{milk}/move?space={family}", json={"space_id": "personal"})
    assert (moved.status_code, moved.json()["detail"]) == (404, "There is no such space.")
    assert (await tablet.post(TASKS, json={"title": "Cake"})).status_code == 404
    assert [each["id"] for each in (await tablet.get(f"{TASKS}?space=all")).json()["items"]] == [milk]
    assert [each["id"] for each in (await tablet.get(SPACES)).json()["items"]] == [family]


async def test_a_confined_token_gets_no_answer_that_another_one_had(app: Gateway, ada: Person):
    family = (await ada.http.post(SPACES, json={"name": "Family"})).json()["id"]
    body = {"title": "Gift"}
    assert (await ada.http.post(TASKS, json=body, headers=KEY)).status_code == 201

    tablet = await script_of(app, ada, WRITE | {"space_ids": [family]})

    assert (await tablet.post(TASKS, json=body, headers=KEY)).status_code == 404


async def test_a_personal_token_reaches_neither_members_nor_invitations(app: Gateway, ada: Person):
    family = (await ada.http.post(SPACES, json={"name": "Family"})).json()["id"]
    invitation = (await ada.http.post(f"{SPACES}/{family}/invitations", json={"role": "owner"})).json()
    tablet = await script_of(app, ada, WRITE)

    for method, path, body in (
        ("GET", f"{SPACES}/{family}/members", None),
        ("PATCH", f"{SPACES}/{family}/members/{ada.id}", {"role": "owner"}),
        ("DELETE", f"{SPACES}/{family}/members/{ada.id}", None),
        ("GET", f"{SPACES}/{family}/invitations", None),
        ("POST", f"{SPACES}/{family}/invitations", {"role": "owner"}),
        ("DELETE", f"{SPACES}/{family}/invitations/{invitation['id']}", None),
        ("POST", "/api/v1/invitations/accept", {"token": invitation["token"]}),
    ):
        refused = await tablet.request(method, path, json=body)
        assert (refused.status_code, refused.json()["code"]) == (403, "insufficient_scope"), path


async def test_a_token_ends_when_it_was_made_to(app: Gateway, database: Database, ada: Person):
    ends = (now() + timedelta(days=1)).isoformat()
    backup = await script_of(app, ada, READ | {"expires_at": ends})
    assert (await backup.get("/api/v1/tasks")).status_code == 200
    ended = update(ApiTokenRow).values(expires_at=now() - timedelta(seconds=1))
    await database.rows(Query(ended, lambda *_: None))
    assert app.services is not None
    app.services.identities.forget({(await ada.http.get(TOKENS)).json()["items"][0]["id"]})

    assert (await backup.get("/api/v1/tasks")).json()["code"] == "invalid_token"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": None}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["write"]}, "scopes"),
        ({"scopes": ["read", "account"]}, "scopes"),
        ({"scopes": ["read", "read"]}, "scopes"),
        ({"scopes": "read"}, "scopes"),
        ({"space_ids": []}, "space_ids"),
        ({"space_ids": [None]}, "space_ids.0"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "2036-01-01T00:00:00"}, "expires_at"),
        ({"expires_at": "2036-01-01"}, "expires_at"),
        ({"token": "tw_mine"}, "token"),
    ],
)
async def test_a_body_that_breaks_a_rule_names_its_field_and_makes_nothing(ada: Person, changes: dict, field: str):
    refused = await ada.http.post(TOKENS, json=READ | changes)

    assert (refused.status_code, [each["field"] for each in refused.json()["errors"]]) == (422, [field])
    assert (await ada.http.get(TOKENS)).json() == {"items": []}


async def test_a_new_password_ends_every_token(app: Gateway, ada: Person):
    backup = await script_of(app, ada)
    assert (await backup.get("/api/v1/tasks")).status_code == 200

    change = {"current_password": PASSWORD, "new_password": "engine 1852"}
    assert (await ada.http.post("/api/v1/auth/password", json=change)).status_code == 204

    assert (await backup.get("/api/v1/tasks")).status_code == 401
    assert (await ada.http.get(TOKENS)).json() == {"items": []}


async def test_a_session_that_was_refused_elsewhere_makes_no_token_that_outlives_it(
    app: Gateway, database: Database, ada: Person
):
    """Another process has changed the password, and this one has not heard of it yet."""
    await ada.http.get(TOKENS)
    refused = update(UserRow).values(tokens_valid_after=now() + timedelta(seconds=1))
    await database.rows(Query(refused, lambda *_: None))

    answer = await ada.http.post(TOKENS, json=READ)

    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")


async def test_signing_out_leaves_personal_tokens_alone(app: Gateway, ada: Person):
    backup = await script_of(app, ada)
    await ada.http.post("/api/v1/auth/logout")

    assert (await backup.get("/api/v1/tasks")).status_code == 200


async def test_each_step_is_a_security_event(ada: Person):
    token = await made(ada)
    await ada.http.delete(f"{TOKENS}/{token['id']}")

    items = (await ada.http.get("/api/v1/users/me/activity")).json()["items"]
    assert [item["kind"] for item in items] == ["token_deleted", "token_made"]


async def test_a_task_made_with_a_token_belongs_to_its_user(app: Gateway, ada: Person):
    tablet = await script_of(app, ada, WRITE)
    task = (await tablet.post("/api/v1/tasks", json={"title": "Buy milk"})).json()

    assert task["user_id"] == ada.id
    assert (await ada.http.get(f"/api/v1/tasks/{task['id']}")).json() == task


async def test_the_export_names_the_tokens_and_holds_none(ada: Person):
    token = await made(ada)

    exported = (await ada.http.get("/api/v1/users/me/export")).json()["tokens"]

    assert [(each["id"], each["name"], each["scopes"]) for each in exported] == [
        (token["id"], READ["name"], ["read"])
    ]
    assert exported[0].keys() == FIELDS
