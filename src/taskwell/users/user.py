"""An account and the rules of its parts: plain values, without a database."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

from taskwell.security.passwords import MAX_PASSWORD
from taskwell.users.common_passwords import is_common

MIN_PASSWORD = 8
MIN_NAME, MAX_NAME = 2, 100
MAX_EMAIL = 254
"""RFC 5321 section 4.5.3.1.3: a path of 256 octets, less its angle brackets."""

SPECIAL_USE_DOMAIN_NAMES.remove("local")


@dataclass(frozen=True, slots=True)
class User:
    """A user as the service knows it; the password's hash never leaves the tables."""

    id: str
    email: str | None
    name: str
    time_zone: str
    created_at: datetime
    updated_at: datetime


def is_email(text: str) -> bool:
    """Whether it has the form of an address (RFC 5321); whether anybody reads it is not asked.

    ``.local`` is special-use (RFC 6762), and what many a network at home is called.
    """
    try:
        validate_email(text, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return False
    return True


def email_key(email: str) -> str:
    """The e-mail as it is compared: composed and without case, as nearly every provider treats it.

    One that is too long to be anybody's stays as it is: composing takes time by the square of a letter's accents.
    """
    if len(email) > MAX_EMAIL:
        return email
    return unicodedata.normalize("NFC", email).casefold()


def broken_password_rule(password: str, *, email: str | None, name: str) -> str | None:
    """What is wrong with a new password, as a sentence; None if nothing is.

    The length is counted in characters and there is no other upper bound: see ``security.passwords``.
    """
    folded = password.casefold()
    own = {part.casefold() for part in (email, (email or "").partition("@")[0], name) if part}
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        return f"The password needs {MIN_PASSWORD} to {MAX_PASSWORD} characters."
    if not any(map(str.isalpha, password)) or not any(map(str.isdigit, password)):
        return "The password needs at least one letter and one digit."
    if folded in own:
        return "The password must not be the e-mail or the name."
    if is_common(password):
        return "The password is one of the most common ones; choose one that nobody else would."
    return None
