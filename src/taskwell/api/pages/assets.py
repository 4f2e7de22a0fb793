"""The files that the pages load, all from this server."""

import mimetypes
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from pathlib import Path

from starlette.responses import Response

from taskwell.api.call import RequestContext
from taskwell.api.conditional import is_unchanged, weak

FOLDER = Path(__file__).parent / "assets"
FILES = (
    "icon.svg",
    "bar.css",
    "page.css",
    "docs.css",
    "docs.js",
    "redoc.js",
    "swagger-ui/swagger-ui.css",
    "swagger-ui/swagger-ui-bundle.js",
    "redoc/redoc.standalone.js",
)
FOREVER = "public, max-age=31536000, immutable"
"""The header for an address with a digest of its content; new content has a new address."""

FOR_A_WHILE = "public, max-age=3600"


@dataclass(frozen=True, slots=True)
class Asset:
    """A file with the digest of its content."""

    path: str
    content: bytes
    media_type: str
    mark: str

    @classmethod
    def from_content(cls, path: str, content: bytes, media_type: str) -> "Asset":
        return cls(path, content, media_type, blake2b(content, digest_size=8).hexdigest())

    @property
    def url(self) -> str:
        return f"/assets/{self.path}?v={self.mark}"

    def response(self, call: RequestContext) -> Response:
        """The file, or a 304 if the browser has it."""
        tag = weak(f'"{self.mark}"')
        is_marked = call.scope["query_string"] == f"v={self.mark}".encode()
        headers = {"ETag": tag, "Cache-Control": FOREVER if is_marked else FOR_A_WHILE}
        if is_unchanged(call, tag):
            return Response(status_code=304, headers=headers)
        return Response(self.content, headers=headers, media_type=self.media_type)


@cache
def asset(path: str) -> Asset:
    """The asset at a path, read once."""
    content = (FOLDER / path).read_bytes()
    media_type = mimetypes.guess_type(path)[0] or "application/octet-stream"
    return Asset.from_content(path, content, media_type)
