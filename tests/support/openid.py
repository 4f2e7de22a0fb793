"""A provider of OpenID Connect whose tokens a test may bend, GitHub beside it, and a browser that goes there."""

import asyncio
import base64
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2

from taskwell.api.gateway import Gateway
from taskwell.app import create_app
from taskwell.security.github import GitHub, GitHubAddresses
from taskwell.security.issuer_client import IssuerClient
from taskwell.security.providers import Providers
from taskwell.security.sign_in_state import challenge_of
from taskwell.settings import Settings
from tests.support.issuer import Issuer

CLIENT_ID, CLIENT_SECRET = "taskwell", "s3cret/+ of ours"
FRONTEND = "http://localhost:3000"
CALLBACK = "/api/v1/auth/{}/callback"


class Peer(Issuer):
    """Attributes:
    changes: What is different in the next ID tokens.
    userinfo: What its userinfo endpoint says; where it says anything, the ID tokens name no e-mail.
    document: What is different in what it publishes of itself.
    answer: What its token endpoint answers instead, with which status.
    github: What GitHub's API says, by path.
    """

    def __init__(self) -> None:
        super().__init__()
        self.path = "/jwks"
        self.changes: dict[str, Any] = {}
        self.userinfo: dict[str, Any] = {}
        self.document: dict[str, Any] = {}
        self.answer: tuple[int, Any] | None = None
        self.github: dict[str, Any] = {}
        self._codes: dict[str, dict[str, str]] = {}

    def setting(self, **changes: Any) -> list[dict[str, Any]]:
        """``OIDC_PROVIDERS`` with this one."""
        one = {"name": "lab", "issuer": self.url, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        return [one | changes]

    def approve(self, address: str) -> dict[str, str]:
        """Somebody signs in there and says yes; gives what the browser brings back."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe()
        self._codes[code] = asked
        return {"code": code, "state": asked["state"], "iss": self.url}

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if line)
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        original = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
        basic = next((value for name, value in original.items() if name.lower() == "authorization"), "")
        await asyncio.sleep(self.delay)
        status, answer = self._answer(urlsplit(head.split(" ")[1]).path, body.decode(), basic)
        content = json.dumps(answer).encode()
        writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: {len(content)}\r\nConnection: close\r\n\r\n".encode())
        writer.write(content)
        await writer.drain()
        writer.close()

    def _answer(self, path: str, body: str, authorization: str) -> tuple[int, Any]:  # noqa: PLR0911  # one for each
        form = {name: values[0] for name, values in parse_qs(body).items()}
        match path:
            case "/.well-known/openid-configuration":
                return self.status, self._published() | self.document
            case self.path:
                return 200, {"keys": self.keys}
            case "/token":
                return self.answer or self._tokens(form, authorization)
            case "/userinfo":
                return 200, {"sub": "ada-at-lab"} | self.userinfo
            case "/login/oauth/access_token":
                return self._github_token(form)
            case "/user" | "/user/emails":
                return (200, self.github[path]) if authorization == "Bearer gho_1" else (401, {})
            case _:
                return 404, {}

    def _published(self) -> dict[str, Any]:
        addresses = {"authorization_endpoint": "/authorize", "token_endpoint": "/token", "jwks_uri": self.path}
        published: dict[str, Any] = {name: self.url + path for name, path in addresses.items()}
        if self.userinfo:
            published["userinfo_endpoint"] = f"{self.url}/userinfo"
        return published | {"issuer": self.url, "authorization_response_iss_parameter_supported": True}

    def _tokens(self, form: dict[str, str], authorization: str) -> tuple[int, Any]:
        expected = base64.b64encode(b"taskwell:s3cret%2F%2B+of+ours").decode()
        asked = self._codes.pop(form["code"], None)
        if authorization != f"Basic {expected}":
            return 401, {"error": "invalid_client"}
        if asked is None or asked["code_challenge"] != challenge_of(form["code_verifier"]):
            return 400, {"error": "invalid_grant"}
        if asked["redirect_uri"] != form["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        said: dict[str, Any] = {"sub": "ada-at-lab", "aud": CLIENT_ID, "nonce": asked["nonce"]}
        said |= {
            "name": "Ada Lovelace",
            "email": None if self.userinfo else "ada@example.com",
            "email_verified": True,
        }
        algorithm = self.changes.pop("algorithm", "RS256")
        return 200, {"access_token": "at_1", "id_token": self.token(algorithm, **said | self.changes)}

    def _github_token(self, form: dict[str, str]) -> tuple[int, Any]:
        asked = self._codes.pop(form["code"], None)
        if asked is None or (form["client_id"], form["client_secret"]) != (CLIENT_ID, CLIENT_SECRET):
            return 200, {"error": "bad_verification_code"}
        return 200, {"access_token": "gho_1", "token_type": "bearer"}


@dataclass
class Browser:
    """A browser at the front end, with its cookies and its verifier.

    Attributes:
        http: It may have somebody's token too.
        back: What the front end was told at last: ``code`` or ``error``.
    """

    http: httpx2.AsyncClient
    peer: Peer
    provider: str = "lab"
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    back: dict[str, str] = field(default_factory=dict)

    async def leave(self, **query: str) -> httpx2.Response:
        """Goes to ``authorize``, which sends it to the provider."""
        query = {"redirect_to": f"{FRONTEND}/signed-in", "code_challenge": challenge_of(self.verifier)} | query
        return await self.http.get(f"/api/v1/auth/{self.provider}/authorize?{urlencode(query)}")

    async def come_back(self, **answer: str) -> dict[str, str]:
        """Brings the provider's answer; gives what the front end is told."""
        response = await self.http.get(f"{CALLBACK.format(self.provider)}?{urlencode(answer)}")
        assert response.status_code == 302, response.text
        address = response.headers["location"]
        assert address.startswith(f"{FRONTEND}/signed-in?"), address
        self.back = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        return self.back

    async def sign_in(self, **query: str) -> dict[str, str]:
        """All the way to the front end."""
        left = await self.leave(**query)
        assert left.status_code == 302, left.text
        return await self.come_back(**self.peer.approve(left.headers["location"]))

    async def exchange(self, code: str | None = None, verifier: str | None = None) -> httpx2.Response:
        body = {"code": code or self.back["code"], "code_verifier": verifier or self.verifier}
        return await self.http.post("/api/v1/auth/exchange", json=body)


@asynccontextmanager
async def taskwell_with(
    settings: Settings, peer: Peer, *, provider: dict[str, Any] | None = None, **changes: Any
) -> AsyncIterator[Gateway]:
    """Taskwell that knows the peer as ``lab``, and as GitHub.

    Args:
        provider: What is different in the peer's setting.
    """
    update = {"public_url": "http://test", "oidc_providers": peer.setting(**provider or {})}
    update |= {"github_client_id": CLIENT_ID, "github_client_secret": CLIENT_SECRET} | changes
    known = settings.model_dump(include=settings.model_fields_set)
    app = create_app(Settings(_env_file=None, **(known | update)))
    async with app.lifespan() as services:
        at_peer = GitHubAddresses(site=peer.url, api=peer.url)
        github = GitHub(CLIENT_ID, CLIENT_SECRET, IssuerClient(), at_peer)
        lab = [each for each in services.providers or () if each.name == "lab"]
        services.providers = Providers([*lab, github], services.settings.verifying_keys)
        yield app
