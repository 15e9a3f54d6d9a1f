"""Foreign keys, indexes for what pages ask, and owners as hashes of their visitors' tokens."""

import hashlib

import sqlalchemy as sql
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    connection = op.get_bind()
    runs = sql.table("runs", sql.column("id"), sql.column("owner"))
    for name in ("metrics", "changes"):
        rows = sql.table(name, sql.column("run_id"))
        connection.execute(rows.delete().where(rows.c.run_id.not_in(sql.select(runs.c.id))))  # of purged runs
        with op.batch_alter_table(name) as table:
            table.create_foreign_key(f"fk_{name}_run_id", "runs", ["run_id"], ["id"], ondelete="CASCADE")
    for owner in connection.execute(sql.select(runs.c.owner).distinct()).scalars().all():
        hashed = hashlib.sha256(owner.encode()).hexdigest()
        connection.execute(runs.update().where(runs.c.owner == owner).values(owner=hashed))
    op.drop_index("ix_runs_owner", "runs", if_exists=True)
    op.create_index("ix_runs_owner_created", "runs", ["owner", "created"])
    op.create_index("ix_runs_deleted", "runs", ["deleted"])
