"""What verified tokens say: plain values, for those who need nothing of signatures and keys."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

import orjson


@dataclass(frozen=True, slots=True)
class TokenClaims:
    """What a verified token of ours says.

    Attributes:
        issued_at: To the millisecond, from the token's id where that is a UUIDv7, as ours are; ``iat`` has whole
            seconds only, too coarse to tell a token from before a password change from one made after it.
        signed_in_at: When its holder proved who they are; a renewal keeps it.
    """

    subject: str
    token_id: str
    issued_at: datetime
    expires_at: datetime
    signed_in_at: datetime


@dataclass(frozen=True, slots=True)
class ExternalClaims:
    """What a verified token of another issuer says.

    Attributes:
        issuer: Together with ``subject`` it is who the user is.
        token_id: Made of the ``jti``, or of what was signed where it has none.
        issued_at: None where the token does not say.
        email: As the issuer has it; it finds no account here.
        email_verified: Whether the issuer says that it is the user's.
    """

    issuer: str
    subject: str
    token_id: str
    issued_at: datetime | None
    expires_at: datetime
    email: str | None
    name: str | None
    email_verified: bool = False

    @property
    def identity_id(self) -> str:
        return identity_id(self.issuer, self.subject)


@dataclass(frozen=True, slots=True)
class ProviderIdentity:
    """What a sign-in provider says of who has just signed in there.

    Attributes:
        issuer: Together with ``subject`` it is who the user is.
        email: None where the provider does not say.
        email_verified: Whether the provider has seen that the e-mail is theirs.
    """

    issuer: str
    subject: str
    email: str | None
    email_verified: bool
    name: str | None


def identity_id(issuer: str, subject: str) -> str:
    """A short name for who a user is to an issuer."""
    return digest(issuer, subject)


def digest(*parts: str) -> str:
    return sha256(orjson.dumps(parts)).hexdigest()
