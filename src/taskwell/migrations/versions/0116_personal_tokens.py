"""Personal access tokens, and the second factor."""

import sqlalchemy as sa
from alembic import op

from taskwell.database import Day, TextList, UtcInstant, UuidText

revision = "0116"
down_revision = "0100"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "api_tokens",
        sa.Column("id", UuidText(), nullable=False),
        sa.Column("user_id", UuidText(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("scopes", TextList(), nullable=False),
        sa.Column("space_ids", TextList(), nullable=True),
        sa.Column("expires_at", UtcInstant(), nullable=True),
        sa.Column("last_used_on", Day(), nullable=True),
        sa.Column("created_at", UtcInstant(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_api_tokens_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_api_tokens"),
        sa.UniqueConstraint("hash", name="uq_api_tokens_hash"),
    )
    op.create_index("ix_api_tokens_user_id", "api_tokens", ["user_id"])
    op.create_table(
        "totp",
        sa.Column("user_id", UuidText(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("last_timecode", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("confirmed_at", UtcInstant(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_totp_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", name="pk_totp"),
    )
    op.create_table(
        "recovery_codes",
        sa.Column("user_id", UuidText(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_recovery_codes_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "hash", name="pk_recovery_codes"),
    )


def downgrade() -> None:
    for table in ("recovery_codes", "totp", "api_tokens"):
        op.drop_table(table)
