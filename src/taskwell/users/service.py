"""The verbs of accounts: sign up, sign in, and whom a token stands for."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, exists, insert, literal_column, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.base import Executable

from taskwell.database import Lane, Query, UtcInstant, new_id, now
from taskwell.database.lanes import UniqueViolated
from taskwell.errors import EmailTaken, Invalid, InvalidCredentials, NotFound, Unauthorized
from taskwell.security.passwords import hash_password, is_password
from taskwell.security.tokens import TokenClaims
from taskwell.users.principal import Principal
from taskwell.users.tables import RevokedTokenRow, UserRow
from taskwell.users.user import User, broken_password_rule, email_key

USER_COLUMNS = (
    UserRow.id,
    UserRow.email,
    UserRow.name,
    UserRow.time_zone,
    UserRow.created_at,
    UserRow.updated_at,
)

BY_ID: Query[User] = Query(select(*USER_COLUMNS).where(UserRow.id == bindparam("user_id")), User)


@dataclass(frozen=True, slots=True)
class StoredPassword:
    """What signing in needs to see of an account."""

    user_id: str
    password_hash: str | None
    disabled_at: datetime | None


_BY_EMAIL: Query[StoredPassword] = Query(
    select(UserRow.id, UserRow.password_hash, UserRow.disabled_at).where(UserRow.email_key == bindparam("email_key")),
    StoredPassword,
)

_ADD: Query[User] = Query(
    insert(UserRow)
    .values(
        {
            name: bindparam(name, type_=UserRow.__table__.c[name].type)
            for name in ("id", "email", "email_key", "name", "password_hash", "created_at", "updated_at")
        }
    )
    .returning(*USER_COLUMNS),
    User,
)


async def sign_up(lane: Lane, *, email: str, password: str, name: str) -> User:
    """Opens an account.

    Raises:
        Invalid: the password breaks a rule.
        EmailTaken: another account has the e-mail, whichever way it is capitalised.
    """
    if broken := broken_password_rule(password, email=email, name=name):
        raise Invalid.field("password", broken, "weak_password")
    at = now()
    values = {
        "id": new_id(),
        "email": email,
        "email_key": email_key(email),
        "name": name,
        "password_hash": await hash_password(password),
        "created_at": at,
        "updated_at": at,
    }
    try:
        user = await lane.row(_ADD, **values)
    except UniqueViolated:
        raise EmailTaken from None
    assert user is not None
    return user


async def authenticate(lane: Lane, *, email: str, password: str) -> User:
    """The user with this e-mail and password.

    Raises:
        InvalidCredentials: in the same words, and after the same work, for whatever of the two is wrong.
    """
    account = await lane.row(_BY_EMAIL, email_key=email_key(email))
    is_right = await is_password(password, account.password_hash if account else None)
    if account is None or not is_right or account.disabled_at is not None:
        raise InvalidCredentials
    user = await lane.row(BY_ID, user_id=account.user_id)
    if user is None:
        raise InvalidCredentials
    return user


_USER_BY_EMAIL: Query[User] = Query(select(*USER_COLUMNS).where(UserRow.email_key == bindparam("email_key")), User)


async def by_email(lane: Lane, email: str) -> User:
    """The local account with this e-mail, for the operator.

    Raises:
        NotFound: there is none.
    """
    found = await lane.row(_USER_BY_EMAIL, email_key=email_key(email))
    if found is None:
        raise NotFound(f"There is no account with the e-mail {email}.")
    return found


async def get(lane: Lane, user: Principal) -> User:
    """Raises:
    Unauthorized: the user is gone.
    """
    found = await lane.row(BY_ID, user_id=user.user_id)
    if found is None:
        raise Unauthorized
    return found


_TIME_ZONE_OF_TOKEN: Query[str] = Query(
    select(UserRow.time_zone)
    .where(UserRow.id == bindparam("user_id"), UserRow.disabled_at.is_(None))
    .where(
        or_(
            UserRow.tokens_valid_after.is_(None),
            UserRow.tokens_valid_after < bindparam("issued_at", type_=UtcInstant),
            UserRow.kept_token_id == bindparam("token_id"),
        )
    )
    .where(~exists(select(literal_column("1")).where(RevokedTokenRow.token_id == bindparam("token_id")))),
    str,
)


async def holder_of(lane: Lane, token: TokenClaims) -> Principal | None:
    """Whom a verified token of ours stands for; None where it is revoked or the user is gone or disabled."""
    values = {"user_id": token.subject, "issued_at": token.issued_at, "token_id": token.token_id}
    time_zone = await lane.row(_TIME_ZONE_OF_TOKEN, **values)
    if time_zone is None:
        return None
    return Principal(token.subject, token.subject, token.token_id, token.expires_at, time_zone)


def _revoke(dialect: str) -> list[Executable]:
    insert_once = (sqlite if dialect == "sqlite" else postgresql).insert(RevokedTokenRow)
    values = {name: bindparam(name, type_=column.type) for name, column in RevokedTokenRow.__table__.columns.items()}
    return [insert_once.values(values).on_conflict_do_nothing().returning(RevokedTokenRow.token_id)]


_REVOKE: Query[str] = Query(_revoke, str)

_RECENTLY_REVOKED: Query[str] = Query(
    select(RevokedTokenRow.token_id).where(RevokedTokenRow.revoked_at >= bindparam("since", type_=UtcInstant)),
    str,
)

_PURGE_REVOKED: Query[str] = Query(
    delete(RevokedTokenRow)
    .where(RevokedTokenRow.expires_at < bindparam("before", type_=UtcInstant))
    .returning(RevokedTokenRow.token_id),
    str,
)


async def revoke(lane: Lane, user: Principal) -> None:
    """Refuses the caller's token from now on; doing so twice is the same as once."""
    await lane.rows(
        _REVOKE, token_id=user.token_id, user_id=user.user_id, expires_at=user.expires_at, revoked_at=now()
    )


async def recently_revoked(lane: Lane, within: timedelta) -> list[str]:
    """The ids of tokens revoked by any process since; ``user:`` and an id for all of a user's."""
    return await lane.rows(_RECENTLY_REVOKED, since=now() - within)


async def purge_revoked(lane: Lane) -> int:
    """Forgets revocations of tokens that have expired anyway; gives how many."""
    return len(await lane.rows(_PURGE_REVOKED, before=now() - timedelta(minutes=1)))
