"""Promise 1: no request of one user reads or changes another's data.

The walk goes through every operation of every OpenAPI document and tries, as eve, everything that ada has: her ids
in paths, queries and bodies, her cursors and her idempotency keys. An operation that is added is walked through
from that day on. As ada, the same requests do find her things, so that the walk is known to knock at real doors.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import product
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from sqlalchemy import select

from taskwell.api.gateway import Gateway
from taskwell.database import Database, Query
from taskwell.migrations.target import METADATA
from taskwell.spaces import Role, invitations, members
from tests.support.documents import Described, operations
from tests.support.people import PASSWORD, Person, arrive

TASKS, SPACES = "/api/v1/tasks", "/api/v1/spaces"
READERS = ("a member", "a reader")
TAG = "zymurgy"
WORD = "xylograph"


@dataclass
class Belongings:
    """What ada has, by what it could be tried as.

    Attributes:
        sent: Her keys, each with the body that it was used for.
        secrets: Texts that no answer to eve may hold, unless she sent them herself.
    """

    ids: list[str] = field(default_factory=list)
    cursors: list[str] = field(default_factory=list)
    sent: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)


async def belongings(ada: Person, mark: str = "CANARY", space: str = "personal") -> Belongings:
    """Args:
    mark: What her texts hold.
    """
    there = {"space": space}

    async def made(path: str, body: dict[str, Any], **headers: str) -> dict[str, Any]:
        query = {} if path == "/api/v1/tokens" else there
        answer = await ada.http.post(path, params=query, json=body, headers=headers)
        assert answer.status_code == 201, answer.text
        return answer.json()

    a_list = await made("/api/v1/lists", {"name": f"{mark} list"})
    task = {"description": f"{mark} {WORD}", "list_id": a_list["id"], "tags": [TAG], "due_date": "2027-01-01"}
    sent = [(f"{mark}-{number}", task | {"title": f"{mark} {number}"}) for number in range(4)]
    tasks = [await made(TASKS, body, **{"Idempotency-Key": key}) for key, body in sent]
    token = await made("/api/v1/tokens", {"name": f"{mark} token", "scopes": ["read"]})
    reminder = await made(f"{TASKS}/{tasks[0]['id']}/reminders", {"minutes_before_due": 30, "channel": "email"})
    comment = await made(f"{TASKS}/{tasks[0]['id']}/comments", {"text": f"{mark} comment"})
    for trashed in tasks[2:]:
        assert (await ada.http.delete(f"{TASKS}/{trashed['id']}", params=there)).status_code == 204
    pages = [
        await ada.http.get(path, params=there | how | {"limit": 1})
        for path, how in ((TASKS, {}), (TASKS, {"sort": "title"}), (f"{TASKS}/trash", {}))
    ]
    return Belongings(
        ids=[ada.id, tasks[0]["id"], tasks[2]["id"], a_list["id"], reminder["id"], comment["id"], token["id"]],
        sent=sent,
        cursors=[page.json()["next_cursor"] for page in pages],
        secrets=[
            mark,
            TAG,
            WORD,
            ada.email,
            ada.id,
            a_list["id"],
            reminder["id"],
            comment["id"],
            token["id"],
            token["token"],
            *(task["id"] for task in tasks),
        ],
    )


async def own_things(eve: Person) -> list[str]:
    """A task, a list and a reminder of her own, to put what is ada's into."""
    task = (await eve.http.post(TASKS, json={"title": "Eve's own", "due_date": "2027-01-01"})).json()["id"]
    a_list = (await eve.http.post("/api/v1/lists", json={"name": "Eve's own"})).json()["id"]
    body = {"minutes_before_due": 30, "channel": "email"}
    return [task, a_list, (await eve.http.post(f"{TASKS}/{task}/reminders", json=body)).json()["id"]]


