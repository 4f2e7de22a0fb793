"""Our own access tokens: JWTs (RFC 7519) signed with HS256 and ``SECRET_KEY``."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeGuard
from uuid import UUID

import jwt
from uuid_utils import uuid7

from taskwell.security.claims import TokenClaims

ISSUER = "taskwell"
AUDIENCE = "taskwell"
LEEWAY_SECONDS = 30
"""How far the issuer's clock may be ahead (``iat``, ``nbf``); it does not lengthen a token's life."""

MAX_ID = 255
REQUIRED = ["iss", "aud", "sub", "iat", "exp", "jti"]


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A new token and when it ends."""

    text: str
    expires_at: datetime


def issue(
    subject: str,
    *,
    key: str,
    algorithm: str,
    now: datetime,
    lifetime: timedelta,
    as_of: datetime | None = None,
    signed_in_at: datetime | None = None,
) -> AccessToken:
    """A new token.

    Args:
        as_of: The instant that counts where tokens from before another are refused; ``now`` where none is given.
        signed_in_at: That of the token that it renews; ``now`` where none is given.
    """
    expires_at = (now + lifetime).replace(microsecond=0)
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": subject,
        "iat": int(now.timestamp()),
        "exp": int(expires_at.timestamp()),
        "auth_time": int((signed_in_at or now).timestamp()),
        "jti": str(uuid7(nanoseconds=int((as_of or now).timestamp() * 1000) * 1_000_000)),
    }
    return AccessToken(jwt.encode(claims, key, algorithm=algorithm), expires_at)


def verify(text: str, *, key: str, algorithm: str) -> TokenClaims:
    """The claims of a token of ours.

    Raises:
        jwt.InvalidTokenError: it is not valid, and says why.
    """
    try:
        claims = jwt.decode(
            text,
            key,
            algorithms=[algorithm],
            issuer=ISSUER,
            audience=AUDIENCE,
            leeway=LEEWAY_SECONDS,
            options={"require": REQUIRED},
        )
        if claims["exp"] <= time.time():
            raise jwt.ExpiredSignatureError("Signature has expired")
        if str(UUID(claims["sub"])) != claims["sub"] or not is_id(claims["jti"]):
            raise jwt.InvalidTokenError("sub or jti is not an id of ours")
        expires_at = datetime.fromtimestamp(claims["exp"], UTC)
        signed_in_at = datetime.fromtimestamp(claims.get("auth_time", claims["iat"]), UTC)
        return TokenClaims(claims["sub"], claims["jti"], _issued_at(claims), expires_at, signed_in_at)
    except (TypeError, ValueError, OverflowError, OSError) as error:
        raise jwt.InvalidTokenError(str(error)) from error


def is_id(value: object) -> TypeGuard[str]:
    """Whether it can be stored as the id of a user or a token."""
    return isinstance(value, str) and 0 < len(value) <= MAX_ID and "\x00" not in value


def _issued_at(claims: dict[str, Any]) -> datetime:
    try:
        token_id = UUID(claims["jti"])
    except ValueError:
        token_id = None
    if token_id is not None and token_id.version == 7:
        return datetime.fromtimestamp((token_id.int >> 80) / 1000, UTC)
    return datetime.fromtimestamp(claims["iat"], UTC)
