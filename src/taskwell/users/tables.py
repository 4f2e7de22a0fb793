"""The tables of accounts, identities and tokens."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from taskwell.database import Base, Id, Instant, UtcInstant


class UserRow(Base):
    """An account of our own, or the owner of an external identity (then without e-mail rules or password).

    The time zone is that of the personal space.
    """

    __tablename__ = "users"

    id: Mapped[Id] = mapped_column(primary_key=True)
    email: Mapped[str | None] = mapped_column(Text)
    email_key: Mapped[str | None] = mapped_column(Text, unique=True)
    """The e-mail as it is compared, of local accounts only; an external user's e-mail proves nothing."""
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
    created_at: Mapped[Instant]

    __table_args__ = (Index(None, "created_at"),)


__all__ = ["ExternalIdentityRow", "IdempotencyKeyRow", "RevokedTokenRow", "UserRow"]
