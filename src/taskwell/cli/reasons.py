"""Why a token is refused, for the operator who has it in front of them; a caller is not told."""

import math
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from taskwell.security import tokens
from taskwell.security.external import PUBLISHED_ALGORITHMS, SHARED_ALGORITHM, origin_of
from taskwell.security.unverified import UnverifiedToken, read_unverified
from taskwell.settings import Settings


def why_refused(text: str, settings: Settings) -> str:
    """The claims that are not as they must be, or what else it is."""
    token = read_unverified(text)
    if token is None:
        return "it is no signed JWT: three parts of base64url with dots between, and JSON in the first two"
    wrong = list(_wrong_claims(token, settings))
    if wrong:
        return "; ".join(wrong)
    keys = "SECRET_KEY" if token.issuer == tokens.ISSUER else _keys(token, settings)
    return f"its claims are as they must be, and its signature is not by {keys}"


def _wrong_claims(token: UnverifiedToken, settings: Settings) -> Iterator[str]:
    claims, now = token.claims, datetime.now(UTC)
    issuer, audience = _expected(token, settings)
    if issuer is not None and token.issuer != issuer:
        yield f"iss is {_shown(token.issuer)}, expected {_shown(issuer)}"
    if audience is not None and audience not in _several(claims.get("aud")):
        yield f"aud is {_shown(claims.get('aud'))}, expected {_shown(audience)}"
    for name in ("exp", "iat", "jti") if token.issuer == tokens.ISSUER else ("exp",):
        if name not in claims:
            yield f"{name} is missing"
    if claims.get("exp", math.inf) <= now.timestamp():
        yield f"exp is {_instant(claims['exp'])}, and it is {_instant(now.timestamp())}: it has expired"
    for name in ("iat", "nbf"):
        if claims.get(name, 0) > now.timestamp() + tokens.LEEWAY_SECONDS:
            yield f"{name} is {_instant(claims[name])}, and it is {_instant(now.timestamp())}: one clock is wrong"
    if not tokens.is_id(claims.get("sub", claims.get("user_id", claims.get("id")))):
        yield f"sub is {_shown(claims.get('sub'))}, expected a user's id"


def _expected(token: UnverifiedToken, settings: Settings) -> tuple[str | None, str | None]:
    """The ``iss`` and ``aud`` that such a token must have; None where anything is taken."""
    origin = origin_of(settings.better_auth_url) if settings.better_auth_url else None
    issuer, audience = settings.better_auth_issuer or origin, settings.better_auth_audience or origin
    is_shared = token.algorithm == SHARED_ALGORITHM and settings.better_auth_secret is not None
    if token.issuer == tokens.ISSUER or not (is_shared or settings.better_auth_url):
        return tokens.ISSUER, tokens.AUDIENCE
    if not is_shared:
        return issuer, audience
    return (
        settings.better_auth_issuer or (origin if token.issuer is not None else None),
        settings.better_auth_audience or (origin if token.claims.get("aud") is not None else None),
    )


def _keys(token: UnverifiedToken, settings: Settings) -> str:
    if token.algorithm == SHARED_ALGORITHM:
        return "BETTER_AUTH_SECRET"
    return f"a key at {settings.better_auth_url}, which are for {', '.join(PUBLISHED_ALGORITHMS)}"


def _several(audience: Any) -> list[Any]:
    return audience if isinstance(audience, list) else [audience]


def _shown(value: object) -> str:
    return "missing" if value is None else repr(value)


def _instant(seconds: float) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
    except (ValueError, OverflowError, OSError):
        return str(seconds)
