"""Which names this server answers to, from ``ALLOWED_HOSTS``."""

from starlette.types import Scope

from taskwell.errors import UnknownHost


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
        if host not in self._names and not (host and host.endswith(self._endings)):
            raise UnknownHost("This server does not answer to that host name.")


def _without_port(host: str) -> str:
    """The name of ``name:port``, and the address of ``[address]:port``."""
    host = host.lower()
    return host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