def attempts(operation: Described, hers: Belongings, caller: Person, own: list[str]) -> Iterator[dict[str, Any]]:
    """Requests that name what is hers wherever the operation takes a name.

    In the path it is hers, with an ordinary body; or it is the caller's own, with hers in every place of the body.
    """
    first = operation.bodies(hers.ids[1])[0]
    for path in _paths(operation, [caller.id, "me", hers.ids[0]], hers.ids):
        yield _request(operation, path, first)
    for path in _paths(operation, [caller.id], own):
        if operation.body is not None:
            bodies = {repr(body): body for an_id in hers.ids for body in operation.bodies(an_id)}
            yield from (_request(operation, path, body) for body in bodies.values())
        for name, value in _queries(operation, hers):
            yield _request(operation, path, first) | {"params": {name: value}}
        if "Idempotency-Key" in operation.names("header"):
            for key, body in hers.sent:
                yield _request(operation, path, body if operation.body else None) | {
                    "headers": {"Idempotency-Key": key}
                }


def _paths(operation: Described, users: list[str], ids: list[str]) -> Iterator[str]:
    names = operation.names("path")
    things = ("space", "member")
    choices = [
        users if name == "user_id" else ids if name.endswith("id") or name in things else [TAG] for name in names
    ]
    for values in product(*choices):
        path = operation.path
        for name, value in zip(names, values, strict=True):
            path = path.replace(f"{{{name}}}", quote(value, safe=""))
        yield path


def _queries(operation: Described, hers: Belongings) -> Iterator[tuple[str, str]]:
    for name in operation.names("query"):
        if name == "cursor":
            yield from ((name, cursor) for cursor in hers.cursors)
        elif name.endswith("_id") or name == "space":
            yield from ((name, an_id) for an_id in hers.ids)
        else:
            yield from ((name, value) for value in (TAG, WORD, "true", "all"))


def _request(operation: Described, path: str, body: Any) -> dict[str, Any]:
    request: dict[str, Any] = {"method": operation.method.upper(), "url": path}
    if body is not None:
        request["data" if "form" in operation.media_type else "json"] = body
    return request


async def shared_by(ada: Person) -> Belongings:
    """A space of hers that others may join, and what is in it."""
    space = (await ada.http.post(SPACES, json={"name": "SHARED space"})).json()["id"]
    hers = await belongings(ada, "SHARED", space)
    made = (await ada.http.post(f"{SPACES}/{space}/invitations", json={"role": "owner"})).json()
    hers.ids += [space, made["id"]]
    hers.secrets += [space, made["id"], made["token"]]
    return hers


async def everything_of(database: Database, user_id: str) -> dict[str, list[Any]]:
    """Every row that belongs to a user or a space, from every table that has them; attempts are no change of it."""
    found = {}
    for table in METADATA.sorted_tables:
        owner = table.c.id if table.name in ("users", "spaces") else table.c.get("space_id", table.c.get("user_id"))
        if owner is not None and table.name != "security_events":
            query: Query[Any] = Query(select(table).where(owner == user_id), lambda *row: row)
            found[table.name] = sorted(await database.rows(query), key=repr)
    return found


async def test_nothing_of_adas_is_read_or_changed_by_eve_through_any_operation(
    app: Gateway, database: Database, ada: Person, capsys
):
    hers, shared = await belongings(ada), await shared_by(ada)
    hers.ids += shared.ids[-2:]
    hers.secrets += shared.secrets
    space = shared.ids[-2]
    before, before_there = await everything_of(database, ada.id), await everything_of(database, space)
    assert {"users", "tasks", "lists", "task_tags", "reminders", "api_tokens", "idempotency_keys"} <= {
        name for name, rows in before.items() if rows
    }
    tried: dict[str, int] = {}
    by_status: dict[int, int] = {}
    for number, operation in enumerate(operations()):
        eve = await arrive(
            app, f"eve{number}"
        )  # another one each time, since some operations end her account or token
        for request in attempts(operation, hers, eve, await own_things(eve)):
            answer = await eve.http.request(**request)
            tried[str(operation)] = tried.get(str(operation), 0) + 1
            by_status[answer.status_code] = by_status.get(answer.status_code, 0) + 1
            assert answer.status_code < 500, (request, answer.text)
            assert not leaked(answer, request, hers.secrets), (request, answer.text)
        assert await everything_of(database, ada.id) == before, f"{operation} changed what is ada's"
        assert await everything_of(database, space) == before_there, f"{operation} changed what ada shares"

    assert set(tried) == {str(operation) for operation in operations()}
    assert by_status[403] > 100
    assert by_status[404] > 100
    with capsys.disabled():
        counts = ", ".join(f"{count} x {status}" for status, count in sorted(by_status.items()))
        summary = f"{sum(tried.values())} requests to {len(tried)} operations, none leaked ({counts})"
        print(f"\nisolation, a stranger: {summary}")  # noqa: T201


