"""What a request may cost, in what is the same on each run: statements and bytes."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from taskwell import tasks
from taskwell.api import identity
from taskwell.api.gateway import Gateway
from taskwell.spaces import verbs
from taskwell.tasks import TaskDraft
from tests.support.counted import counted
from tests.support.people import Person

TASKS = 60
REPEATS = 5
"""The cheapest counts: the first compile statements."""


@dataclass(frozen=True)
class Ceiling:
    method: str
    path: str
    statements: int
    size: int
    body: object = None


DRAFT = {"title": "Buy milk", "priority": "high"}
CEILINGS = {
    "list": Ceiling("GET", "?limit=50", 1, 25_500),
    "get": Ceiling("GET", "/{id}", 1, 510),
    "create": Ceiling("POST", "", 1, 510, DRAFT),
    "update": Ceiling("PATCH", "/{id}", 1, 510, {"description": "{number}"}),
    "complete": Ceiling("PATCH", "/{id}/complete", 1, 510),
    "search": Ceiling("GET", "?limit=50&q=milk", 1, 25_500),
    "stats": Ceiling("GET", "/stats", 1, 1_400),
    "bulk": Ceiling("POST", "/bulk", 5, 53_000, {"operations": [{"op": "create", "data": DRAFT}] * 100}),
}


@dataclass(frozen=True)
class Cost:
    statements: int
    size: int


async def cost_of(app: Gateway, ada: Person, ceiling: Ceiling, task_id: str, number: int, space: str = "") -> Cost:
    """One request, straight into the application: what a client adds is not counted."""
    path, _, query = ceiling.path.replace("{id}", task_id).partition("?")
    query = f"{query}&space={space}" if space else query
    body = b"" if ceiling.body is None else json.dumps(ceiling.body).replace("{number}", str(number)).encode()
    whole = f"/api/v1/tasks{path}"
    headers = [(b"authorization", f"Bearer {ada.token}".encode()), (b"host", b"localhost")]
    headers += [(b"content-type", b"application/json")] if body else []
    scope = {
        "type": "http", "method": ceiling.method, "path": whole, "raw_path": whole.encode(), "headers": headers,
        "query_string": query.encode(), "client": ("127.0.0.1", 1), "server": ("localhost", 80), "scheme": "http",
    }  # fmt: skip
    size = 0

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        nonlocal size
        assert message.get("status", 200) < 300
        size += len(message.get("body", b""))

    before = statements()
    await app(scope, receive, send)
    return Cost(statements() - before, size)


def statements() -> int:
    """How many have run in this process."""
    return int(sum(counted("taskwell_query_duration_seconds_count", kind=kind) for kind in ("read", "write")))


@pytest.mark.parametrize("operation", CEILINGS)
async def test_a_request_costs_no_more_than_it_did(
    app: Gateway, ada: Person, operation: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(identity, "SYNC_SECONDS", 600.0)  # on a slow machine each would also read who has signed out
    assert app.services is not None
    database, ceiling = app.services.database, CEILINGS[operation]
    for number in range(TASKS):
        task = await tasks.create(database, ada.principal, ada.space, TaskDraft(f"Buy milk {number}", tags=("home",)))

    costs = [await cost_of(app, ada, ceiling, task.id, number) for number in range(REPEATS)]

    assert min(cost.statements for cost in costs) <= ceiling.statements
    assert min(cost.size for cost in costs) <= ceiling.size


@pytest.mark.parametrize("operation", CEILINGS)
async def test_a_request_in_a_shared_space_asks_the_database_no_more(
    app: Gateway, ada: Person, operation: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(identity, "SYNC_SECONDS", 600.0)
    assert app.services is not None
    database, ceiling = app.services.database, CEILINGS[operation]
    space = (await verbs.create(database, ada.id, name="Family", time_zone="UTC")).accessed()
    task = await tasks.create(database, ada.principal, space, TaskDraft("Buy milk"))

    costs = [await cost_of(app, ada, ceiling, task.id, number, space.id) for number in range(REPEATS)]

    assert min(cost.statements for cost in costs) <= ceiling.statements
