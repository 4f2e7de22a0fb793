"""The public keys that an issuer publishes (RFC 7517): fetched when needed, and kept."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import jwt
import orjson
import structlog
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from taskwell.errors import Unavailable

if TYPE_CHECKING:
    import httpx2

log = structlog.get_logger("taskwell.security")

MAX_AGE_SECONDS = 300.0
"""After this the keys are fetched again, beside the requests, so that a withdrawn key does not stay for ever."""

PATIENCE_SECONDS = 5.0
"""A fetch that failed, or that did not bring the key that it was for, is not repeated for this long."""

FETCH_SECONDS = 4.0
MAX_BYTES = 262_144
MIN_RSA_BITS = 2048

_ALGORITHMS: Mapping[tuple[object, object], tuple[str, ...]] = {
    ("OKP", "Ed25519"): ("EdDSA",),
    ("EC", "P-256"): ("ES256",),
    ("EC", "P-521"): ("ES512",),
    ("RSA", None): ("RS256", "PS256"),
}
_PUBLIC_MEMBERS = frozenset({"kty", "crv", "x", "y", "n", "e"})

Keys = dict[str, dict[str, jwt.PyJWK]]
"""Each key by its ``kid``, and for each algorithm that it may verify."""


class PublishedKeys:
    """The keys at one address.

    One fetch serves all who wait for it. While the issuer is down the keys that are known stay good.
    """

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.url = url
        self._clock = clock
        self._keys: Keys | None = None
        self._fetched_at = 0.0
        self._began_at = 0.0
        self._may_fetch_at = float("-inf")
        self._fetching: asyncio.Task[None] | None = None
        self._client: httpx2.AsyncClient | None = None

    async def find(self, key_id: str, algorithm: str) -> jwt.PyJWK | None:
        """The key with this ``kid``, if it is published for this algorithm.

        Raises:
            Unavailable: none has ever been fetched, and the issuer does not answer.
        """
        if self._keys is None or key_id not in self._keys:
            await self._fetch_for(key_id)
        elif self._clock() - self._fetched_at > MAX_AGE_SECONDS:
            self._begin_fetch()
        if self._keys is None:
            raise Unavailable("The issuer of this token cannot be reached to verify it; try again shortly.")
        return self._keys.get(key_id, {}).get(algorithm)

    async def _fetch_for(self, key_id: str) -> None:
        fetching = self._begin_fetch()
        if fetching is None:
            return
        await asyncio.shield(fetching)
        if self._keys is None or key_id not in self._keys:
            self._may_fetch_at = self._began_at + PATIENCE_SECONDS

    def _begin_fetch(self) -> asyncio.Task[None] | None:
        """The fetch that runs or may run now; None while it is too soon for another."""
        if self._fetching is None and self._clock() >= self._may_fetch_at:
            self._began_at = self._clock()
            self._fetching = asyncio.create_task(self._fetch())
        return self._fetching

    async def _fetch(self) -> None:
        try:
            self._keys = readable_keys(await self._download())
            self._fetched_at = self._began_at
        except Exception as error:  # noqa: BLE001  # whatever it was, the keys that are known stay
            self._may_fetch_at = self._began_at + PATIENCE_SECONDS
            log.warning("keys not fetched", url=self.url, error=f"{type(error).__name__}: {error}"[:200])
        finally:
            self._fetching = None

    async def _download(self) -> bytes:
        if self._client is None:
            self._client = await asyncio.to_thread(_new_client)
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        async with asyncio.timeout(FETCH_SECONDS), self._client.stream("GET", self.url, headers=headers) as response:
            if response.status_code != 200:
                raise ValueError(f"the answer is {response.status_code}")
            content = bytearray()
            async for chunk in response.aiter_raw():
                content += chunk
                if len(content) > MAX_BYTES:
                    raise ValueError(f"the answer is longer than {MAX_BYTES} bytes")
            return bytes(content)


def _new_client() -> "httpx2.AsyncClient":
    """In a thread: the import and reading the system's certificates take longer than a request may wait."""
    import httpx2  # noqa: PLC0415

    return httpx2.AsyncClient(timeout=FETCH_SECONDS, limits=httpx2.Limits(max_keepalive_connections=0))


def readable_keys(content: bytes) -> Keys:
    """The usable keys of a JWKS; those of other kinds and uses, and broken ones, are left out.

    Raises:
        ValueError: it is not a JWKS at all.
    """
    document = orjson.loads(content)
    published = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(published, list):
        raise ValueError("the answer is not a JWKS")  # noqa: TRY004  # it is the text that is wrong
    keys: Keys = {}
    for each in published:
        if isinstance(each, dict) and isinstance(each.get("kid"), str) and (usable := _usable(each)):
            keys[each["kid"]] = usable
    return keys


def _usable(published: Mapping[str, Any]) -> dict[str, jwt.PyJWK]:
    """The key for each algorithm that it may verify; private members, should there be any, are not looked at."""
    public = {name: value for name, value in published.items() if name in _PUBLIC_MEMBERS}
    try:
        if published.get("use", "sig") != "sig" or "verify" not in published.get("key_ops", ("verify",)):
            return {}
        fitting = _ALGORITHMS.get((public.get("kty"), public.get("crv")), ())
        keys = {name: jwt.PyJWK(public, name) for name in fitting if published.get("alg", name) == name}
    except (jwt.PyJWTError, ValueError, TypeError, AttributeError):
        return {}
    return {name: key for name, key in keys.items() if not isinstance(key.key, RSAPublicKey) or _is_long(key.key)}


def _is_long(key: RSAPublicKey) -> bool:
    return key.key_size >= MIN_RSA_BITS
