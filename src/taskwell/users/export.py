"""All that a user owns as one JSON document, read from one instant of the database and never all in memory."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from functools import cached_property
from typing import Any, cast

import orjson
from sqlalchemy import Boolean, Column, ColumnElement, LargeBinary, Table, bindparam, select

from taskwell.database import Base, Database, Query, TextList, UtcInstant, UuidText, now
from taskwell.database.json import BooleanJson, InstantText, JsonObject, ListJson
from taskwell.errors import Unauthorized
from taskwell.spaces import SpaceAccess
from taskwell.spaces.revision import SPACE
from taskwell.spaces.tables import MembershipRow, SpaceRow
from taskwell.users.principal import Principal

CHUNK_BYTES = 65_536

LEFT_OUT = {
    "spaces": "the user's own has the user's id, and its time zone stands with the user",
    "invitations": "ways for others into a space",
    "invitation_bars": "which invitations let the user in no more",
    "tombstones": "ids of what is gone",
    "task_tags": "the tasks themselves hold their tags",
    "mails": "mail on its way",
    "totp": "the secret of an authenticator app, which has it",
    "recovery_codes": "hashes of codes",
    "one_time_tokens": "hashes of links that were mailed",
    "known_groups": "hashes of networks, which mean nothing outside",
    "revoked_tokens": "ids of tokens, which mean nothing outside",
    "idempotency_keys": "answers that are kept for a day in case a request is sent again",
}
"""Tables with rows of a user that are not part of the document, and why."""

_NAMES = {"users": "user", "security_events": "activity", "api_tokens": "tokens"}
_TECHNICAL = frozenset(
    {
        "api_tokens.hash",
        "comments.revision",
        "lists.revision",
        "reminders.fire_at",
        "reminders.claimed_at",
        "reminders.tried_since",
        "reminders.delivery_id",
        "reminders.settled_for",
        "reminders.changed_at",
        "reminders.changes",
        "security_events.subject",
        "webhooks.secret",
    }
)
"""Columns that serve the machinery, or that are secrets."""


class Export:
    """The document's form.

    It has a member for every table that there is: a new table of users' things is in it from the start, unless
    ``LEFT_OUT`` says why not.
    """

    def __init__(self, forms: Mapping[str, ColumnElement[str]]) -> None:
        """Args:
        forms: The JSON text of a row, by table; the columns as they are for a table that is not named.
        """
        self._forms = forms

    @cached_property
    def sections(self) -> dict[str, Query[str]]:
        """What to read, by the name of the member; made at the first use, when all tables are known."""
        owned = [table for table in Base.metadata.sorted_tables if _own(table)]
        shared = [table for table in Base.metadata.sorted_tables if _author(table) is not None]
        return {
            _NAMES.get(table.name, table.name): self._rows(table, _own(table))
            for table in owned
            if table.name not in {*LEFT_OUT, "memberships"}
        } | {
            "memberships": _MEMBERSHIPS,
            **{f"shared_{table.name}": self._rows(table, _written(table)) for table in shared},
        }

    def _rows(self, table: Table, chosen: Sequence[ColumnElement[bool]]) -> Query[str]:
        form = self._forms.get(table.name, JsonObject(members(table)))
        rows = select(form).where(*chosen)
        return Query(rows.order_by(*table.primary_key.columns), str)

    async def document(self, database: Database, user: Principal, space: SpaceAccess) -> AsyncGenerator[bytes, None]:
        """The document, piece by piece.

        Raises:
            Unauthorized: the user is gone; before the first piece.
        """
        chunk = bytearray()
        async with aclosing(self._pieces(database, user, space)) as pieces:
            async for piece in pieces:
                chunk += piece
                if len(chunk) >= CHUNK_BYTES:
                    yield bytes(chunk)
                    chunk.clear()
        yield bytes(chunk)

    async def _pieces(self, database: Database, user: Principal, space: SpaceAccess) -> AsyncGenerator[bytes, None]:
        values = {"actor": user.user_id, "space": space.id, "subject": user.subject}
        async with database.snapshot() as snapshot:
            account = [row async for row in snapshot.stream(self.sections["user"], **values)]
            if not account:
                raise Unauthorized
            yield b'{"exported_at":%b,"user":%b' % (orjson.dumps(now(), option=orjson.OPT_UTC_Z), account[0].encode())
            for name, query in self.sections.items():
                if name == "user":
                    continue
                yield b',"%b":[' % name.encode()
                separator = b""
                async with aclosing(cast("AsyncGenerator[str, None]", snapshot.stream(query, **values))) as rows:
                    async for row in rows:
                        yield separator + row.encode()
                        separator = b","
                yield b"]"
            yield b"}"


_ACTOR = bindparam("actor", type_=UuidText)
_IN_SHARED = (MembershipRow.user_id == _ACTOR, MembershipRow.space_id != SPACE)
_MEMBERSHIPS: Query[str] = Query(
    select(
        JsonObject(
            {
                "space_id": MembershipRow.space_id,
                "name": SpaceRow.name,
                "role": MembershipRow.role,
                "joined_at": InstantText(MembershipRow.joined_at),
            }
        )
    )
    .select_from(MembershipRow)
    .join(SpaceRow, SpaceRow.id == MembershipRow.space_id)
    .where(*_IN_SHARED)
    .order_by(MembershipRow.space_id),
    str,
)


def _author(table: Table) -> Column[Any] | None:
    """Who wrote a row of what a space holds; None for tables of something else."""
    columns = table.columns
    author = columns.get("author_id", columns.get("created_by"))
    return author if "space_id" in columns and table.name not in LEFT_OUT else None


def _written(table: Table) -> list[ColumnElement[bool]]:
    """Which rows the user wrote in the shared spaces in which they are a member."""
    author = _author(table)
    assert author is not None
    return [author == _ACTOR, table.c.space_id.in_(select(MembershipRow.space_id).where(*_IN_SHARED))]


def _own(table: Table) -> list[ColumnElement[bool]]:
    """Which rows are the user's: what is in their own space, and what is theirs alone."""
    columns = table.columns
    owner = columns.get("id" if table.name == "users" else "user_id")
    space = columns.get("id" if table.name == "spaces" else "space_id")
    owned = [] if owner is None else [owner == _ACTOR]
    return owned if space is None else [*owned, space == SPACE]


def members(table: Table) -> dict[str, Any]:
    """The columns of a table that its user may see, as JSON."""
    return {
        column.name: _json(column)
        for column in table.columns
        if column.name not in ("user_id", "space_id")
        and f"{table.name}.{column.name}" not in _TECHNICAL
        and not isinstance(column.type, LargeBinary)
    }


def _json(column: Column[Any]) -> ColumnElement[Any]:
    for kind, form in ((UtcInstant, InstantText), (TextList, ListJson), (Boolean, BooleanJson)):
        if isinstance(column.type, kind):
            return form(column)
    return column