async def in_space(database: Database, space: str, ada: Person) -> dict[str, list[Any]]:
    """What ada has put into the space, her reminders too, and no one else's."""
    rows = await everything_of(database, space)
    kept = {name: rows[name] for name in ("tasks", "lists", "task_tags", "reminders")}
    return kept | {"reminders": [row for row in kept["reminders"] if ada.id in row]}


ROLES: dict[str, Role] = {"a member": "editor", "a reader": "reader", "somebody who has left": "editor"}


async def guest_of(app: Gateway, database: Database, ada: Person, space: str, name: str, who: str) -> Person:
    guest = await arrive(app, name)
    _, token = await invitations.create(database, ada.id, space, role=ROLES[who], uses=1, lifetime=timedelta(days=1))
    await invitations.accept(database, guest.id, token, email_key=None)
    if who not in READERS:
        await members.remove(database, ada.id, space, guest.id)
    return guest


async def is_still(guest: Person, who: str, space: str) -> bool:
    """Whether the last operation has left a member their role and token; others might find what they wrote then."""
    return who in READERS and (await guest.http.get(f"{SPACES}/{space}")).json().get("role") == ROLES[who]


@pytest.mark.parametrize("who", ROLES)
async def test_a_role_is_worth_no_more_than_it_says_through_any_operation(
    app: Gateway, database: Database, ada: Person, who: str, capsys
):
    """Whoever shares a space sees that one alone; a reader changes nothing, and who has left is a stranger."""
    own, shared = await belongings(ada), await shared_by(ada)
    space = shared.ids[-2]
    hidden = [secret for secret in own.secrets if secret not in (TAG, WORD, ada.id)]
    hidden += [each for each in shared.secrets if each not in (TAG, WORD, ada.id, ada.email)] * (who not in READERS)
    before, before_there = await everything_of(database, ada.id), await in_space(database, space, ada)
    tried, found, guest = 0, 0, None
    for number, operation in enumerate(operations()):
        if guest is None or not await is_still(guest, who, space):
            guest = await guest_of(app, database, ada, space, f"guest{number}", who)
        for request in attempts(operation, shared, guest, await own_things(guest)):
            if "space" in operation.names("query"):
                request["params"] = {"space": space} | request.get("params", {})
            answer = await guest.http.request(**request)
            tried += 1
            found += bool(leaked(answer, request, ["SHARED"]))
            assert answer.status_code < 500, (request, answer.text)
            assert not leaked(answer, request, hidden), (request, answer.text)
        assert await everything_of(database, ada.id) == before, f"{operation} changed what is ada's own"
        if who != "a member":
            assert await in_space(database, space, ada) == before_there, f"{operation} changed the space"

    assert (found > 20) == (who in READERS)
    with capsys.disabled():
        print(f"\nisolation, {who}: {tried} requests, none leaked")  # noqa: T201


def leaked(answer: httpx2.Response, request: dict[str, Any], secrets: list[str]) -> list[str]:
    """The secrets that an answer holds and its request did not."""
    sent, got = repr(request), answer.text + repr(answer.headers)
    return [secret for secret in secrets if secret in got and secret not in sent]


async def test_the_same_requests_of_ada_do_find_her_things(ada: Person):
    hers = await belongings(ada)
    doors = set()
    for operation in operations():
        if operation.method == "get":
            for request in attempts(operation, hers, ada, []):
                if "CANARY" in (await ada.http.request(**request)).text:
                    doors.add(str(operation))

    assert {door.split()[0] for door in doors} == {"v1", "v1_by_user", "todos", "user_tasks", "v1_user_tasks"}
    assert len(doors) >= 12


async def test_eves_own_password_does_not_open_what_is_adas(nobody: httpx2.AsyncClient, ada: Person, eve: Person):
    login = await nobody.post("/api/v1/auth/login", json={"email": eve.email, "password": PASSWORD})
    token = login.json()["access_token"]

    answer = await nobody.get(f"/api/v1/users/{ada.id}/tasks", headers={"Authorization": f"Bearer {token}"})

    assert answer.status_code == 403
