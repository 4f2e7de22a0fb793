"""JSON responses, and how long they may be kept."""

from collections.abc import Collection, Mapping
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
    body = content if isinstance(content, bytes) else _json(content)
    return Response(body, status, headers, media_type)


class ToldOnce(Response):
    """A response with secrets, which are null in the repeat of an idempotent request: that is what is stored.

    Attributes:
        repeat: The body of the repeat.
    """

    repeat: bytes


def told_once(content: Mapping[str, Any], secrets: Collection[str], *, status: int = 200) -> ToldOnce:
    """A response of plain values.

    Args:
        secrets: The names of those that are told this once.
    """
    response = ToldOnce(_json(content), status, PRIVATE, "application/json")
    response.repeat = _json({name: None if name in secrets else value for name, value in content.items()})
    return response


def _json(content: Any) -> bytes:
    return orjson.dumps(content, option=orjson.OPT_UTC_Z)
