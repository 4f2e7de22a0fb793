"""Personal tokens, and clients that send them."""

from typing import Any

from taskwell.api.gateway import Gateway
from tests.support.people import Person, client

TOKENS = "/api/v1/tokens"
READ: dict[str, Any] = {"name": "Backup script", "scopes": ["read"]}
WRITE: dict[str, Any] = {"name": "Kitchen tablet", "scopes": ["read", "write"]}


async def made(person: Person, body: dict[str, Any] = READ, **headers: str) -> dict[str, Any]:
    answer = await person.http.post(TOKENS, json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    return answer.json()


def script(app: Gateway, token: str):
    return client(app, {"Authorization": f"Bearer {token}"})


async def script_of(app: Gateway, person: Person, body: dict[str, Any] = READ):
    """A client with a new personal token of the person's."""
    return script(app, (await made(person, body))["token"])
