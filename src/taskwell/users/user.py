"""An account and the rules of its parts: plain values, without a database."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime

import idna
from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

from taskwell.security.passwords import MAX_PASSWORD
from taskwell.users.common_passwords import is_common

MIN_PASSWORD = 8
MIN_NAME, MAX_NAME = 2, 100
MAX_LOCAL_PART = 64
"""Octets, by RFC 5321 section 4.5.3.1.1."""

MAX_EMAIL = 254
"""RFC 5321 section 4.5.3.1.3: a path of 256 octets, less its angle brackets."""

SPECIAL_USE_DOMAIN_NAMES.remove("local")


@dataclass(frozen=True, slots=True)
class User:
    """A user as the service knows it; the password's hash never leaves the tables."""

    id: str
    email: str | None
    email_verified_at: datetime | None
    pending_email: str | None
    name: str
    time_zone: str
    created_at: datetime
    updated_at: datetime

    @property
    def email_verified(self) -> bool:
        return self.email_verified_at is not None


def is_email(text: str) -> bool:
    """Whether it has the form of an address (RFC 5321); whether anybody reads it, a followed link shows.

    ``.local`` is special-use (RFC 6762), and what many a network at home is called.
    """
    try:
        validate_email(text, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return False
    return len(text.rpartition("@")[0].encode()) <= MAX_LOCAL_PART


def email_key(email: str) -> str:
    """The e-mail as it is compared: the domain as the network knows it, what is before it composed and without case.

    One that is too long to be anybody's stays as it is: composing takes time by the square of a letter's accents.
    """
    if len(email) > MAX_EMAIL:
        return email
    local_part, at, domain = unicodedata.normalize("NFC", email).rpartition("@")
    return unicodedata.normalize("NFC", local_part.casefold()) + at + _ascii(domain)


def _ascii(domain: str) -> str:
    """By IDNA 2008, in which ß stays a letter of its own; what is no domain, as a typed name may be, without case."""
    if domain.isascii():
        return domain.lower()
    try:
        return idna.encode(domain, uts46=True).decode()
    except (idna.IDNAError, UnicodeError):
        return domain.casefold()


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
