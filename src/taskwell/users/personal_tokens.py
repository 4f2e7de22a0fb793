"""Personal access tokens: what a script sends in the place of a password."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final, cast

from sqlalchemy import Text, bindparam, delete, func, insert, or_, select, update

from taskwell.database import Day, Lane, Query, UtcInstant, UuidText, new_id, now
from taskwell.errors import AppError, EmailUnverified, InvalidToken, LimitReached, NotFound
from taskwell.mail import outbox
from taskwell.security import personal_tokens
from taskwell.spaces import SpaceAccess
from taskwell.spaces.queries import accesses_of
from taskwell.spaces.rules import no_such_space
from taskwell.users.identities import Caller, lock_caller
from taskwell.users.principal import Principal, Scope
from taskwell.users.profile import TIME_ZONE
from taskwell.users.revocation import announce_end
from taskwell.users.tables import ApiTokenRow, UserRow

TOKEN_MADE: Final = "token_made"  # noqa: S105  # a kind of mail
MAX_TOKENS = 50
NO_END = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class PersonalToken:
    """A personal token without its text. The order is that of ``_COLUMNS``.

    Attributes:
        space_ids: The spaces to which it is confined; None for every space of its user.
        last_used_on: The day in UTC.
    """

    id: str
    name: str
    scopes: tuple[str, ...]
    space_ids: tuple[str, ...] | None
    expires_at: datetime | None
    last_used_on: date | None
    created_at: datetime


_COLUMNS = (
    ApiTokenRow.id,
    ApiTokenRow.name,
    ApiTokenRow.scopes,
    ApiTokenRow.space_ids,
    ApiTokenRow.expires_at,
    ApiTokenRow.last_used_on,
    ApiTokenRow.created_at,
)
_OF_USER = ApiTokenRow.user_id == bindparam("user_id", type_=UuidText)
_IS_TOKEN = ApiTokenRow.id == bindparam("token_id", type_=UuidText)

_LIST: Query[PersonalToken] = Query(select(*_COLUMNS).where(_OF_USER).order_by(ApiTokenRow.id.desc()), PersonalToken)


async def list_tokens(lane: Lane, user_id: str) -> list[PersonalToken]:
    """The user's tokens, the newest first."""
    return await lane.rows(_LIST, user_id=user_id)


_COUNT: Query[int] = Query(select(func.count()).select_from(ApiTokenRow).where(_OF_USER), int)
_ADD: Query[PersonalToken] = Query(
    insert(ApiTokenRow)
    .values(
        {
            name: bindparam(name, type_=ApiTokenRow.__table__.c[name].type)
            for name in ("id", "user_id", "hash", "name", "scopes", "space_ids", "expires_at", "created_at")
        }
    )
    .returning(*_COLUMNS),
    PersonalToken,
)


async def make_token(
    lane: Lane,
    user: Principal,
    *,
    name: str,
    scopes: Sequence[Scope],
    space_ids: Sequence[str] | None = None,
    expires_at: datetime | None = None,
    sends_mail: bool = False,
) -> tuple[PersonalToken, str]:
    """Makes a token and gives its text, which is stored nowhere.

    Args:
        sends_mail: Whether its owner is told.

    Raises:
        InvalidToken: the caller's own token was refused meanwhile.
        NotFound: a space is none of the user's.
        EmailUnverified: nobody has confirmed the e-mail of a local user.
        LimitReached: the user has as many as one may have.
    """
    text = personal_tokens.new_text()
    async with lane.transaction() as transaction:
        account = await lock_caller(transaction, user)
        if not user.is_external and not account.email_verified:
            raise EmailUnverified
        if space_ids is not None:
            theirs = {each.id for each in await accesses_of(transaction, user.user_id)}
            if not set(space_ids) <= theirs:
                raise no_such_space()
        if (await transaction.row(_COUNT, user_id=user.user_id) or 0) >= MAX_TOKENS:
            raise LimitReached(f"A user may have {MAX_TOKENS} personal tokens; delete one first.")
        made = await transaction.row(
            _ADD,
            id=new_id(),
            user_id=user.user_id,
            hash=personal_tokens.hash_of(text),
            name=name,
            scopes=tuple(scopes),
            space_ids=None if space_ids is None else tuple(sorted(set(space_ids))),
            expires_at=expires_at,
            created_at=now(),
        )
        assert made is not None
        if sends_mail and account.email is not None and account.email_verified:
            await outbox.put(transaction, TOKEN_MADE, user_id=user.user_id, email=account.email)
        return made, text


