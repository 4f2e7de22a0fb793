"""v1: stats over HTTP."""

import pytest

from tests.support.people import Person

FIELDS = {
    "total",
    "pending",
    "completed",
    "overdue",
    "due_today",
    "by_priority",
    "by_list",
    "by_tag",
    "completed_by_day",
    "completion_rate",
    "median_hours_to_complete",
    "streak_days",
}


@pytest.mark.parametrize("address", ["/api/v1/tasks", "/api/v1/users/{id}/tasks"])
async def test_stats_have_the_fields_of_the_contract(ada: Person, eve: Person, address: str):
    home = (await ada.http.post("/api/v1/lists", json={"name": "Home"})).json()
    await ada.http.post("/api/v1/tasks", json={"title": "A", "list_id": home["id"], "tags": ["x"]})
    await ada.http.post("/api/v1/tasks", json={"title": "B", "completed": True})
    await eve.http.post("/api/v1/tasks", json={"title": "Hers"})

    answer = await ada.http.get(f"{address.format(id=ada.id)}/stats")

    assert answer.status_code == 200
    stats = answer.json()
    assert stats.keys() == FIELDS
    assert (stats["total"], stats["pending"], stats["completed"]) == (2, 1, 1)
    assert stats["by_priority"] == {"low": 0, "medium": 1, "high": 0, "urgent": 0}
    assert stats["by_list"] == [{"list_id": home["id"], "name": "Home", "pending": 1}]
    assert stats["by_tag"] == [{"tag": "x", "pending": 1}]
    assert (len(stats["completed_by_day"]), stats["completed_by_day"][-1]["completed"]) == (30, 1)
    assert (stats["completion_rate"], stats["streak_days"]) == (0.5, 1)


async def test_stats_are_for_oneself_and_take_no_parameters(ada: Person, eve: Person):
    assert (await eve.http.get(f"/api/v1/users/{ada.id}/tasks/stats")).status_code == 403
    assert (await ada.http.get("/api/v1/tasks/stats?days=7")).status_code == 422
