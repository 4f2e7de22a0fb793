"""Whom a token convinces.

The issuer decides which keys and algorithms may verify; what the token says of itself only picks the issuer.
"""

from contextlib import suppress

import jwt

from taskwell.errors import InvalidToken
from taskwell.security import tokens
from taskwell.security.claims import ExternalClaims, TokenClaims
from taskwell.security.external import (
    SHARED_ALGORITHM,
    PublishedKeyVerifier,
    SharedSecretVerifier,
    origin_of,
)
from taskwell.security.jwks import PublishedKeys
from taskwell.security.unverified import read_unverified
from taskwell.settings import Settings

MAX_REASON = 200


class Verifier:
    """Verifies the tokens of every issuer that the settings name."""

    def __init__(self, settings: Settings) -> None:
        self._algorithm = settings.algorithm
        self._keys = settings.verifying_keys
        self._published = _published(settings)
        self._shared = _shared(settings)

    async def verify(self, text: str) -> TokenClaims | ExternalClaims:
        """The claims of a good token.

        Raises:
            InvalidToken: it is not good, and why.
            Unavailable: the issuer's keys are needed, and could not be fetched since this process began.
        """
        try:
            token = read_unverified(text)
            if token.issuer == tokens.ISSUER:
                return self._own(text)
            external = self._shared if token.algorithm == SHARED_ALGORITHM else self._published
            if external is None:
                raise jwt.InvalidIssuerError("iss and alg name no issuer that this server trusts")
            return await external.verify(token)
        except jwt.ExpiredSignatureError:
            raise InvalidToken("The token has expired; sign in again.") from None
        except (jwt.PyJWTError, UnicodeEncodeError) as error:
            reason = str(error).encode(errors="replace").decode()[:MAX_REASON].rstrip(".")  # it may quote the token
            raise InvalidToken(f"The token is refused: {reason}.") from error

    def _own(self, text: str) -> TokenClaims:
        for key in self._keys[:-1]:
            with suppress(jwt.InvalidSignatureError):
                return tokens.verify(text, key=key, algorithm=self._algorithm)
        return tokens.verify(text, key=self._keys[-1], algorithm=self._algorithm)


def _published(settings: Settings) -> PublishedKeyVerifier | None:
    if settings.better_auth_url is None or settings.jwks_url is None:
        return None
    origin = origin_of(settings.better_auth_url)
    return PublishedKeyVerifier(
        PublishedKeys(settings.jwks_url),
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
