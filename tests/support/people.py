"""The people of the tests: ada, who owns things, and eve, who would like to."""

from dataclasses import dataclass
from datetime import timedelta

import httpx2

from taskwell import users
from taskwell.api.gateway import Gateway
from taskwell.database import now
from taskwell.security import tokens
from taskwell.spaces import SpaceAccess
from taskwell.users.principal import Principal

PASSWORD = "engine 1843"


@dataclass(frozen=True)
class Person:
    """Somebody with an account, a token, and an HTTP client that sends it."""

    principal: Principal
    space: SpaceAccess
    email: str
    token: str
    http: httpx2.AsyncClient

    @property
    def id(self) -> str:
        return self.principal.user_id


def client(app: Gateway, headers: dict[str, str] | None = None) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://test", headers=headers)


async def arrive(app: Gateway, name: str) -> Person:
    """Opens an account, as quickly as the tests need it."""
    assert app.services is not None
    services = app.services
    email = f"{name}@example.com"
    user = await users.sign_up(services.database, email=email, password=PASSWORD, name=name.capitalize())
    key, algorithm = services.settings.signing_key, services.settings.algorithm
    token = tokens.issue(user.id, key=key, algorithm=algorithm, now=now(), lifetime=timedelta(days=1))
    claims = tokens.verify(token.text, key=key, algorithm=algorithm)
    assert claims is not None
    principal = Principal(user.id, user.id, claims.token_id, claims.expires_at)
    return Person(
        principal,
        SpaceAccess.personal(user.id),
        email,
        token.text,
        client(app, {"Authorization": f"Bearer {token.text}"}),
    )
