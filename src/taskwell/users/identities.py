"""Whom a verified token stands for. An external user is found, or made on first sight, by issuer and subject."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Text, and_, bindparam, exists, insert, literal_column, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.base import Executable

from taskwell.database import Lane, Query, UtcInstant, UuidText, new_id, now
from taskwell.errors import InvalidToken
from taskwell.security.claims import ExternalClaims, TokenClaims
from taskwell.spaces import SpaceAccess
from taskwell.spaces.personal import adding_personal_spaces
from taskwell.text import on_one_line, shows_something
from taskwell.users.principal import Principal
from taskwell.users.profile import OWN_ROW, TIME_ZONE, USER_COLUMNS
from taskwell.users.tables import ExternalIdentityRow, RevokedTokenRow, UserRow
from taskwell.users.user import MAX_EMAIL, MAX_NAME, User, is_email

IAT_UNIT = timedelta(seconds=1)
"""Tokens say the second in which they were issued, and not when in it."""

UNDATED_REFUSED_FOR = timedelta(days=30)
"""How long after a user's deletion tokens count as older that do not say when they were issued."""

NEVER_STALE = datetime(9999, 1, 1, tzinfo=UTC)
"""When a token was issued that does not say."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Whom a token stands for, and their own space, as of a few seconds ago."""

    actor: Principal
    space: SpaceAccess


async def holder_of(lane: Lane, token: TokenClaims | ExternalClaims) -> Caller | None:
    """The holder; None where the token is revoked or the user is gone or disabled."""
    return await (_local(lane, token) if isinstance(token, TokenClaims) else _external(lane, token))


_ONE: ColumnElement[int] = literal_column("1")
_TOKEN_ID = bindparam("token_id", type_=Text)

IS_VALID_FOR_USER = and_(
    UserRow.disabled_at.is_(None),
    or_(
        UserRow.tokens_valid_after.is_(None),
        UserRow.tokens_valid_after < bindparam("issued_at", type_=UtcInstant),
        UserRow.kept_token_id == _TOKEN_ID,
    ),
)

IS_NOT_ENDED = or_(
    RevokedTokenRow.revoked_at.is_(None), RevokedTokenRow.revoked_at > bindparam("at", type_=UtcInstant)
)
"""A token that was renewed ends a little later; it is refused from then on."""

_LOCAL: Query[tuple[str, datetime | None]] = Query(
    select(TIME_ZONE, RevokedTokenRow.revoked_at)
    .select_from(UserRow)
    .outerjoin(RevokedTokenRow, RevokedTokenRow.token_id == _TOKEN_ID)
    .where(UserRow.id == bindparam("user_id", type_=UuidText), IS_VALID_FOR_USER, IS_NOT_ENDED),
    lambda *columns: columns,
)


_LOCK: Query[User] = Query(
    select(*USER_COLUMNS)
    .select_from(UserRow)
    .outerjoin(RevokedTokenRow, RevokedTokenRow.token_id == _TOKEN_ID)
    .where(OWN_ROW, IS_VALID_FOR_USER, IS_NOT_ENDED)
    .with_for_update(of=UserRow),
    User,
)


async def lock_caller(transaction: Lane, user: Principal) -> User:
    """Makes other changes of the account wait. For what outlives the caller's token, which may be known from before.

    Raises:
        InvalidToken: the token was refused meanwhile, here or in another process.
    """
    values = {"issued_at": user.issued_at or NEVER_STALE, "token_id": user.token_id, "at": now()}
    found = await transaction.row(_LOCK, user_id=user.user_id, **values)
    if found is None:
        raise InvalidToken
    return found


async def _local(lane: Lane, token: TokenClaims) -> Caller | None:
    found = await lane.row(
        _LOCAL, user_id=token.subject, issued_at=token.issued_at, token_id=token.token_id, at=now()
    )
    if found is None:
        return None
    time_zone, ends_at = found
    actor = Principal(
        token.subject,
        token.subject,
        token.token_id,
        token.expires_at if ends_at is None else min(token.expires_at, ends_at),
        issued_at=token.issued_at,
        signed_in_at=token.signed_in_at,
    )
    return Caller(actor, SpaceAccess.personal(actor.user_id, time_zone=time_zone))


@dataclass(frozen=True, slots=True)
class _Holder:
    user_id: str
    time_zone: str
    is_valid: bool
    email: str | None
    email_verified: bool


_ISSUER, _SUBJECT = bindparam("issuer", type_=Text), bindparam("subject", type_=Text)

_IS_REFUSED = exists(
    select(_ONE).where(
        or_(
            RevokedTokenRow.token_id == _TOKEN_ID,
            and_(
                RevokedTokenRow.token_id == bindparam("identity_id", type_=Text),
                RevokedTokenRow.revoked_at > bindparam("issued_at_latest", type_=UtcInstant),
            ),
        )
    )
)
"""The token itself is revoked, or its user was deleted after it was issued."""

