"""Origins, hosts and URLs of settings, written as a browser writes them, so that they can be compared as text.

pydantic's URLs follow the standard of browsers (WHATWG): lower case, no default port, IDN in its ASCII form.
"""

import re
from ipaddress import ip_address
from typing import Annotated

from pydantic import AfterValidator, AnyUrl, ValidationError

_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#@*\s]+", re.ASCII)
_PREFIX = re.compile(r"(?:[a-z0-9._~-]+(?:/[a-z0-9._~-]+)*)?", re.IGNORECASE | re.ASCII)
_READ_IN_TWO_WAYS = re.compile(r"[\\\s\x00-\x1f\x7f]")
"""What browsers turn into a slash, or leave out."""

_MORE_THAN_A_HOST = re.compile(r"[/?#@:,*\\\s]")


def as_origin(text: str) -> str:
    """The origin as RFC 6454 section 6.1 writes it; apps and extensions have schemes of their own.

    Raises:
        ValueError: it is more or less than scheme, host and port.
    """
    url = _parsed(text)
    origin = str(url).rstrip("/") if url is not None else ""
    if not _ORIGIN.fullmatch(origin):
        raise ValueError(f"{_without_user(text)!r} is not an origin such as https://app.example.com, without a path")
    return origin


def as_return_address(text: str) -> tuple[str, str]:
    """The address as a browser reads it, and its origin; apps have schemes of their own.

    Raises:
        ValueError: it has no origin, or holds credentials or a fragment.
    """
    url = None if _READ_IN_TWO_WAYS.search(text) else _parsed(text)
    address = str(url) if url is not None else ""
    found = _ORIGIN.match(address)
    if url is None or found is None or url.username or url.password or "#" in address:
        raise ValueError("it must be an address such as https://app.example.com/signed-in")
    return address, as_origin(found.group())


def as_server(text: str) -> str:
    """An http or https URL that may have a path, without a slash at its end.

    Raises:
        ValueError: it is something else, or holds credentials, a query or a fragment.
    """
    url = _parsed(text.strip())
    if (
        url is None
        or url.scheme not in ("http", "https")
        or url.query
        or url.fragment
        or url.username
        or url.password
    ):
        raise ValueError("it must be an address such as https://auth.example.com")
    return str(url).rstrip("/")


def as_host(text: str) -> str:
    """A host name or an IP address.

    Raises:
        ValueError: it has a scheme, a port or a path too, or is no host.
    """
    bare = text.strip()
    try:
        return ip_address(bare.removeprefix("[").removesuffix("]")).compressed
    except ValueError:
        url = None if _MORE_THAN_A_HOST.search(bare) else _parsed(f"http://{bare}")
    if url is None or not url.host:
        raise ValueError(
            f"{_without_user(text)!r} is not a host such as app.example.com, without scheme, port or path"
        )
    return url.host


def as_path_prefix(text: str) -> str:
    """The path, with a slash before it and none at its end; none at all is empty.

    Raises:
        ValueError: it is no path, or must be percent-encoded.
    """
    path = text.strip().strip("/")
    if not _PREFIX.fullmatch(path) or not {".", ".."}.isdisjoint(path.split("/")):
        raise ValueError("it must be a path such as /taskwell")
    return f"/{path}" if path else ""


def _parsed(text: str) -> AnyUrl | None:
    try:
        return AnyUrl(text)
    except ValidationError:
        return None


def _without_user(text: str) -> str:
    """No error repeats a password that was put into an address."""
    return re.sub(r"[^/@]*@", "…@", text)


def _origin_or_any(text: str) -> str:
    return "*" if text == "*" else as_origin(text)


def _host_pattern(text: str) -> str:
    if text.startswith("*."):
        return f"*.{as_host(text[2:])}"
    return "*" if text == "*" else as_host(text)


Origin = Annotated[str, AfterValidator(_origin_or_any)]
Host = Annotated[str, AfterValidator(as_host)]
HostPattern = Annotated[str, AfterValidator(_host_pattern)]
ServerUrl = Annotated[str, AfterValidator(as_server)]
PathPrefix = Annotated[str, AfterValidator(as_path_prefix)]
