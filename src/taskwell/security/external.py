"""Tokens of Better Auth: signed with a key that it publishes, or with the secret that it shares.

Each verifier knows its issuer's own algorithms and keys. The claims are judged before the signature: that is
cheap, and so a token that is wrong anyway never costs a look for a key.
"""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import jwt

from taskwell.security.claims import ExternalClaims, digest
from taskwell.security.jwks import PublishedKeys
from taskwell.security.tokens import LEEWAY_SECONDS, is_id
from taskwell.security.unverified import UnverifiedToken

PUBLISHED_ALGORITHMS = ("EdDSA", "Ed25519", "ES256", "ES512", "PS256", "RS256")
PUBLISHED_CLAIMS = ("exp", "iss", "aud", "sub")
SHARED_ALGORITHM = "HS256"
SHARED_SUBJECTS = ("sub", "user_id", "userId", "id")
"""Where such a token may name its user; the first that is there counts."""

SOLE_ISSUER = "better-auth"
"""Who issues tokens that name no issuer, where the settings name none either."""

_DEFAULT_PORTS = {"http": 80, "https": 443}


class PublishedKeyVerifier:
    """Better Auth's ``jwt`` plugin: a signature by one of the keys of its JWKS."""

    def __init__(self, keys: PublishedKeys, *, issuer: str, audience: str) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience

    async def verify(self, token: UnverifiedToken) -> ExternalClaims:
        """Raises:
        jwt.PyJWTError: it is not valid, and says why.
        Unavailable: no key could be fetched since this process began.
        """
        key_id = token.header.get("kid")
        if token.algorithm not in PUBLISHED_ALGORITHMS:
            raise jwt.InvalidAlgorithmError(f"alg is not one of {', '.join(PUBLISHED_ALGORITHMS)}")
        if key_id is None:
            raise jwt.InvalidTokenError("kid is missing: it names the key that signed")
        self._decoded(token, None)
        key = await self._keys.find(key_id, str(token.algorithm))
        if key is None:
            raise jwt.InvalidKeyError(f"no key for this kid and {token.algorithm} is published")
        claims = self._decoded(token, key)
        return _external(claims, token, self._issuer, claims["sub"])

    def _decoded(self, token: UnverifiedToken, key: jwt.PyJWK | None) -> dict[str, Any]:
        return decoded(token, key, issuer=self._issuer, audience=self._audience, required=PUBLISHED_CLAIMS)


class SharedSecretVerifier:
    """HS256 with ``BETTER_AUTH_SECRET``: what a custom ``sign`` of Better Auth, or a front end's own server, makes.

    Such tokens often lack an issuer and an audience. Where one is configured it must be there; where it is only
    known from the URL's origin, it must be right if it is there.
    """

    def __init__(self, secret: str, *, origin: str | None, issuer: str | None, audience: str | None) -> None:
        self._secret = secret
        self._origin = origin
        self._issuer = issuer
        self._audience = audience

    async def verify(self, token: UnverifiedToken) -> ExternalClaims:
        """Raises:
        jwt.PyJWTError: it is not valid, and says why.
        """
        issuer = self._issuer or (self._origin if token.issuer is not None else None)
        audience = self._audience or (self._origin if token.claims.get("aud") is not None else None)
        claims = decoded(token, self._secret, issuer=issuer, audience=audience, required=("exp",))
        whose = self._issuer or self._origin or claims.get("iss") or SOLE_ISSUER
        subject = next((claims[name] for name in SHARED_SUBJECTS if claims.get(name) is not None), None)
        if isinstance(subject, int) and not isinstance(subject, bool):
            subject = str(subject)
        if subject is None:
            raise jwt.InvalidTokenError(f"the user is missing: none of {', '.join(SHARED_SUBJECTS)} is there")
        return _external(claims, token, whose, subject)


def decoded(
    token: UnverifiedToken,
    key: jwt.PyJWK | str | None,
    *,
    issuer: str | None,
    audience: str | None,
    required: Sequence[str],
) -> dict[str, Any]:
    """The claims if they hold, and, where a key is given, the signature by it.

    Args:
        token: It is checked by the key's own algorithm; a secret is for HS256 alone.
        key: None to look at the claims only.
        issuer: None for any or none; so is ``audience``.
        required: Claims that must be there.

    Raises:
        jwt.PyJWTError: they do not.
    """
    algorithms = [key.algorithm_name] if isinstance(key, jwt.PyJWK) else [SHARED_ALGORITHM]
    claims: dict[str, Any] = jwt.decode(
        token.text,
        key or "",
        algorithms=algorithms,
        issuer=issuer,
        audience=audience,
        leeway=LEEWAY_SECONDS,
        options={
            "verify_signature": key is not None,
            "verify_exp": True,
            "verify_nbf": True,
            "verify_iat": True,
            "verify_sub": False,  # the caller does: a shared secret's subject may be a number
            "verify_jti": True,
            "verify_iss": issuer is not None,
            "verify_aud": audience is not None,
            "require": list(required),
        },
    )
    if claims["exp"] <= time.time():  # the leeway is for clocks that are behind, not for tokens that are over
        raise jwt.ExpiredSignatureError("Signature has expired")
    return claims


def _external(claims: dict[str, Any], token: UnverifiedToken, issuer: object, subject: object) -> ExternalClaims:
    if not is_id(subject):
        raise jwt.InvalidTokenError("the user's id is not a text of 1 to 255 characters")
    if not is_id(issuer):
        raise jwt.InvalidIssuerError("iss is not a text of 1 to 255 characters")
    token_id = claims.get("jti")
    try:
        issued_at = datetime.fromtimestamp(int(claims["iat"]), UTC) if "iat" in claims else None
        expires_at = datetime.fromtimestamp(int(claims["exp"]), UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise jwt.InvalidTokenError("exp or iat is beyond the calendar") from error
    return ExternalClaims(
        issuer=issuer,
        subject=subject,
        token_id=digest(issuer, subject, token_id) if token_id else digest(token.signed_part),
        issued_at=issued_at,
        expires_at=expires_at,
        email=_text(claims.get("email")),
        name=_text(claims.get("name")),
        email_verified=claims.get("emailVerified") is True or claims.get("email_verified") is True,
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def origin_of(url: str) -> str:
    """Scheme, host and port as RFC 6454 section 6.2 writes them: in lower case, without a default port."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if ":" in host:
        host = f"[{host}]"
    is_default = parts.port is None or parts.port == _DEFAULT_PORTS.get(parts.scheme)
    return f"{parts.scheme}://{host}" if is_default else f"{parts.scheme}://{host}:{parts.port}"
