"""Sweeps: the searches for better settings, and which runs are their trials."""

import sqlalchemy as sql
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "sweeps",
        sql.Column("id", sql.String(32), primary_key=True),
        sql.Column("owner", sql.String(64), nullable=False, index=True),
        sql.Column("name", sql.Text, nullable=False),
        sql.Column("state", sql.String(16), nullable=False, index=True),
        sql.Column("plan", sql.JSON, nullable=False),
        sql.Column("created", sql.Float, nullable=False),
        sql.Column("ended", sql.Float),
        sql.Column("begun", sql.Integer, nullable=False),
        sql.Column("seconds", sql.Float, nullable=False),
        sql.Column("confirmation", sql.String(32), nullable=False),
        sql.Column("summary", sql.JSON, nullable=False),
        sql.Column("note", sql.Text, nullable=False),
        sql.Column("driver", sql.String(64), nullable=False),
        sql.Column("driven", sql.Float),
        sql.Column("deleted", sql.Float, index=True),
    )
    op.add_column("runs", sql.Column("sweep", sql.String(32)))
    op.add_column("runs", sql.Column("trial", sql.Integer))
    op.add_column("runs", sql.Column("pruned", sql.Integer))
    op.create_index("ix_runs_sweep", "runs", ["sweep"])
