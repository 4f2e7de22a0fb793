"""Mails of accounts, and what their readers do with them."""

from typing import Any

import httpx2
from sqlalchemy import select

from taskwell.database import Query
from taskwell.mail.tables import MailRow
from tests.support.people import PASSWORD, Person
from tests.support.smtp import Mailbox

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
