"""``DATABASE_URL`` as people have it: copied from a provider, from libpq's manual or from SQLAlchemy's."""

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

BACKENDS = ("sqlite", "postgres", "postgresql")

IN_QUERY = ("host", "port", "user", "password", "dbname")
"""What libpq lets stand in the query too (PostgreSQL 18, section 32.1.1.2)."""


def parsed(text: str) -> URL:
    """The URL with each of its parts in its own place.

    Raises:
        ValueError: it is not the URL of a database that Taskwell knows.
    """
    scheme, mark, rest = text.partition("://")
    try:
        url = make_url(f"{scheme.lower()}{mark}{rest}")
    except (ArgumentError, ValueError) as error:
        raise ValueError("it is not a database URL such as sqlite:///taskwell.db") from error
    backend = url.drivername.partition("+")[0]
    if backend not in BACKENDS:
        raise ValueError(f"{backend!r} is not supported; use sqlite:///… or postgresql://…")
    return url if backend == "sqlite" else _with_parts_in_place(url)


def _with_parts_in_place(url: URL) -> URL:
    """What stands in the query counts, as with libpq."""
    given = {name: values[-1] for name, values in url.normalized_query.items() if name in IN_QUERY}
    port = given.get("port")
    if port is not None and not (port.isdecimal() and 0 < int(port) < 65_536):
        raise ValueError(f"its port {port!r} is not a number from 1 to 65535")
    return url.difference_update_query(given).set(
        host=given.get("host"),
        port=int(port) if port is not None else None,
        username=given.get("user"),
        password=given.get("password"),
        database=given.get("dbname"),
    )
