"""ETags and the preconditions that use them (RFC 9110 section 13)."""

import re

from taskwell.api.call import RequestContext
from taskwell.errors import InvalidHeader, PreconditionRequired

_ENTITY_TAGS = re.compile(r'\s*(W/)?"([\x21\x23-\x7e\x80-\xff]*)"\s*(?:,|$)')


def etag(revision: int) -> str:
    return f'"{revision}"'


def if_match(call: RequestContext) -> frozenset[int] | None:
    """The revisions that If-Match accepts, None for any; a weak tag or one that is not ours never matches.

    Raises:
        InvalidHeader: it is not a list of entity tags.
        PreconditionRequired: there is none and ``REQUIRE_IF_MATCH`` is set.
    """
    header = _joined(call, b"if-match")
    if header is None:
        if call.settings.require_if_match:
            raise PreconditionRequired("Send If-Match with the ETag that you read.")
        return None
    if header == "*":
        return None
    tags = _parsed(header, "If-Match")
    return frozenset(
        int(tag) for is_weak, tag in tags if not is_weak and tag.isascii() and tag.isdigit() and len(tag) < 19
    )


def is_unchanged(call: RequestContext, current: str) -> bool:
    """Whether If-None-Match holds this ETag; the comparison is weak, as section 13.1.2 says."""
    header = _joined(call, b"if-none-match")
    if header is None:
        return False
    return header == "*" or any(f'"{tag}"' == current for _, tag in _lenient(header))


def _joined(call: RequestContext, name: bytes) -> str | None:
    values = call.headers(name)
    return b", ".join(values).decode("latin-1").strip() if values else None


def _lenient(header: str) -> list[tuple[str, str]]:
    return _ENTITY_TAGS.findall(header)


def _parsed(header: str, name: str) -> list[tuple[str, str]]:
    found, position = [], 0
    while position < len(header):
        match = _ENTITY_TAGS.match(header, position)
        if match is None:
            raise InvalidHeader(f"{name} must be '*' or a list of quoted ETags.")
        found.append((match[1] or "", match[2]))
        position = match.end()
    if not found:
        raise InvalidHeader(f"{name} must be '*' or a list of quoted ETags.")
    return found
