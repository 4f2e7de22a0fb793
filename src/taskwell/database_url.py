"""``DATABASE_URL`` as people have it: copied from a provider, from libpq's manual or from SQLAlchemy's."""

import re

NOT_THE_SERVERS = ("channel_binding", "connect_timeout", "gssencmode")
"""libpq's parameters that asyncpg does not know: it would send them to the server as settings of the session."""

_HOST = re.compile(r"(?:\[[^\]]+\]|[^:\[\]@]*)(?::\d{1,5})?")
_PASSWORDS = re.compile(r"(?<=://)([^:/@?]*):.*@|([?&][^=&]*pass[^=&]*)=[^&]*", re.IGNORECASE)


def plain(text: str) -> str:
    """The URL as asyncpg reads it, or ``sqlite:///FILE``: without a driver's name.

    Raises:
        ValueError: it is not the URL of a database that Taskwell knows.
    """
    scheme, mark, rest = text.partition("://")
    backend = scheme.lower().partition("+")[0]
    if not mark:
        raise ValueError("it is not a database URL such as sqlite:///taskwell.db")
    if backend not in ("sqlite", "postgres", "postgresql"):
        raise ValueError(f"{backend!r} is not supported; use sqlite:///… or postgresql://…")
    if backend == "sqlite":
        return f"sqlite://{rest}"
    place, _, query = rest.partition("?")
    user, at, hosts = place.partition("/")[0].partition("@")
    if not all(_HOST.fullmatch(host) for host in (hosts if at else user).split(",")):
        raise ValueError("its host or port cannot be read; write @, / and % in a password as %40, %2F and %25")
    kept = "&".join(each for each in query.split("&") if each.partition("=")[0] not in NOT_THE_SERVERS)
    return f"postgresql://{place}?{kept}" if kept else f"postgresql://{place}"


def without_passwords(url: str) -> str:
    """The URL as it may be shown. A password that is not written as in a URL takes what follows it along."""
    return _PASSWORDS.sub(lambda found: f"{found[1]}:***@" if found[2] is None else f"{found[2]}=***", url)
