"""A full space is a 409 in every contract, with what to do; ``MAX_TASKS_PER_SPACE`` says how much is full."""

import pytest

from taskwell.api.gateway import Gateway
from tests.support.people import Person


@pytest.fixture
def _room_for_one(app: Gateway):
    """The setting is read when a token is looked up."""
    assert app.services is not None
    identities = app.services.identities
    before, identities._max_tasks = identities._max_tasks, 1
    yield
    identities._max_tasks = before


@pytest.mark.usefixtures("_room_for_one")
async def test_a_full_space_is_told_in_every_contract(ada: Person):
    made = await ada.http.post("/api/v1/tasks", json={"title": "Buy milk"})
    assert made.status_code == 201
    calls = [
        ("/api/v1/tasks", {"title": "Buy oats"}),
        ("/api/v1/tasks/bulk", {"operations": [{"op": "create", "data": {"title": "Buy oats"}}]}),
        ("/api/v1/tasks/import", {"tasks": [{"title": "Buy oats"}]}),
        (f"/api/{ada.id}/tasks", {"title": "Buy oats"}),
        (f"/api/users/{ada.id}/todos", {"title": "Buy oats"}),
    ]

    for path, body in calls:
        answer = await ada.http.post(path, json=body)
        assert answer.status_code == 409, (path, answer.text)
        assert "A space may hold 1 tasks that are not in the trash; delete some first." in answer.text

    await ada.http.delete(made.headers["location"])
    assert (await ada.http.post("/api/v1/tasks", json={"title": "Buy oats"})).status_code == 201
    full = await ada.http.post(f"{made.headers['location']}/restore")
    assert (full.status_code, full.json()["code"]) == (409, "limit_reached")
    each = {"op": "restore", "id": made.json()["id"]}
    partly = await ada.http.post("/api/v1/tasks/bulk", json={"atomic": False, "operations": [each]})
    assert partly.json()["results"][0]["problem"]["code"] == "limit_reached"
