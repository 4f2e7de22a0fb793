"""What an endpoint returns where headers follow from the content.

Its type stands in the endpoint's signature: there the OpenAPI document finds which headers the operation gives.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from starlette.responses import Response

from taskwell.api.call import RequestContext
from taskwell.api.conditional import is_unchanged
from taskwell.api.replies import FRESH, json_response


@dataclass(slots=True)
class Answer(ABC):
    """The content of an answer, and what its headers are made of.

    Attributes:
        gives: The names of the headers.
        content: Makes the content, unless the caller has it already.
    """

    gives: ClassVar[tuple[str, ...]]
    content: Callable[[], Any]

    @abstractmethod
    def headers(self, call: RequestContext) -> dict[str, str]:
        """Those of ``gives`` that apply to this answer."""

    def response(self, call: RequestContext, status: int) -> Response:
        """The content with its headers, or 304 for a GET whose caller has it already."""
        headers = FRESH | self.headers(call)
        if "ETag" in headers and call.scope["method"] in ("GET", "HEAD") and is_unchanged(call, headers["ETag"]):
            return Response(status_code=304, headers=FRESH | {"ETag": headers["ETag"]})
        return json_response(self.content(), status=status, headers=headers)


@dataclass(slots=True)
class Tagged(Answer):
    """What has an ETag."""

    gives: ClassVar[tuple[str, ...]] = ("ETag",)
    tag: str

    def headers(self, call: RequestContext) -> dict[str, str]:
        return {"ETag": self.tag}


@dataclass(slots=True)
class Made(Tagged):
    """A new thing, whose address is its id below that of the request."""

    gives: ClassVar[tuple[str, ...]] = ("ETag", "Location")
    id: str

    def headers(self, call: RequestContext) -> dict[str, str]:
        return {"ETag": self.tag, "Location": call.address_of(self.id)}


@dataclass(slots=True)
class Paged(Answer):
    """One page.

    Attributes:
        tag: None where the content changes without a write.
        next_cursor: None on the last page.
    """

    gives: ClassVar[tuple[str, ...]] = ("ETag", "Link")
    tag: str | None
    next_cursor: str | None = None

    def headers(self, call: RequestContext) -> dict[str, str]:
        tag = {} if self.tag is None else {"ETag": self.tag}
        return tag | call.link_to_next("cursor", self.next_cursor)
