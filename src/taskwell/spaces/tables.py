"""The tables of spaces and their members."""

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from taskwell.database import Base, Id, Instant


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
