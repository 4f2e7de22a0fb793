"""The token in an Authorization header, and the one that operators have."""

from hmac import compare_digest

from taskwell.errors import InvalidToken, NotFound, Unauthorized
from taskwell.settings import Settings

MAX_TOKEN_BYTES = 16_384
"""Better Auth puts the whole row of a user into its token; nothing sends headers longer than this."""


def bearer_token(authorization: list[bytes]) -> bytes:
    """The token of the one Authorization header (RFC 6750 section 2.1; the scheme has no case)."""
    if not authorization:
        raise Unauthorized
    scheme, _, token = authorization[0].replace(b"\t", b" ").partition(b" ")
    token = token.strip()
    if scheme.lower() != b"bearer" and len(authorization) == 1:
        raise Unauthorized
    if len(authorization) > 1 or not token or b" " in token or b"\t" in authorization[0]:
        raise InvalidToken("Send exactly one Authorization header with one bearer token.")
    if len(token) > MAX_TOKEN_BYTES:
        raise InvalidToken("The token is too long to be one of ours.")
    return token


def require_operator(settings: Settings, authorization: list[bytes]) -> None:
    """Lets anybody pass in development, and in production whoever has ``METRICS_TOKEN``.

    Raises:
        NotFound: in production without that setting there is nothing here.
        Unauthorized: no token was sent.
        InvalidToken: it is another one.
    """
    if not settings.is_production:
        return
    expected = settings.metrics_token
    if expected is None:
        raise NotFound("There is nothing at this address.")
    if not compare_digest(bearer_token(authorization), expected.get_secret_value().encode()):
        raise InvalidToken("This is not the METRICS_TOKEN.")
