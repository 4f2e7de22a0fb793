"""The public keys that an issuer publishes (RFC 7517): fetched when needed, and kept."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

import jwt
import orjson
import structlog
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from taskwell.errors import Unavailable
from taskwell.security.issuer_client import IssuerClient

log = structlog.get_logger("taskwell.security")

MAX_AGE_SECONDS = 300.0
"""After this the keys are fetched again, beside the requests, so that a withdrawn key does not stay for ever."""

PATIENCE_SECONDS = 5.0
"""A fetch that failed, or that did not bring the key that it was for, is not repeated for this long."""

MIN_RSA_BITS = 2048

_ALGORITHMS: Mapping[tuple[object, object], tuple[str, ...]] = {
    ("OKP", "Ed25519"): ("EdDSA", "Ed25519"),
    ("EC", "P-256"): ("ES256",),
    ("EC", "P-521"): ("ES512",),
    ("RSA", None): ("RS256", "PS256"),
}
_OLDER_NAMES = {"Ed25519": "EdDSA"}
"""RFC 9864 gave the algorithm a second name, which PyJWT does not know."""

_PUBLIC_MEMBERS = frozenset({"kty", "crv", "x", "y", "n", "e"})

Keys = dict[tuple[str, str], jwt.PyJWK]
"""Each key by its ``kid`` and an algorithm that it may verify."""


class PublishedKeys:
    """The keys at one address.

    One fetch serves all who wait for it. While the issuer is down the keys that are known stay good.
    """

    def __init__(
        self, url: str, clock: Callable[[], float] = time.monotonic, client: IssuerClient | None = None
    ) -> None:
        self.url = url
        self._clock = clock
        self._keys: Keys | None = None
        self._fetched_at = 0.0
        self._began_at = 0.0
        self._may_fetch_at = float("-inf")
        self._fetching: asyncio.Task[None] | None = None
        self._client = client or IssuerClient()

    async def find(self, key_id: str, algorithm: str) -> jwt.PyJWK | None:
        """The key with this ``kid``, if it is published for this algorithm.

        Raises:
            Unavailable: none has ever been fetched, and the issuer does not answer.
        """
        wanted = (key_id, algorithm)
        if self._keys is None or wanted not in self._keys:
            await self._fetch_for(wanted)
        elif self._clock() - self._fetched_at > MAX_AGE_SECONDS:
            self._begin_fetch()
        if self._keys is None:
            raise Unavailable("The issuer of this token cannot be reached to verify it; try again shortly.")
        return self._keys.get(wanted)

    async def _fetch_for(self, wanted: tuple[str, str]) -> None:
        fetching = self._begin_fetch()
        if fetching is None:
            return
        await asyncio.shield(fetching)
        if self._keys is None or wanted not in self._keys:
            self._may_fetch_at = self._began_at + PATIENCE_SECONDS

    def _begin_fetch(self) -> asyncio.Task[None] | None:
        """The fetch that runs or may run now; None while it is too soon for another."""
        if self._fetching is None and self._clock() >= self._may_fetch_at:
            self._began_at = self._clock()
            self._fetching = asyncio.create_task(self._fetch())
        return self._fetching

    async def _fetch(self) -> None:
        try:
            self._keys = await self.download()
            self._fetched_at = self._began_at
        except Exception as error:  # noqa: BLE001  # whatever it was, the keys that are known stay
            self._may_fetch_at = self._began_at + PATIENCE_SECONDS
            log.warning("keys not fetched", url=self.url, error=f"{type(error).__name__}: {error}"[:200])
        finally:
            self._fetching = None

    async def download(self) -> Keys:
        """What is published now; redirects are followed within the origin.

        Raises:
            ValueError: it is no JWKS, or not to be had there.
        """
        return readable_keys(await self._client.fetch(self.url))


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
        if isinstance(each, dict) and isinstance(each.get("kid"), str):
            keys |= {(each["kid"], key.algorithm_name): key for key in _usable(each)}
    return keys


def _usable(published: Mapping[str, Any]) -> list[jwt.PyJWK]:
    """The key for each algorithm that it may verify; private members, should there be any, are not looked at."""
    public = {name: value for name, value in published.items() if name in _PUBLIC_MEMBERS}
    algorithm = published.get("alg")
    try:
        if published.get("use", "sig") != "sig" or "verify" not in published.get("key_ops", ("verify",)):
            return []
        fitting = _ALGORITHMS.get((public.get("kty"), public.get("crv")), ())
        if algorithm is not None:
            older = _OLDER_NAMES.get(algorithm, algorithm)
            fitting = tuple(name for name in fitting if _OLDER_NAMES.get(name, name) == older)
        return [_key_for(public, name) for name in fitting]
    except (jwt.PyJWTError, ValueError, TypeError, AttributeError):
        return []


def _key_for(public: dict[str, Any], algorithm: str) -> jwt.PyJWK:
    key = jwt.PyJWK(public, _OLDER_NAMES.get(algorithm, algorithm))
    if isinstance(key.key, RSAPublicKey) and key.key.key_size < MIN_RSA_BITS:
        raise jwt.InvalidKeyError(f"the key has {key.key.key_size} bits; {MIN_RSA_BITS} are the least")
    key.algorithm_name = algorithm
    return key
