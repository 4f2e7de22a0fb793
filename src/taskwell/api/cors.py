"""Cross-origin requests (the Fetch standard, section 3.2), from ``ALLOWED_ORIGINS``."""

from starlette.responses import Response
from starlette.types import Scope

METHODS = "GET, POST, PUT, PATCH, DELETE"
REQUEST_HEADERS = "Authorization, Content-Type, If-Match, If-None-Match, Idempotency-Key, X-Request-ID"
EXPOSED = b"ETag, Location, Link, X-Request-ID, Retry-After, RateLimit, RateLimit-Policy, Idempotency-Replayed"
PREFLIGHT_SECONDS = 600
VARY = (b"vary", b"Origin")


class Cors:
    """Which origins may read responses.

    Listed origins may also send credentials, which some clients do by habit; no cookie is ever read here. With
    ``*`` (refused in production) nobody may.
    """

    def __init__(self, origins: tuple[str, ...]) -> None:
        self._is_open = "*" in origins
        self._origins = frozenset(origin.encode() for origin in origins)

    def headers(self, origin: bytes | None) -> list[tuple[bytes, bytes]]:
        """What a response to this origin carries."""
        if origin is None:
            return [VARY]
        if self._is_open:
            return [(b"access-control-allow-origin", b"*"), (b"access-control-expose-headers", EXPOSED)]
        if origin not in self._origins:
            return [VARY]
        return [
            VARY,
            (b"access-control-allow-origin", origin),
            (b"access-control-allow-credentials", b"true"),
            (b"access-control-expose-headers", EXPOSED),
        ]

    def preflight(self, scope: Scope) -> Response | None:
        """The answer to a preflight request, on any path; None for any other request."""
        if scope["method"] != "OPTIONS":
            return None
        names = {name for name, _ in scope["headers"]}
        if b"origin" not in names or b"access-control-request-method" not in names:
            return None
        headers = {
            "Access-Control-Allow-Methods": METHODS,
            "Access-Control-Allow-Headers": REQUEST_HEADERS,
            "Access-Control-Max-Age": str(PREFLIGHT_SECONDS),
        }
        return Response(status_code=204, headers=headers)
