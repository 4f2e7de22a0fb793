"""Which names this server answers to, from ``ALLOWED_HOSTS``."""

from starlette.types import Scope

from taskwell.errors import UnknownHost

PROBES = frozenset({"/health", "/health/live", "/health/ready"})
"""Answered by whatever name: what asks them knows the machine's address alone, and they tell nothing else."""


class Hosts:
    """The names that a Host header may hold; ``*`` is any, ``*.example.com`` every name below example.com."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._is_open = "*" in names
        self._names = frozenset(name.lower() for name in names if not name.startswith("*."))
        self._endings = tuple(name[1:].lower() for name in names if name.startswith("*."))

    def check(self, scope: Scope) -> None:
        """Raises:
        UnknownHost: the request was meant for somebody else, or does not say for whom.
        """
        if self._is_open:
            return
        values = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        host = _without_port(values[0]) if len(values) == 1 else ""
        if host in self._names or (host and host.endswith(self._endings)):
            return
        if scope["path"] not in PROBES:
            raise UnknownHost("This server does not answer to that host name.")


def _without_port(host: str) -> str:
    """The name of ``name:port``, and the address of ``[address]:port``."""
    host = host.lower()
    return host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
