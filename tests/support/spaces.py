"""What the tests of spaces over HTTP share."""

from typing import Any

from tests.support.people import Person

SPACES, TASKS, ACCEPT = "/api/v1/spaces", "/api/v1/tasks", "/api/v1/invitations/accept"


async def family_of(ada: Person, **changes: Any) -> str:
    made = await ada.http.post(SPACES, json={"name": "Family"} | changes)
    assert made.status_code == 201, made.text
    return made.json()["id"]


async def invite(ada: Person, space: str, **body: Any) -> dict[str, Any]:
    made = await ada.http.post(f"{SPACES}/{space}/invitations", json={"role": "editor"} | body)
    assert made.status_code == 201, made.text
    return made.json()


async def join(ada: Person, space: str, who: Person, role: str = "editor") -> None:
    token = (await invite(ada, space, role=role))["token"]
    joined = await who.http.post(ACCEPT, json={"token": token})
    assert joined.status_code == 200, joined.text
    assert joined.json()["role"] == role
