"""An authenticator app, whose clock the server shares."""

from datetime import datetime, timedelta

import httpx2
import pyotp
import pytest

from taskwell.database import now
from taskwell.users import totp
from tests.support.people import PASSWORD, Person

TOTP = "/api/v1/auth/totp"
BEGIN = {"current_password": PASSWORD}


class Authenticator:
    """Shows the codes of a secret. Half a minute passes from each to the next."""

    def __init__(self) -> None:
        self.secret = ""
        self.at: datetime = now()

    def code(self) -> str:
        self.at += timedelta(seconds=30)
        return pyotp.TOTP(self.secret).at(self.at)

    async def turn_on(self, person: Person) -> list[str]:
        """Turns the person's second factor on; gives the recovery codes."""
        self.secret = (await person.http.post(TOTP, json=BEGIN)).json()["secret"]
        answer = await person.http.post(f"{TOTP}/confirm", json={"code": self.code()})
        assert answer.status_code == 200, answer.text
        return answer.json()["recovery_codes"]


@pytest.fixture
def authenticator(monkeypatch: pytest.MonkeyPatch) -> Authenticator:
    shared = Authenticator()
    monkeypatch.setattr(totp, "now", lambda: shared.at)
    return shared


async def challenge_of(http: httpx2.AsyncClient, person: Person, password: str = PASSWORD) -> str:
    """What the right password gives where a code is still to come."""
    answer = await http.post("/api/v1/auth/login", json={"email": person.email, "password": password})
    assert (answer.status_code, answer.json()["code"]) == (401, "totp_required"), answer.text
    return answer.json()["challenge"]


async def answer(http: httpx2.AsyncClient, challenge: str, code: str, **headers: str) -> httpx2.Response:
    return await http.post("/api/v1/auth/login/totp", json={"challenge": challenge, "code": code}, headers=headers)
