"""The second factor: codes of an authenticator app (TOTP, RFC 6238), and recovery codes for when it is lost.

The secret is stored as it is. ``SECRET_KEY`` may be replaced at any time, and a secret that is encrypted with it
would then lock its user out.
"""

import re
import secrets
from contextlib import suppress
from hashlib import sha256
from typing import Literal

import pyotp
from pyotp.exceptions import OTPVerificationError
from sqlalchemy import BigInteger, Text, bindparam, delete, exists, insert, literal_column, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.base import Executable

from taskwell.database import Lane, Query, UtcInstant, UuidText, now
from taskwell.errors import Conflict, EmailUnverified, NotFound, WrongPassword
from taskwell.users.errors import AlreadyOn, WrongCode
from taskwell.users.identities import lock_caller
from taskwell.users.principal import Principal
from taskwell.users.profile import PASSWORD_HASH
from taskwell.users.tables import RecoveryCodeRow, TotpRow, UserRow

ISSUER = "Taskwell"
RECOVERY_CODES = 10
NEIGHBOURS = 1
"""How many codes before and after the present one are taken: clocks differ, and people type slowly."""

_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_CODE = re.compile(r"[0-9]{6}")
_RECOVERY_CODE = re.compile(r"[a-z2-7]{4}(-[a-z2-7]{4}){3}")
_WITH_CODE = re.compile(rf"(.+) ({_CODE.pattern}|{_RECOVERY_CODE.pattern})", re.DOTALL | re.IGNORECASE)

CodeKind = Literal["code", "recovery_code"]

_USER_ID = bindparam("user_id", type_=UuidText)
_SECRET = bindparam("secret", type_=Text)
_TIMECODE = bindparam("timecode", type_=BigInteger)
_IS_USERS = TotpRow.user_id == _USER_ID
_IS_ON = TotpRow.confirmed_at.is_not(None)

IS_ON = exists(select(literal_column("1")).where(TotpRow.user_id == UserRow.id, _IS_ON))
"""Whether the user of the row signs in with a code too."""


def split(password: str) -> tuple[str, str | None]:
    """A password and the code that was appended to it after a space; None where there is none."""
    found = _WITH_CODE.fullmatch(password)
    return (found[1], found[2]) if found else (password, None)


def _begin(dialect: str) -> list[Executable]:
    added = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(TotpRow).values(
        user_id=_USER_ID, secret=_SECRET
    )
    news = {"secret": added.excluded.secret}
    adding = added.on_conflict_do_update(index_elements=["user_id"], set_=news, where=TotpRow.confirmed_at.is_(None))
    return [adding.returning(TotpRow.user_id)]


_BEGIN: Query[str] = Query(_begin, str)


async def begin(lane: Lane, user: Principal, password_hash: str | None) -> tuple[str, str]:
    """A new secret, and its address for an authenticator app. It asks for nothing until it is confirmed.

    Args:
        password_hash: Of the password that the user gave, which is the right one; None where there is none.

    Raises:
        InvalidToken: the caller's own token was refused meanwhile.
        WrongPassword: the password was changed meanwhile.
        EmailUnverified: nobody has confirmed the user's e-mail.
        AlreadyOn: the user has confirmed a secret.
    """
    secret = pyotp.random_base32()
    async with lane.transaction() as transaction:
        account = await lock_caller(transaction, user)
        if await transaction.row(PASSWORD_HASH, user_id=user.user_id) != password_hash:
            raise WrongPassword("The password was changed meanwhile.")
        if not account.email_verified:
            raise EmailUnverified
        if await transaction.row(_BEGIN, user_id=user.user_id, secret=secret) is None:
            raise AlreadyOn
    return secret, pyotp.TOTP(secret).provisioning_uri(name=account.email, issuer_name=ISSUER)


_FIND: Query[tuple[str, bool]] = Query(select(TotpRow.secret, _IS_ON).where(_IS_USERS), lambda *columns: columns)
_CONFIRM: Query[str] = Query(
    update(TotpRow)
    .where(_IS_USERS)
    .values(confirmed_at=bindparam("at", type_=UtcInstant), last_timecode=_TIMECODE)
    .returning(TotpRow.user_id),
    str,
)
_ADD_RECOVERY_CODE: Query[None] = Query(
    insert(RecoveryCodeRow).values(user_id=_USER_ID, hash=bindparam("hash", type_=Text)), lambda *_: None
)


