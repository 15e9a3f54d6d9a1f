"""Leases: which trainer has a run and until when; trainers by name; the precision on the run."""

import sqlalchemy as sql
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    for column in (
        sql.Column("worker", sql.String(64), nullable=False, server_default=""),
        sql.Column("lease_until", sql.Float),
        sql.Column("claims", sql.Integer, nullable=False, server_default="0"),
        sql.Column("precision", sql.String(32), nullable=False, server_default=""),
    ):
        op.add_column("runs", column)
    op.create_index("ix_runs_owner_lease", "runs", ["owner", "lease_until"])
    op.drop_table("trainers")
    op.create_table(
        "workers",
        sql.Column("id", sql.String(64), primary_key=True),
        sql.Column("pid", sql.Integer, nullable=False),
        sql.Column("activity", sql.Text, nullable=False),
        sql.Column("heartbeat", sql.Float, nullable=False),
    )
