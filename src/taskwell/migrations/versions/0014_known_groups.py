"""Address groups from which users have signed in."""

import sqlalchemy as sa
from alembic import op

from taskwell.database import Day, UuidText

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "known_groups",
        sa.Column("user_id", UuidText(), nullable=False),
        sa.Column("group_hash", sa.Text(), nullable=False),
        sa.Column("last_on", Day(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_known_groups_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "group_hash", name="pk_known_groups"),
    )
    op.create_index("ix_known_groups_last_on", "known_groups", ["last_on"])


def downgrade() -> None:
    op.drop_table("known_groups")