async def confirm(lane: Lane, user: Principal, code: str) -> list[str]:
    """Asks for codes from now on; gives the recovery codes, which are stored as hashes only.

    Raises:
        InvalidToken: the caller's own token was refused meanwhile.
        Conflict: no secret was asked for.
        AlreadyOn: one is confirmed already.
        WrongCode: the code is not one of the secret's.
    """
    recovery_codes = [_new_recovery_code() for _ in range(RECOVERY_CODES)]
    async with lane.transaction() as transaction:
        await lock_caller(transaction, user)
        found = await transaction.row(_FIND, user_id=user.user_id)
        if found is None:
            raise Conflict("Ask for a secret first: POST /api/v1/auth/totp.")
        secret, is_on = found
        if is_on:
            raise AlreadyOn
        timecode = _timecode(secret, _normal(code))
        if timecode is None:
            raise WrongCode
        await transaction.rows(_CONFIRM, user_id=user.user_id, at=now(), timecode=timecode)
        await transaction.many(
            _ADD_RECOVERY_CODE, [{"user_id": user.user_id, "hash": _hash(each)} for each in recovery_codes]
        )
    return recovery_codes


_REMOVE: Query[str] = Query(delete(TotpRow).where(_IS_USERS).returning(TotpRow.user_id), str)
_REMOVE_RECOVERY_CODES: Query[None] = Query(
    delete(RecoveryCodeRow).where(RecoveryCodeRow.user_id == _USER_ID), lambda *_: None
)


async def remove(lane: Lane, user: Principal, code: str) -> None:
    """Asks for no codes any more.

    Raises:
        InvalidToken: the caller's own token was refused meanwhile.
        NotFound: there is no second factor.
        WrongCode: the code is none, or was used before.
    """
    async with lane.transaction() as transaction:
        await lock_caller(transaction, user)
        found = await transaction.row(_FIND, user_id=user.user_id)
        if found is None or not found[1]:
            raise NotFound("There is no second factor to turn off.")
        if await use_code(transaction, user.user_id, code) is None:
            raise WrongCode
        await forget(transaction, user.user_id)


async def forget(transaction: Lane, user_id: str) -> bool:
    """Removes the second factor of a user who need not prove it; gives whether there was one."""
    await transaction.rows(_REMOVE_RECOVERY_CODES, user_id=user_id)
    return await transaction.row(_REMOVE, user_id=user_id) is not None


_USE_TIMECODE: Query[str] = Query(
    update(TotpRow)
    .where(_IS_USERS, _IS_ON, TotpRow.secret == _SECRET, TotpRow.last_timecode < _TIMECODE)
    .values(last_timecode=_TIMECODE)
    .returning(TotpRow.user_id),
    str,
)
_USE_RECOVERY_CODE: Query[str] = Query(
    delete(RecoveryCodeRow)
    .where(RecoveryCodeRow.user_id == _USER_ID, RecoveryCodeRow.hash == bindparam("hash", type_=Text))
    .returning(RecoveryCodeRow.hash),
    str,
)


async def use_code(transaction: Lane, user_id: str, code: str) -> CodeKind | None:
    """Uses up a code or a recovery code; None where it is wrong, or was used before."""
    code = _normal(code)
    if _RECOVERY_CODE.fullmatch(code):
        used = await transaction.row(_USE_RECOVERY_CODE, user_id=user_id, hash=_hash(code))
        return None if used is None else "recovery_code"
    found = await transaction.row(_FIND, user_id=user_id)
    timecode = _timecode(found[0], code) if found else None
    if found is None or timecode is None:
        return None
    # The statement decides which of two requests with the same code is first.
    used = await transaction.row(_USE_TIMECODE, user_id=user_id, secret=found[0], timecode=timecode)
    return None if used is None else "code"


def _timecode(secret: str, code: str) -> int | None:
    """The number of the half minute whose code it is."""
    if _CODE.fullmatch(code):
        with suppress(OTPVerificationError):
            return pyotp.TOTP(secret).verify_and_get_timecode(code, for_time=now(), valid_window=NEIGHBOURS)
    return None


def _normal(code: str) -> str:
    """As apps and people write it: with spaces, and in either case."""
    return "".join(code.split()).lower()


def _new_recovery_code() -> str:
    """80 bits, so that its fast hash tells nothing."""
    text = "".join(secrets.choice(_ALPHABET) for _ in range(16))
    return "-".join(text[start : start + 4] for start in range(0, 16, 4))


def _hash(code: str) -> str:
    return sha256(code.encode()).hexdigest()
