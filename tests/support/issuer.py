"""Another issuer: real keys of every kind, and a real server that publishes them."""

import asyncio
import json
import time
from typing import Any, Self

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

KEYS: dict[str, Any] = {
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "ES512": ec.generate_private_key(ec.SECP521R1()),
    "RS256": rsa.generate_private_key(public_exponent=65_537, key_size=2048),
}
KEYS["PS256"] = KEYS["RS256"]
SIGNER = jwt.PyJWS()
SIGNER.register_algorithm("Ed25519", jwt.get_algorithm_by_name("EdDSA"))

SHARED = "shared-with-the-front-end-0123456789-abcdef"
SUBJECT = "kX3vQm0Zb1Tn7YcWf5LrSh2Dg9JpAe8U"


def public_jwk(algorithm: str, key_id: str | None = None, key: Any = None) -> dict[str, Any]:
    """A key as Better Auth publishes it: with ``alg`` and without ``use``."""
    public = (key or KEYS[algorithm]).public_key()
    jwk: dict[str, Any] = jwt.get_algorithm_by_name(algorithm).to_jwk(public, as_dict=True)
    jwk.pop("key_ops", None)
    return jwk | {"alg": algorithm, "kid": key_id or f"key-{algorithm}"}


class Issuer:
    """Serves a JWKS over HTTP, counts who asks, and signs tokens.

    Attributes:
        keys: What it publishes.
        body: What it answers instead, if set.
        path: Where the keys are.
        redirects: Where another path leads, with a 308.
        delay: How long it takes to answer.
        asked: The head of the last request.
    """

    def __init__(self) -> None:
        self.keys = [public_jwk(algorithm) for algorithm in KEYS]
        self.body: bytes | None = None
        self.path = "/api/auth/jwks"
        self.redirects: dict[str, str] = {}
        self.status = 200
        self.delay = 0.0
        self.fetches = 0
        self.asked = b""
        self._server: asyncio.Server | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked = await reader.readuntil(b"\r\n\r\n")
        path = self.asked.split(b" ")[1].decode()
        location = self.redirects.get(path)
        self.fetches += 1
        await asyncio.sleep(self.delay)
        body = self.body if self.body is not None else json.dumps({"keys": self.keys}).encode()
        status = 308 if location else self.status if path == self.path else 404
        head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        if location:
            head += f"Location: {location}\r\n"
        try:
            writer.write(head.encode() + b"Connection: close\r\n\r\n" + body)
            await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    def claims(self, **changes: Any) -> dict[str, Any]:
        """The claims of Better Auth's own tokens; one that is changed to None is left out."""
        now = int(time.time())
        claims = {
            "iat": now,
            "name": "Grace Hopper",
            "email": "grace@example.com",
            "emailVerified": False,
            "createdAt": "2026-11-21T08:00:00.000Z",
            "updatedAt": "2026-11-21T08:00:00.000Z",
            "id": SUBJECT,
            "sub": SUBJECT,
            "exp": now + 900,
            "iss": self.url,
            "aud": self.url,
        } | changes
        return {name: value for name, value in claims.items() if value is not None}

    def token(
        self,
        algorithm: str = "EdDSA",
        *,
        key: Any = None,
        header: dict[str, Any] | None = None,
        **changes: Any,
    ) -> str:
        """A token as the ``jwt`` plugin signs it."""
        kid = {"kid": f"key-{algorithm}"} if header is None else header
        return SIGNER.encode(
            json.dumps(self.claims(**changes)).encode(),
            key or KEYS["EdDSA" if algorithm == "Ed25519" else algorithm],
            algorithm=algorithm,
            headers={"typ": None, **kid},
        )


def shared_secret_token(secret: str, **claims: Any) -> str:
    """What a front end's own server signs with the secret: an expiry and whatever is given."""
    named = {"exp": int(time.time()) + 900, **claims}
    return jwt.encode({name: value for name, value in named.items() if value is not None}, secret, algorithm="HS256")
