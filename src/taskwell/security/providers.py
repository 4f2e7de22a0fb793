"""The providers by which people sign in, and what is carried to one and back. Imported only where one is set."""

import base64
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from hashlib import blake2b
from typing import Protocol, Self

import orjson
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from taskwell.errors import NotFound
from taskwell.provider_errors import InvalidState
from taskwell.security.claims import ProviderIdentity
from taskwell.security.github import GitHub
from taskwell.security.issuer_client import IssuerClient
from taskwell.security.openid import OpenIdProvider
from taskwell.security.sign_in_state import STATE_SECONDS, SignInState
from taskwell.settings import Settings


class Provider(Protocol):
    """Attributes:
    name: What it is called in addresses.
    title: What people call it.
    trusted: Whether an e-mail that it has verified opens an account that has it already.
    """

    name: str
    title: str
    issuer: str
    trusted: bool

    async def authorization_url(self, *, redirect_uri: str, state: str, nonce: str, challenge: str) -> str:
        """Where somebody signs in.

        Raises:
            ProviderUnavailable: it does not say.
        """

    async def identity(
        self, *, code: str, issuer: str | None, redirect_uri: str, nonce: str, verifier: str
    ) -> ProviderIdentity:
        """Who has signed in.

        Args:
            issuer: Who says to have sent the code (RFC 9207).

        Raises:
            ProviderRefused: it does not prove that.
            ProviderUnavailable: it cannot be asked.
        """


class Providers:
    """All of them, by name."""

    def __init__(self, providers: Iterable[Provider], keys: Iterable[str]) -> None:
        """Args:
        keys: The secrets that seal what travels; the first seals, each opens.
        """
        self._all = {each.name: each for each in providers}
        self._seal = MultiFernet([Fernet(_key(each)) for each in keys])

    @classmethod
    def of_settings(cls, settings: Settings) -> Self:
        client = IssuerClient()
        found: list[Provider] = [OpenIdProvider(each, client) for each in settings.oidc_providers]
        if settings.github_client_id is not None and settings.github_client_secret is not None:
            secret = settings.github_client_secret.get_secret_value()
            found.append(GitHub(settings.github_client_id, secret, client))
        return cls(found, settings.verifying_keys)

    def __iter__(self) -> Iterator[Provider]:
        return iter(self._all.values())

    def find(self, name: str) -> Provider:
        """Raises:
        NotFound: none has this name.
        """
        if name not in self._all:
            raise NotFound("There is no such provider.")
        return self._all[name]

    def sealed(self, state: SignInState) -> str:
        return self._seal.encrypt(orjson.dumps(asdict(state))).decode().rstrip("=")

    def opened(self, sealed: str) -> SignInState:
        """Raises:
        InvalidState: it is not ours, or older than ten minutes.
        """
        try:
            text = self._seal.decrypt(sealed + "=" * (-len(sealed) % 4), STATE_SECONDS)
        except (InvalidToken, ValueError):
            raise InvalidState from None
        return SignInState(**orjson.loads(text))


def _key(secret: str) -> bytes:
    return base64.urlsafe_b64encode(blake2b(secret.encode(), digest_size=32, person=b"providers").digest())
