"""ETags and the preconditions that use them (RFC 9110 section 13)."""

import re
from collections.abc import Iterable, Iterator
from typing import Annotated, Any

from fastapi import Depends
from starlette.types import Scope

from taskwell.api.call import Beforehand, RequestContext
from taskwell.errors import InvalidHeader, PreconditionRequired
from taskwell.spaces.precondition import Precondition

_ENTITY_TAG = re.compile(r'[\s,]*(W/)?"([\x21\x23-\x7e\x80-\xff]*)"\s*(?:,[\s,]*|$)')
"""One of a list; RFC 9110 section 5.6.1 has empty elements ignored."""

_QUOTED = re.compile(r'"([^"]*)"')
_OURS = re.compile(r"(0|[1-9][0-9]{0,17})")
_COUNTED = re.compile(r"(0|[1-9][0-9]{0,17})-[0-9]+")
_WITH_SUFFIX = re.compile(r"[0-9]+(-[0-9]+)?[-+.:;_]+[A-Za-z][\w.-]*", re.ASCII)
"""What several proxies make of our tags when they compress: ``37-gzip``."""


def etag(revision: int, count: int | None = None) -> str:
    """The ETag of a revision, and of what is counted beside it, which changes without a write to the thing itself.

    A precondition asks for the revision alone: another count is no reason to refuse a write.
    """
    return f'"{revision}"' if count is None else f'"{revision}-{count}"'


def weak(tag: str) -> str:
    """The ETag for what is shown in several codings, and is only ever compared by If-None-Match."""
    return f"W/{tag}"


def _precondition(call: RequestContext, form: re.Pattern[str]) -> Precondition | None:
    """The preconditions of a write; None where there are none. For ``If-None-Match: *`` see ``Operation``.

    If-Match compares strongly: a weak tag or one that is not ours never matches.

    Args:
        form: How the ETag of the thing is written.

    Raises:
        InvalidHeader: it is not a list of entity tags.
        PreconditionRequired: there is none and ``REQUIRE_IF_MATCH`` is set.
    """
    wanted, unwanted = _joined(call.scope, b"if-match"), _joined(call.scope, b"if-none-match")
    if wanted is None and call.settings.require_if_match:
        raise PreconditionRequired("Send If-Match with the ETag that you read.")
    if wanted in (None, "*") and unwanted is None:
        return None
    refused = _revisions(form, _QUOTED.findall(unwanted or ""))
    if wanted in (None, "*"):
        return Precondition(refused=refused)
    tags = list(_parsed(wanted))
    accepted = _revisions(form, (tag for is_weak, tag in tags if not is_weak))
    return Precondition(accepted, refused, any(is_weak or _WITH_SUFFIX.fullmatch(tag) for is_weak, tag in tags))


async def _of_revision(call: RequestContext, **_: Any) -> Precondition | None:
    return _precondition(call, _OURS)


async def _of_counted(call: RequestContext, **_: Any) -> Precondition | None:
    return _precondition(call, _COUNTED)


IfMatch = Annotated[Precondition | None, Depends(Beforehand(_of_revision, header="If-Match"))]
IfMatchCounted = Annotated[Precondition | None, Depends(Beforehand(_of_counted, header="If-Match"))]
"""The preconditions of a write to a thing whose ETag has a count beside the revision."""


def _revisions(form: re.Pattern[str], tags: Iterable[str]) -> frozenset[int]:
    return frozenset(int(ours[1]) for tag in tags if (ours := form.fullmatch(tag)) is not None)


def is_unchanged(call: RequestContext, current: str) -> bool:
    """Whether If-None-Match holds this ETag; the comparison is weak, as section 13.1.2 says."""
    header = _joined(call.scope, b"if-none-match")
    return header is not None and (header == "*" or current.removeprefix("W/")[1:-1] in _QUOTED.findall(header))


def refuses_whatever_exists(call: RequestContext) -> bool:
    """Whether it is a write that must not touch anything that is there already."""
    is_write = call.scope["method"] not in ("GET", "HEAD")
    return is_write and _joined(call.scope, b"if-none-match") == "*"


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
