"""JSON responses, and how long they may be kept."""

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.responses import Response

FRESH = {"Cache-Control": "private, no-cache"}
"""Kept by the client alone, and asked for again each time: that is what makes ETags work."""

PRIVATE = {"Cache-Control": "no-store"}
"""Kept by nobody: tokens and accounts."""


class ToldOnce(Response):
    """A response with a secret.

    Attributes:
        repeatable: The body without the secret, for whoever sends the request again: it is stored nowhere.
    """

    repeatable: bytes


def told_once(content: dict[str, Any], *secrets: str, status: int = 200) -> Response:
    """A response whose secret members are null when an ``Idempotency-Key`` repeats it."""
    body, repeatable = (
        orjson.dumps(each, option=orjson.OPT_UTC_Z) for each in (content, content | dict.fromkeys(secrets))
    )
    response = ToldOnce(body, status, PRIVATE, "application/json")
    response.repeatable = repeatable
    return response


def json_response(
    content: Any, *, status: int = 200, headers: Mapping[str, str], media_type: str = "application/json"
) -> Response:
    """A response of plain values, or of bytes that are JSON already; instants are RFC 3339 in UTC with a Z."""
    body = content if isinstance(content, bytes) else _json(content)
    return Response(body, status, headers, media_type)


def _json(content: Any) -> bytes:
    return orjson.dumps(content, option=orjson.OPT_UTC_Z)
