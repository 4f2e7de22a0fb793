"""The tables of accounts, identities and tokens."""

from datetime import date, datetime

from sqlalchemy import BigInteger, ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from taskwell.database import Base, Day, Id, Instant, TextList, UtcInstant


class UserRow(Base):
    """An account of our own, or the owner of an external identity (then without e-mail rules or password).

    The time zone is that of the personal space.
    """

    __tablename__ = "users"

    id: Mapped[Id] = mapped_column(primary_key=True)
    email: Mapped[str | None] = mapped_column(Text)
    email_key: Mapped[str | None] = mapped_column(Text, unique=True)
    """The e-mail as it is compared, of local accounts only; an external user's e-mail proves nothing."""
    email_verified_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    """When its owner followed the link, or the issuer last began to say so."""
    email_said_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    """Of an external user: when the token was issued, or the change was made, that the e-mail is from."""
    pending_email: Mapped[str | None] = mapped_column(Text)
    """What becomes the e-mail when its owner follows the link that was sent there."""
    name: Mapped[str] = mapped_column(Text)
    password_hash: Mapped[str | None] = mapped_column(Text)
    tokens_valid_after: Mapped[datetime | None] = mapped_column(UtcInstant)
    kept_token_id: Mapped[str | None] = mapped_column(Text)
    """The one older token that a password change leaves valid: the one that made it."""
    disabled_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    created_at: Mapped[Instant]
    updated_at: Mapped[Instant]


class ExternalIdentityRow(Base):
    """Who a user is to an external issuer; the only way by which an external token finds its user."""

    __tablename__ = "external_identities"

    issuer: Mapped[str] = mapped_column(Text, primary_key=True)
    subject: Mapped[str] = mapped_column(Text, primary_key=True)
    user_id: Mapped[Id] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))

    __table_args__ = (Index(None, "user_id"),)


class OneTimeTokenRow(Base):
    """A link that was mailed and not followed yet; the token itself is stored nowhere."""

    __tablename__ = "one_time_tokens"

    hash: Mapped[str] = mapped_column(Text, primary_key=True)
    purpose: Mapped[str] = mapped_column(Text)
    user_id: Mapped[Id] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    email: Mapped[str] = mapped_column(Text)
    """Where it was sent; it is good for nothing once that is not the user's any more."""
    detail: Mapped[str | None] = mapped_column(Text)
    """What its purpose needs to know."""
    expires_at: Mapped[Instant]

    __table_args__ = (Index(None, "user_id"), Index(None, "expires_at"))


class ApiTokenRow(Base):
    """A personal access token, of which only the hash is known."""

    __tablename__ = "api_tokens"

    id: Mapped[Id] = mapped_column(primary_key=True)
    user_id: Mapped[Id] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    hash: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    scopes: Mapped[tuple[str, ...]] = mapped_column(TextList)
    space_ids: Mapped[tuple[str, ...] | None] = mapped_column(TextList)
    """The spaces to which it is confined; NULL for every space of its user."""
    expires_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    last_used_on: Mapped[date | None] = mapped_column(Day)
    created_at: Mapped[Instant]

    __table_args__ = (Index(None, "user_id"),)


class TotpRow(Base):
    """The secret that a user shares with an authenticator app."""

    __tablename__ = "totp"

    user_id: Mapped[Id] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    secret: Mapped[str] = mapped_column(Text)
    last_timecode: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    """The half minute of the last code that was used; no earlier one is taken."""
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    """When a first code showed that the app has the secret; codes are asked for from then on."""


class RecoveryCodeRow(Base):
    """A recovery code that was not used yet."""

    __tablename__ = "recovery_codes"

    user_id: Mapped[Id] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    hash: Mapped[str] = mapped_column(Text, primary_key=True)


class RevokedTokenRow(Base):
    """A token that is refused although it has not expired.

    It has no foreign key: the tokens of a deleted user stay refused. Other processes read what is new here,
    by ``revoked_at``, to drop what they have cached; a row whose ``token_id`` is ``user:`` and a user's id
    makes them look that user up again.
    """

    __tablename__ = "revoked_tokens"

    token_id: Mapped[str] = mapped_column(Text, primary_key=True)
    user_id: Mapped[Id]
    expires_at: Mapped[Instant]
    revoked_at: Mapped[Instant]

    __table_args__ = (Index(None, "revoked_at"), Index(None, "expires_at"))


class KnownGroupRow(Base):
    """An address group from which a user has signed in, and so may when others fail to from everywhere."""

    __tablename__ = "known_groups"

    user_id: Mapped[Id] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    group_hash: Mapped[str] = mapped_column(Text, primary_key=True)
    last_on: Mapped[date] = mapped_column(Day)

    __table_args__ = (Index(None, "last_on"),)


class IdempotencyKeyRow(Base):
    """The answer to a request that carried an ``Idempotency-Key``, stored in the request's own transaction."""

    __tablename__ = "idempotency_keys"

    user_id: Mapped[Id] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    path: Mapped[str] = mapped_column(Text, primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    request_hash: Mapped[str] = mapped_column(Text)
    status: Mapped[int]
    headers: Mapped[str] = mapped_column(Text)
    response: Mapped[bytes]
    spaces: Mapped[tuple[str, ...]] = mapped_column(TextList)
    """The shared spaces that the answer shows: it is repeated only to whoever may still see them."""
    created_at: Mapped[Instant]

    __table_args__ = (Index(None, "created_at"),)


__all__ = [
    "ApiTokenRow",
    "ExternalIdentityRow",
    "IdempotencyKeyRow",
    "KnownGroupRow",
    "OneTimeTokenRow",
    "RecoveryCodeRow",
    "RevokedTokenRow",
    "TotpRow",
    "UserRow",
]
