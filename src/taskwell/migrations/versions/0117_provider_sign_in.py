"""What a one-time token is good for, beyond its purpose: which account of a provider's its use links."""

import sqlalchemy as sa
from alembic import op

revision = "0117"
down_revision = "0116"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("one_time_tokens", sa.Column("detail", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("one_time_tokens", "detail")
