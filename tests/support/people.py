"""The people of the tests: ada, who owns things, and eve, who would like to."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

import httpx2
from sqlalchemy import bindparam, update
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from taskwell import users
from taskwell.api.gateway import Gateway
from taskwell.database import Database, Query, UtcInstant, now
from taskwell.security import tokens
from taskwell.spaces import SpaceAccess
from taskwell.users.principal import Principal
from taskwell.users.tables import UserRow
from taskwell.users.user import email_key

PASSWORD = "engine 1843"
USER_FIELDS = {
    "id",
    "space_id",
    "email",
    "email_verified",
    "pending_email",
    "name",
    "time_zone",
    "created_at",
    "updated_at",
}


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


_SET_EMAIL: Query[None] = Query(
    update(UserRow)
    .where(UserRow.id == bindparam("user_id"))
    .values(
        email=bindparam("new_email"), email_key=bindparam("key"), email_verified_at=bindparam("at", type_=UtcInstant)
    ),
    lambda *_: None,
)


async def set_email(database: Database, person: Person, email: str) -> None:
    """Gives somebody another e-mail, confirmed, as following a link would."""
    await database.rows(_SET_EMAIL, user_id=person.id, new_email=email, key=email_key(email), at=now())


def client(app: Gateway, headers: dict[str, str] | None = None) -> httpx2.AsyncClient:
    """Calls as over a proxy that the server trusts."""
    behind_a_proxy: Any = ProxyHeadersMiddleware(cast(Any, app), "127.0.0.1")
    transport = httpx2.ASGITransport(behind_a_proxy)
    return httpx2.AsyncClient(transport=transport, base_url="http://test", headers=headers)


async def arrive(app: Gateway, name: str, *, is_confirmed: bool = True) -> Person:
    """Opens an account, as quickly as the tests need it; its e-mail is confirmed unless told otherwise."""
    assert app.services is not None
    services = app.services
    email = f"{name}@example.com"
    user = await users.sign_up(services.database, email=email, password=PASSWORD, name=name.capitalize())
    if is_confirmed:
        await users.confirm(services.database, user.id)
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
