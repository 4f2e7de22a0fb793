"""What the tests of the todos contract share."""

from typing import Any

import httpx2

from tests.support.people import Person


async def add(ada: Person, **fields: object) -> dict[str, Any]:
    answer = await ada.http.post(f"/api/users/{ada.id}/todos", json={"title": "Buy milk"} | fields)
    assert answer.status_code == 201
    return dict(answer.json())


def told(answer: httpx2.Response) -> list[str]:
    """The fields that an error names, once its shape is right."""
    body = answer.json()
    assert list(body) == ["error", "message", "detail", "details"]
    assert isinstance(body["error"], str)
    assert isinstance(body["message"], str)
    assert body["detail"] == body["message"]
    assert all(list(each) == ["field", "message"] for each in body["details"])
    return [each["field"] for each in body["details"]]
