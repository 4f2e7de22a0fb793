"""Confirmed e-mails: who has one, the mails that ask for it, and the links in them."""

import sqlalchemy as sa
from alembic import op

from taskwell.database import UtcInstant, UuidText

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("users", sa.Column("email_verified_at", UtcInstant(), nullable=True))
    op.add_column("users", sa.Column("email_said_at", UtcInstant(), nullable=True))
    op.add_column("users", sa.Column("pending_email", sa.Text(), nullable=True))
    op.create_table(
        "mails",
        sa.Column("id", UuidText(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("user_id", UuidText(), nullable=True),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", UtcInstant(), nullable=False),
        sa.Column("claimed_at", UtcInstant(), nullable=True),
        sa.Column("fire_at", UtcInstant(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_mails_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_mails"),
    )
    op.create_index("ix_mails_fire_at", "mails", ["fire_at"])
    op.create_index("ix_mails_user_id", "mails", ["user_id"])
    op.create_table(
        "mail_quotas",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("began_at", UtcInstant(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_mail_quotas"),
    )
    op.create_index("ix_mail_quotas_began_at", "mail_quotas", ["began_at"])
    op.create_table(
        "one_time_tokens",
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("user_id", UuidText(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("expires_at", UtcInstant(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_one_time_tokens_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("hash", name="pk_one_time_tokens"),
    )
    op.create_index("ix_one_time_tokens_user_id", "one_time_tokens", ["user_id"])
    op.create_index("ix_one_time_tokens_expires_at", "one_time_tokens", ["expires_at"])


def downgrade() -> None:
    for table in ("one_time_tokens", "mail_quotas", "mails"):
        op.drop_table(table)
    op.drop_column("users", "pending_email")
    op.drop_column("users", "email_said_at")
    op.drop_column("users", "email_verified_at")
