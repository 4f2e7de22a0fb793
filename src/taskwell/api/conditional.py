"""ETags and the preconditions that use them (RFC 9110 section 13)."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from starlette.responses import Response
from starlette.types import Scope

from taskwell.api.call import RequestContext
from taskwell.api.replies import FRESH, json_response
from taskwell.errors import InvalidHeader, PreconditionRequired

_ENTITY_TAG = re.compile(r'[\s,]*(W/)?"([\x21\x23-\x7e\x80-\xff]*)"\s*(?:,[\s,]*|$)')
"""One of a list; RFC 9110 section 5.6.1 has empty elements ignored."""

_QUOTED = re.compile(r'"[^"]*"')
_CODING = re.compile(r"\.(?:zstd|gzip|br)(?=\"?$)")
"""What the ETag of a compressed answer ends with: it is the same thing to whoever asks for it."""

_OURS = re.compile(r"(0|[1-9][0-9]{0,17})")
_COUNTED = re.compile(r"(0|[1-9][0-9]{0,17})-[0-9]+")


def etag(revision: int, count: int | None = None) -> str:
    """The ETag of a revision, and of what is counted beside it, which changes without a write to the thing itself.

    A precondition asks for the revision alone: another count is no reason to refuse a write.
    """
    return f'"{revision}"' if count is None else f'"{revision}-{count}"'


def if_match(call: RequestContext, *, is_counted: bool = False) -> frozenset[int] | None:
    """The revisions that If-Match accepts, None for any; a weak tag or one that is not ours never matches.

    Args:
        is_counted: Whether the thing's ETag has a count beside the revision.

    Raises:
        InvalidHeader: it is not a list of entity tags.
        PreconditionRequired: there is none and ``REQUIRE_IF_MATCH`` is set.
    """
    header = _joined(call.scope, b"if-match")
    if header is None:
        if call.settings.require_if_match:
            raise PreconditionRequired("Send If-Match with the ETag that you read.")
        return None
    if header == "*":
        return None
    form = _COUNTED if is_counted else _OURS
    ours = [form.fullmatch(tag) for is_weak, tag in _parsed(header) if not is_weak]
    return frozenset(int(tag[1]) for tag in ours if tag is not None)


def is_unchanged(call: RequestContext, current: str) -> bool:
    """Whether If-None-Match holds this ETag; the comparison is weak, as section 13.1.2 says."""
    header = _joined(call.scope, b"if-none-match")
    return header is not None and (header == "*" or _held(header, current) is not None)


def tagged_response(
    call: RequestContext,
    tag: str,
    content: Callable[[], Any],
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> Response:
    """The content with its ETag, or 304 where the caller has it already, and then it is not made."""
    sent = FRESH | {"ETag": tag} | (headers or {})
    if call.scope["method"] in ("GET", "HEAD") and is_unchanged(call, tag):
        return Response(status_code=304, headers=sent)
    return json_response(content(), status=status, headers=sent)


def held_tag(scope: Scope, current: str) -> str | None:
    """The one tag of If-None-Match that is this ETag, in whichever coding the client has it."""
    header = _joined(scope, b"if-none-match")
    return None if header is None else _held(header, current)


def _held(header: str, current: str) -> str | None:
    tags = _QUOTED.findall(header)
    return current if current in tags else next((tag for tag in tags if _CODING.sub("", tag) == current), None)


def _joined(scope: Scope, name: bytes) -> str | None:
    values = [value for key, value in scope["headers"] if key == name]
    return b", ".join(values).decode("latin-1").strip() if values else None


def _parsed(header: str) -> Iterator[tuple[str, str]]:
    """Whether it is weak, and the tag, of each."""
    position = 0
    while position < len(header) or not position:
        match = _ENTITY_TAG.match(header, position)
        if match is None:
            raise InvalidHeader("If-Match must be '*' or a list of quoted ETags.")
        yield match[1] or "", match[2]
        position = match.end()
