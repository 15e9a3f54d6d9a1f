"""The tables of version 0.1, which had no revisions: made if they are missing, and completed if they are older."""

import sqlalchemy as sql
from alembic import op

revision = "0001"
down_revision = None

_RUNS = (
    sql.Column("id", sql.String(32), primary_key=True),
    sql.Column("owner", sql.String(64), nullable=False),
    sql.Column("state", sql.String(16), nullable=False),
    sql.Column("hyperparameters", sql.JSON, nullable=False),
    sql.Column("created", sql.Float, nullable=False),
    sql.Column("started", sql.Float),
    sql.Column("ended", sql.Float),
    sql.Column("step", sql.Integer, nullable=False),
    sql.Column("activity", sql.Text, nullable=False),
    sql.Column("stop_requested", sql.Boolean, nullable=False),
    sql.Column("reason", sql.Text, nullable=False),
    sql.Column("data", sql.Text, nullable=False),
    sql.Column("test_correct", sql.Integer),
    sql.Column("test_total", sql.Integer),
)
_ADDED = (  # by later builds of that version
    sql.Column("name", sql.Text, nullable=False, server_default=""),
    sql.Column("note", sql.Text, nullable=False, server_default=""),
    sql.Column("deleted", sql.Float),
    sql.Column("pause_at", sql.Integer),
    sql.Column("save_requested", sql.Boolean, nullable=False, server_default=sql.false()),
    sql.Column("seconds", sql.Float, nullable=False, server_default="0"),
    sql.Column("best_step", sql.Integer),
    sql.Column("best_val_accuracy", sql.Float),
    sql.Column("val_accuracy", sql.Float),
    sql.Column("attempts", sql.Integer, nullable=False, server_default="0"),
)


def upgrade() -> None:
    op.create_table("runs", *_RUNS, *_ADDED, if_not_exists=True)
    found = {column["name"] for column in sql.inspect(op.get_bind()).get_columns("runs")}
    for column in _ADDED:
        if column.name not in found:
            op.add_column("runs", column)
    op.create_index("ix_runs_state", "runs", ["state"], if_not_exists=True)
    op.create_table(
        "metrics",
        sql.Column("run_id", sql.String(32), primary_key=True),
        sql.Column("step", sql.Integer, primary_key=True),
        sql.Column("seconds", sql.Float, nullable=False),
        sql.Column("loss", sql.Float, nullable=False),
        sql.Column("accuracy", sql.Float, nullable=False),
        sql.Column("val_loss", sql.Float),
        sql.Column("val_accuracy", sql.Float),
        if_not_exists=True,
    )
    op.create_table(
        "changes",
        sql.Column("id", sql.Integer, primary_key=True, autoincrement=True),
        sql.Column("run_id", sql.String(32), nullable=False),
        sql.Column("step", sql.Integer),
        sql.Column("name", sql.String(32), nullable=False),
        sql.Column("old", sql.Float),
        sql.Column("value", sql.Float, nullable=False),
        if_not_exists=True,
    )
    op.create_index("ix_changes_run_id", "changes", ["run_id"], if_not_exists=True)
    op.create_table(
        "trainers",
        sql.Column("id", sql.Integer, primary_key=True),
        sql.Column("pid", sql.Integer, nullable=False),
        sql.Column("activity", sql.Text, nullable=False),
        sql.Column("heartbeat", sql.Float, nullable=False),
        if_not_exists=True,
    )
