"""Cross-origin requests (the Fetch standard, section 3.2), from ``ALLOWED_ORIGINS``."""

import structlog
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp

log = structlog.get_logger("taskwell.http")

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
REQUEST_HEADERS = (
    "Authorization",
    "Content-Type",
    "If-Match",
    "If-None-Match",
    "Idempotency-Key",
    "Last-Event-ID",
    "X-Request-ID",
    "traceparent",
    "tracestate",
    "baggage",
    "sentry-trace",
)
EXPOSED = (
    "ETag",
    "Location",
    "Link",
    "X-Request-ID",
    "X-Total-Count",
    "Retry-After",
    "RateLimit",
    "RateLimit-Policy",
    "Idempotency-Replayed",
)
VARY = (b"vary", b"Origin")
"""What Starlette adds to an answer without an origin: 7 of the 110 µs that one task takes, so the gateway does it."""

LONGEST_SHOWN = 200


class Cors(CORSMiddleware):
    """Starlette's, which tells the operator why a browser says no more than "Failed to fetch".

    Listed origins may also send credentials, which some clients do by habit; no cookie is ever read here. With
    ``*`` (refused in production) nobody may.
    """

    def __init__(self, app: ASGIApp, origins: tuple[str, ...]) -> None:
        super().__init__(
            app,
            allow_origins=origins,
            allow_methods=METHODS,
            allow_headers=REQUEST_HEADERS,
            allow_credentials="*" not in origins,
            expose_headers=EXPOSED,
        )

    def preflight_response(self, request_headers: Headers) -> Response:
        response = super().preflight_response(request_headers)
        if response.status_code != 200:
            origin = request_headers["origin"]
            log.warning(
                "preflight refused",
                origin=origin[:LONGEST_SHOWN],
                reason="its method or one of its headers is not allowed"
                if self.is_allowed_origin(origin)
                else "add the origin to ALLOWED_ORIGINS if its pages may call",
            )
        return response