_REMOVE: Query[str] = Query(delete(ApiTokenRow).where(_IS_TOKEN, _OF_USER).returning(ApiTokenRow.id), str)


async def remove_token(lane: Lane, user: Principal, token_id: str) -> None:
    """Removes a token, which is refused from then on.

    Raises:
        NotFound: the user has no such token.
    """
    async with lane.transaction() as transaction:
        if await transaction.row(_REMOVE, user_id=user.user_id, token_id=token_id) is None:
            raise NotFound("There is no such token.")
        await announce_end(transaction, user.user_id, token_id)


_REMOVE_ALL: Query[None] = Query(delete(ApiTokenRow).where(_OF_USER), lambda *_: None)


async def remove_all(transaction: Lane, user_id: str) -> None:
    """Removes every token of a user. The caller announces the change of the user."""
    await transaction.rows(_REMOVE_ALL, user_id=user_id)


@dataclass(frozen=True, slots=True)
class _Holder:
    token_id: str
    user_id: str
    scopes: tuple[str, ...]
    space_ids: tuple[str, ...] | None
    expires_at: datetime | None
    last_used_on: date | None
    is_external: bool
    time_zone: str


_HOLDER: Query[_Holder] = Query(
    select(
        ApiTokenRow.id,
        ApiTokenRow.user_id,
        ApiTokenRow.scopes,
        ApiTokenRow.space_ids,
        ApiTokenRow.expires_at,
        ApiTokenRow.last_used_on,
        UserRow.email_key.is_(None),
        TIME_ZONE,
    )
    .join(UserRow, UserRow.id == ApiTokenRow.user_id)
    .where(
        ApiTokenRow.hash == bindparam("hash", type_=Text),
        UserRow.disabled_at.is_(None),
        or_(ApiTokenRow.expires_at.is_(None), ApiTokenRow.expires_at > bindparam("at", type_=UtcInstant)),
    ),
    _Holder,
)
_TODAY = bindparam("today", type_=Day)
_USED: Query[None] = Query(
    update(ApiTokenRow)
    .where(_IS_TOKEN, or_(ApiTokenRow.last_used_on.is_(None), ApiTokenRow.last_used_on < _TODAY))
    .values(last_used_on=_TODAY),
    lambda *_: None,
)


async def holder_of_personal(lane: Lane, text: str) -> Caller:
    """The holder of a personal token.

    Raises:
        InvalidToken: it is not good; what is cut or mistyped costs no look-up.
    """
    if not personal_tokens.is_intact(text):
        raise InvalidToken("This is no whole personal token: some of its characters are missing or wrong.")
    at = now()
    found = await lane.row(_HOLDER, hash=personal_tokens.hash_of(text), at=at)
    if found is None:
        raise InvalidToken("The personal token was deleted or has expired, or its account is gone or disabled.")
    if found.last_used_on is None or found.last_used_on < at.date():
        with suppress(AppError):  # a full disk must not keep anybody from reading
            await lane.rows(_USED, token_id=found.token_id, today=at.date())
    actor = Principal(
        found.user_id,
        found.user_id,
        found.token_id,
        found.expires_at or NO_END,
        is_external=found.is_external,
        scopes=frozenset(cast("tuple[Scope, ...]", found.scopes)),
        space_ids=None if found.space_ids is None else frozenset(found.space_ids),
    )
    return Caller(actor, SpaceAccess.personal(actor.user_id, time_zone=found.time_zone))
