"""Parents: the model whose weights a run began with."""

import sqlalchemy as sql
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("runs", sql.Column("parent", sql.String(64), nullable=False, server_default=""))
