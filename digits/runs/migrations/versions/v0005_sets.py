"""Sets: the sets of drawings that visitors make."""

import sqlalchemy as sql
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "sets",
        sql.Column("id", sql.String(32), primary_key=True),
        sql.Column("owner", sql.String(64), nullable=False, index=True),
        sql.Column("name", sql.Text, nullable=False),
        sql.Column("created", sql.Float, nullable=False),
        sql.Column("changed", sql.Float, nullable=False),
        sql.Column("version", sql.Integer, nullable=False),
        sql.Column("drawings", sql.Integer, nullable=False),
        sql.Column("classes", sql.Integer, nullable=False),
        sql.Column("disk_bytes", sql.BigInteger, nullable=False),
        sql.Column("deleted", sql.Float, index=True),
    )
