"""Accounts: callers write ``users.authenticate(lane, …)``."""

from taskwell.users.directory import (
    Account,
    by_email,
    by_email_or_id,
    delete,
    disable,
    enable,
    every,
    set_password,
)
from taskwell.users.identities import Caller, holder_of
from taskwell.users.profile import ProfileChanges, change, confirm_password, delete_account, get, zone_moved
from taskwell.users.revocation import name_of_user, purge_revoked, recently_revoked, revoke
from taskwell.users.sign_in import PasswordHashes, authenticate, change_password, password_hashes, sign_up
from taskwell.users.user import User

__all__ = [
    "Account",
    "Caller",
    "PasswordHashes",
    "ProfileChanges",
    "User",
    "authenticate",
    "by_email",
    "by_email_or_id",
    "change",
    "change_password",
    "confirm_password",
    "delete",
    "delete_account",
    "disable",
    "enable",
    "every",
    "get",
    "holder_of",
    "name_of_user",
    "password_hashes",
    "purge_revoked",
    "recently_revoked",
    "revoke",
    "set_password",
    "sign_up",
    "zone_moved",
]
