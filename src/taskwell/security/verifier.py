"""Whom a token convinces.

The issuer decides which keys and algorithms may verify; what the token says of itself only picks the issuer.
"""

from taskwell.security import tokens
from taskwell.security.claims import ExternalClaims, TokenClaims
from taskwell.security.external import (
    SHARED_ALGORITHM,
    PublishedKeyVerifier,
    SharedSecretVerifier,
    origin_of,
)
from taskwell.security.jwks import PublishedKeys
from taskwell.security.unverified import UnverifiedToken, read_unverified
from taskwell.settings import Settings


class Verifier:
    """Verifies the tokens of every issuer that the settings name."""

    def __init__(self, settings: Settings) -> None:
        self._algorithm = settings.algorithm
        self._keys = settings.verifying_keys
        self._published = _published(settings)
        self._shared = _shared(settings)

    async def verify(self, text: str) -> TokenClaims | ExternalClaims | None:
        """The claims of a good token, else None.

        Raises:
            Unavailable: the issuer's keys are needed, and could not be fetched since this process began.
        """
        token = read_unverified(text)
        if token is None:
            return None
        if token.issuer == tokens.ISSUER:
            return self._own(token)
        external = self._shared if token.algorithm == SHARED_ALGORITHM else self._published
        return await external.verify(token) if external is not None else None

    def _own(self, token: UnverifiedToken) -> TokenClaims | None:
        found = (tokens.verify(token.text, key=key, algorithm=self._algorithm) for key in self._keys)
        return next((claims for claims in found if claims is not None), None)


def _published(settings: Settings) -> PublishedKeyVerifier | None:
    if settings.better_auth_url is None:
        return None
    origin = origin_of(settings.better_auth_url)
    return PublishedKeyVerifier(
        PublishedKeys(f"{settings.better_auth_url}/api/auth/jwks"),
        issuer=settings.better_auth_issuer or origin,
        audience=settings.better_auth_audience or origin,
    )


def _shared(settings: Settings) -> SharedSecretVerifier | None:
    if settings.better_auth_secret is None:
        return None
    return SharedSecretVerifier(
        settings.better_auth_secret.get_secret_value(),
        origin=origin_of(settings.better_auth_url) if settings.better_auth_url else None,
        issuer=settings.better_auth_issuer,
        audience=settings.better_auth_audience,
    )
