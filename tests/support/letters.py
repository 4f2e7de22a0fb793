"""Mails of accounts, and what their readers do with them."""

from typing import Any

import httpx2
from sqlalchemy import select

from taskwell.api.gateway import Gateway
from taskwell.database import Query
from taskwell.mail.tables import MailRow
from tests.support.people import PASSWORD, Person, client
from tests.support.smtp import Mailbox

OTHER = "engine 1852"
FORGOT, RESET = "/api/v1/auth/password/forgot", "/api/v1/auth/password/reset"
NEW = {"email": "lovelace@example.com", "current_password": PASSWORD}
WAITING: Query[str] = Query(select(MailRow.email).order_by(MailRow.id), str)


async def problem(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def token_of(mailbox: Mailbox) -> str:
    """The token in the last link that arrived."""
    return mailbox.links()[-1].rpartition("token=")[2]


async def follow(nobody: httpx2.AsyncClient, token: str) -> httpx2.Response:
    return await nobody.post("/api/v1/auth/email/verify", json={"token": token})


async def sign_up(nobody: httpx2.AsyncClient, email: str = "bob@example.com") -> dict[str, Any]:
    body = {"email": email, "password": PASSWORD, "name": "Your account is locked, see http://evil.example"}
    answer = await nobody.post("/api/v1/auth/signup", json=body)
    assert answer.status_code == 201
    return answer.json()


async def me(person: Person) -> dict[str, Any]:
    return (await person.http.get("/api/v1/users/me")).json()


async def forget(nobody: httpx2.AsyncClient, email: str) -> None:
    answer = await nobody.post(FORGOT, json={"email": email})
    assert (answer.status_code, answer.headers["Cache-Control"]) == (202, "no-store")


async def reset(nobody: httpx2.AsyncClient, token: str, password: str = OTHER) -> httpx2.Response:
    return await nobody.post(RESET, json={"token": token, "new_password": password})


async def login(nobody: httpx2.AsyncClient, email: str, password: str) -> int:
    body = {"email": email, "password": password}
    return (await nobody.post("/api/v1/auth/login", json=body)).status_code


async def signed_in(app: Gateway, email: str) -> httpx2.AsyncClient:
    answer = await client(app).post("/api/v1/auth/login", json={"email": email, "password": OTHER})
    return client(app, {"Authorization": f"Bearer {answer.json()['access_token']}"})
