"""Accounts: callers write ``users.authenticate(lane, …)``."""

from taskwell.users.confirmation import (
    Confirmed,
    ask_again,
    confirm,
    request_email,
    require_confirmed,
    send_link,
    verify_email,
)
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
from taskwell.users.known_groups import is_group_of_email, is_group_of_user, purge_known_groups
from taskwell.users.lock_outs import tell_owner
from taskwell.users.personal_tokens import (
    PersonalToken,
    holder_of_personal,
    list_tokens,
    make_token,
    remove_token,
)
from taskwell.users.profile import ProfileChanges, change, confirm_owner, delete_account, get, zone_moved
from taskwell.users.recovery import NewPassword, ask_for_reset, new_password, reset_password, reset_token
from taskwell.users.revocation import name_of_user, purge_revoked, recently_revoked, revoke
from taskwell.users.second_step import answer, challenged
from taskwell.users.sessions import end_every_session, renew, sign_out_everywhere
from taskwell.users.sign_in import PasswordHashes, authenticate, change_password, password_hashes, sign_up
from taskwell.users.user import User

__all__ = [
    "Account",
    "Caller",
    "Confirmed",
    "NewPassword",
    "PasswordHashes",
    "PersonalToken",
    "ProfileChanges",
    "User",
    "answer",
    "ask_again",
    "ask_for_reset",
    "authenticate",
    "by_email",
    "by_email_or_id",
    "challenged",
    "change",
    "change_password",
    "confirm",
    "confirm_owner",
    "delete",
    "delete_account",
    "disable",
    "enable",
    "end_every_session",
    "every",
    "get",
    "holder_of",
    "holder_of_personal",
    "is_group_of_email",
    "is_group_of_user",
    "list_tokens",
    "make_token",
    "name_of_user",
    "new_password",
    "password_hashes",
    "purge_known_groups",
    "purge_revoked",
    "recently_revoked",
    "remove_token",
    "renew",
    "request_email",
    "require_confirmed",
    "reset_password",
    "reset_token",
    "revoke",
    "send_link",
    "set_password",
    "sign_out_everywhere",
    "sign_up",
    "tell_owner",
    "verify_email",
    "zone_moved",
]
