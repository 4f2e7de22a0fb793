"""A real Better Auth server, from tests/interop/better_auth."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

from tests.support import npm

FOLDER = Path(__file__).parent.parent / "interop" / "better_auth"
SECRET = "lab-secret-lab-secret-lab-secret-0123456789"
PASSWORD = "correct horse 1"


@dataclass
class BetterAuth:
    """A running server.

    Attributes:
        session: The session token of the user that ``sign_up`` made.
    """

    url: str
    process: subprocess.Popen[str]
    session: str = ""

    async def sign_up(self, name: str) -> str:
        """Opens an account there; gives its id."""
        body = {"email": f"{name}@example.com", "password": PASSWORD, "name": name.capitalize()}
        async with httpx2.AsyncClient(base_url=self.url, verify=False) as http:
            answer = (await http.post("/api/auth/sign-up/email", json=body)).raise_for_status().json()
        self.session = answer["token"]
        return str(answer["user"]["id"])

    async def token(self) -> str:
        """A new JWT of the user's session."""
        headers = {"Authorization": f"Bearer {self.session}"}
        async with httpx2.AsyncClient(base_url=self.url, verify=False) as http:
            return str((await http.get("/api/auth/token", headers=headers)).raise_for_status().json()["token"])

    async def rotate(self) -> None:
        """Makes a new signing key; the old one stays published."""
        async with httpx2.AsyncClient(base_url=self.url, verify=False) as http:
            (await http.post("/__test__/rotate")).raise_for_status()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)


@contextmanager
def better_auth(**variables: str) -> Iterator[BetterAuth]:
    """The server with these of its environment variables: see its own source."""
    npm.install(FOLDER)
    environment = {"PATH": os.environ["PATH"], "BETTER_AUTH_SECRET": SECRET, **variables}
    with subprocess.Popen(
        ["node", "server.mjs"], cwd=FOLDER, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            ready = json.loads(process.stdout.readline())
            yield BetterAuth(ready["baseURL"], process)
        finally:
            process.kill()
