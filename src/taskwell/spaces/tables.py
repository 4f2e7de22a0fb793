"""The tables of spaces, their members and invitations."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Text,
    column,
    table,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from taskwell.database import Base, Id, Instant, UuidText


class SpaceRow(Base):
    """Whose things they are. A personal space has its user's id, and the verb that removes the user removes it."""

    __tablename__ = "spaces"

    id: Mapped[Id] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    time_zone: Mapped[str] = mapped_column(Text, server_default="UTC")
    revision: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    """How many writes the space has seen."""
    access: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    """Raised by every change of members; a write under an older number stores nothing."""
    changed_revision: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    """The revision of the last change of the name, the zone or the members."""
    living: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    """How many tasks are not in the trash; kept by the statement that stamps."""
    forgotten_until: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    """The revision up to which it is not known any more what has gone."""
    created_by: Mapped[Id]
    """No foreign key: the space outlives the member who made it."""
    created_at: Mapped[Instant]
    updated_at: Mapped[Instant]

    __table_args__ = (CheckConstraint("kind IN ('personal', 'shared')", name="kind"),)


class MembershipRow(Base):
    """What a user may do in a space."""

    __tablename__ = "memberships"

    space_id: Mapped[Id] = mapped_column(ForeignKey("spaces.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[Id] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    role: Mapped[str] = mapped_column(Text)
    joined_at: Mapped[Instant]

    __table_args__ = (CheckConstraint("role IN ('owner', 'editor', 'reader')", name="role"), Index(None, "user_id"))


class InvitationRow(Base):
    """A way into a space for whoever has one of its tokens; it ends with the membership of whoever made it."""

    __tablename__ = "invitations"

    space_id: Mapped[Id]
    id: Mapped[Id] = mapped_column(primary_key=True)
    role: Mapped[str] = mapped_column(Text)
    email: Mapped[str | None] = mapped_column(Text)
    email_key: Mapped[str | None] = mapped_column(Text)
    """The e-mail as it is compared; only an account that has it, confirmed, can use the invitation."""
    uses_left: Mapped[int]
    expires_at: Mapped[Instant]
    created_by: Mapped[Id]
    created_at: Mapped[Instant]

    __table_args__ = (
        CheckConstraint("role IN ('owner', 'editor', 'reader')", name="role"),
        CheckConstraint("uses_left >= 0", name="uses"),
        ForeignKeyConstraint(
            ["space_id", "created_by"], ["memberships.space_id", "memberships.user_id"], ondelete="CASCADE"
        ),
        Index("ix_invitations_member", "space_id", "created_by"),
        Index(None, "expires_at"),
    )


class InvitationTokenRow(Base):
    """A token of an invitation: the one that was shown, and one for each attempt to mail it."""

    __tablename__ = "invitation_tokens"

    hash: Mapped[str] = mapped_column(Text, primary_key=True)
    invitation_id: Mapped[Id] = mapped_column(ForeignKey("invitations.id", ondelete="CASCADE"))

    __table_args__ = (Index(None, "invitation_id"),)


class InvitationBarRow(Base):
    """Whoever was removed from the space after the invitation was made: it does not let them in again."""

    __tablename__ = "invitation_bars"

    user_id: Mapped[Id] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    invitation_id: Mapped[Id] = mapped_column(ForeignKey("invitations.id", ondelete="CASCADE"), primary_key=True)

    __table_args__ = (Index(None, "invitation_id"),)


USERS = table("users", column("id", UuidText), column("name", Text))
"""What spaces need to know of users, whose own room stands above this one."""
