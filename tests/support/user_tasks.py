"""What the tests of the user_tasks contract share."""

from typing import Any

import httpx2

from tests.support.people import Person


async def add(ada: Person, **fields: object) -> dict[str, Any]:
    answer = await ada.http.post(f"/api/{ada.id}/tasks", json={"title": "Buy milk"} | fields)
    assert answer.status_code == 201
    return dict(answer.json())


def told(answer: httpx2.Response) -> list[str]:
    """The fields that an error names, once its shape is right."""
    body = answer.json()
    assert isinstance(body["detail"], str)
    assert list(body) == (["detail", "errors"] if answer.status_code == 422 else ["detail"])
    return [each["field"] for each in body.get("errors", [])]