_EXTERNAL: Query[_Holder] = Query(
    select(
        UserRow.id,
        TIME_ZONE,
        and_(IS_VALID_FOR_USER, ~_IS_REFUSED),
        UserRow.email,
        UserRow.email_verified_at.is_not(None),
    )
    .join(ExternalIdentityRow, ExternalIdentityRow.user_id == UserRow.id)
    .where(ExternalIdentityRow.issuer == _ISSUER, ExternalIdentityRow.subject == _SUBJECT),
    _Holder,
)

_IDENTITY_COLUMNS = ["issuer", "subject", "user_id"]
_USER_COLUMNS = ["id", "email", "email_verified_at", "email_said_at", "name", "created_at", "updated_at"]


def _add(dialect: str) -> Sequence[Executable]:
    """The identity, if it is new and the token is good, its user and their space; of many at once one adds all.

    PostgreSQL does it in one statement, in which all but the first wait for the first; on SQLite, where there is
    one writer at a time, it is four in one transaction.
    """
    new_user = select(
        bindparam("user_id", type_=UuidText),
        bindparam("email", type_=Text),
        bindparam("verified_at", type_=UtcInstant),
        bindparam("said_at", type_=UtcInstant),
        bindparam("name", type_=Text),
        bindparam("at", type_=UtcInstant),
        bindparam("at", type_=UtcInstant),
    )
    new_identity = select(_ISSUER, _SUBJECT, bindparam("user_id", type_=UuidText))
    if dialect == "postgresql":
        identity = (
            postgresql.insert(ExternalIdentityRow)
            .from_select(_IDENTITY_COLUMNS, new_identity.where(~_IS_REFUSED))
            .on_conflict_do_nothing()
            .returning(ExternalIdentityRow.user_id)
            .cte("identity")
        )
        adding = insert(UserRow).from_select(_USER_COLUMNS, new_user.where(exists(select(identity.c.user_id))))
        return adding_personal_spaces(adding.returning(UserRow.id, UserRow.created_at).cte("made"), dialect)
    known = select(_ONE).where(ExternalIdentityRow.issuer == _ISSUER, ExternalIdentityRow.subject == _SUBJECT)
    made = select(UserRow.id, UserRow.created_at).where(UserRow.id == bindparam("user_id", type_=UuidText))
    return [
        insert(UserRow).from_select(_USER_COLUMNS, new_user.where(~exists(known), ~_IS_REFUSED)),
        sqlite.insert(ExternalIdentityRow).from_select(_IDENTITY_COLUMNS, new_identity.where(exists(made))),
        *adding_personal_spaces(made.subquery("made"), dialect),
    ]


_ADD: Query[None] = Query(_add, lambda *_: None)

_TAKE_OVER: Query[None] = Query(
    update(UserRow)
    .where(
        UserRow.id == bindparam("user_id", type_=UuidText),
        or_(UserRow.email_said_at.is_(None), UserRow.email_said_at <= bindparam("said_at", type_=UtcInstant)),
    )
    .values(
        email=bindparam("email", type_=Text),
        email_verified_at=bindparam("verified_at", type_=UtcInstant),
        email_said_at=bindparam("said_at", type_=UtcInstant),
        updated_at=bindparam("at", type_=UtcInstant),
    ),
    lambda *_: None,
)
"""What the issuer says of the e-mail now; an older token, still good, changes nothing back."""


async def _external(lane: Lane, token: ExternalClaims) -> Caller | None:
    issued_at = token.issued_at or NEVER_STALE
    values: dict[str, object] = {
        "issuer": token.issuer,
        "subject": token.subject,
        "token_id": token.token_id,
        "identity_id": token.identity_id,
        "issued_at": issued_at,
        "issued_at_latest": token.issued_at + IAT_UNIT if token.issued_at else now() - UNDATED_REFUSED_FOR,
    }
    at, email = now(), shown_email(token.email)
    verified_at = at if email and token.email_verified else None
    said: dict[str, object] = {"email": email, "verified_at": verified_at, "said_at": token.issued_at or at, "at": at}
    holder = await lane.row(_EXTERNAL, **values)
    if holder is None:
        await lane.rows(
            _ADD, **values, **said, user_id=new_id(), name=shown_name(token.name, token.email, token.subject)
        )
        holder = await lane.row(_EXTERNAL, **values)
    if holder is None or not holder.is_valid:
        return None
    if email is not None and (email, token.email_verified) != (holder.email, holder.email_verified):
        await lane.rows(_TAKE_OVER, **said, user_id=holder.user_id)
    actor = Principal(
        holder.user_id,
        token.subject,
        token.token_id,
        token.expires_at,
        is_external=True,
        issued_at=token.issued_at,
    )
    return Caller(actor, SpaceAccess.personal(actor.user_id, time_zone=holder.time_zone))


def shown_email(email: str | None) -> str | None:
    """What an issuer says, if it has the form of an e-mail."""
    return email if email is not None and len(email) <= MAX_EMAIL and is_email(email) else None


def shown_name(name: str | None, email: str | None, subject: str) -> str:
    """What to call the user: as the issuer does, else by the e-mail or the subject."""
    for text in (name, (email or "").partition("@")[0], subject):
        shown = on_one_line(text or "")[:MAX_NAME].strip()
        if shows_something(shown):
            return shown
    return "?"
