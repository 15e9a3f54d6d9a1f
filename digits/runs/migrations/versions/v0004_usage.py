"""Usage: the copies that a run's owner saved, its space on the disk, and when somebody else opened it."""

import sqlalchemy as sql
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    for column in (
        sql.Column("copies", sql.Integer, nullable=False, server_default="0"),
        sql.Column("disk_bytes", sql.BigInteger),
        sql.Column("shared", sql.Float),
    ):
        op.add_column("runs", column)
