"""Which names this server answers to, from ``ALLOWED_HOSTS``."""

import re
from functools import lru_cache

from starlette.types import Scope

from taskwell.errors import InvalidHeader, UnknownHost

PROBES = frozenset({"/health", "/health/live", "/health/ready"})
"""Answered by whatever name: what asks them knows the machine's address alone, and they tell nothing else."""

_HOST = re.compile(rb"(\[[0-9A-Fa-f:.]+\]|(?:[\w.~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+)(?::\d*)?", re.ASCII)
"""RFC 9110 section 7.2; an http URL has a host that is not empty."""


class Hosts:
    """The names that a Host header may hold; ``*`` is any, ``*.example.com`` every name below example.com."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._is_open = "*" in names
        self._names = frozenset(name for name in names if not name.startswith("*."))
        self._endings = tuple(name[1:] for name in names if name.startswith("*."))

    def check(self, scope: Scope) -> None:
        """Checks the Host header.

        Raises:
            InvalidHeader: HTTP/1.1 needs exactly one valid Host header (RFC 9112 section 3.2).
            UnknownHost: the request is for another host.
        """
        values = [value for name, value in scope["headers"] if name == b"host"]
        host = _host_in(values[0]) if len(values) == 1 else None
        if not values and scope["http_version"] == "1.0":
            host = ""
        if host is None:
            raise InvalidHeader("Send one Host header with the name of this server.")
        if self._is_open or host in self._names or (host and host.endswith(self._endings)):
            return
        if scope["path"] not in PROBES:
            raise UnknownHost("This server does not answer to that host name.")


@lru_cache(maxsize=64)
def _host_in(value: bytes) -> str | None:
    """The host's name without its port; None where the header names no host."""
    match = _HOST.fullmatch(value)
    return match[1].strip(b"[]").decode().lower() if match else None
