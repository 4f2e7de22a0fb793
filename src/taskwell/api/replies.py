"""JSON responses, and how long they may be kept."""

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.responses import Response

FRESH = {"Cache-Control": "private, no-cache"}
"""Kept by the client alone, and asked for again each time: that is what makes ETags work."""

PRIVATE = {"Cache-Control": "no-store"}
"""Kept by nobody: tokens and accounts."""


def json_response(
    content: Any, *, status: int = 200, headers: Mapping[str, str], media_type: str = "application/json"
) -> Response:
    """A response of plain values, or of bytes that are JSON already; instants are RFC 3339 in UTC with a Z."""
    body = content if isinstance(content, bytes) else orjson.dumps(content, option=orjson.OPT_UTC_Z)
    return Response(body, status, headers, media_type)
