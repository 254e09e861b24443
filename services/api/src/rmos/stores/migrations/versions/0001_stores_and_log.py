"""stores and event log

Written out and not made from `stores.schema`: a migration describes the schema of its day.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_OFFSET = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """From an empty database."""
    _create_log()
    _create_entities()
    op.create_table(
        "answers",
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.LargeBinary, nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("headers", sa.Text, nullable=False, comment="JSON list of pairs"),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("scope", name="pk_answers"),
    )
    _index("answers", "created_at")


def _create_log() -> None:
    op.create_table(
        "events",
        sa.Column("offset", _OFFSET, primary_key=True, autoincrement=False, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("category", sa.Text, nullable=False),
        sa.Column("key", sa.Text),
        sa.Column("version", sa.Integer),
        sa.Column("channels", sa.Text, comment="JSON list; NULL when there is none"),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("request_id", sa.Text),
        sa.Column("timestamp", sa.Text, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("offset", name="pk_events"),
        sqlite_autoincrement=True,
    )
    _index("events", "key", "offset")
    _index("events", "category", "offset")
    op.create_table(
        "log_head",
        sa.Column("id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("epoch", sa.Text, nullable=False),
        sa.Column("head", _OFFSET, nullable=False),
        sa.Column("oldest", _OFFSET, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_log_head"),
        sa.CheckConstraint("id = 1", name=op.f("ck_log_head_single")),
    )


def _create_entities() -> None:
    _entity_table(
        "strip_families",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("name_folded", sa.Text, nullable=False),
        sa.Column("strip_width_mm", sa.Float, nullable=False),
        sa.Column("strip_thickness_mm", sa.Float, nullable=False),
        sa.Column("material_type", sa.Text, nullable=False),
        sa.Column("material_type_folded", sa.Text, nullable=False),
        sa.Column("lane", sa.Text),
        sa.Column("min_stock_mm", sa.Float),
    )
    _index("strip_families", "name_folded")
    _index("strip_families", "material_type_folded", "created_at")
    _index("strip_families", "lane", "created_at")

    _entity_table(
        "patterns",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("name_folded", sa.Text, nullable=False),
        sa.Column("ring_count", sa.Integer, nullable=False),
        sa.Column("pattern_type", sa.Text, nullable=False),
        sa.Column("strip_family_id", sa.Text),
        sa.ForeignKeyConstraint(["strip_family_id"], ["strip_families.id"], name="fk_patterns_strip_family_id"),
    )
    _index("patterns", "name_folded")
    for field in ("ring_count", "pattern_type", "strip_family_id"):
        _index("patterns", field, "created_at")

    _entity_table(
        "joblogs",
        sa.Column("job_type", sa.Text, nullable=False),
        sa.Column("pattern_id", sa.Text),
        sa.Column("strip_family_id", sa.Text),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("start_time", sa.Text),
        sa.Column("end_time", sa.Text),
        sa.Column("duration_seconds", sa.Float),
        sa.Column("machine_id", sa.Text),
        sa.Column("project_id", sa.Text),
        sa.Column("operator", sa.Text),
        sa.Column("progress", sa.Float),
        sa.Column("reason", sa.Text),
        sa.Column("good_qty", sa.Float),
        sa.Column("scrap_qty", sa.Float),
        sa.Column("rework_qty", sa.Float),
        sa.ForeignKeyConstraint(["pattern_id"], ["patterns.id"], name="fk_joblogs_pattern_id"),
        sa.ForeignKeyConstraint(["strip_family_id"], ["strip_families.id"], name="fk_joblogs_strip_family_id"),
    )
    for field in (
        "status",
        "job_type",
        "pattern_id",
        "strip_family_id",
        "machine_id",
        "project_id",
        "operator",
        "reason",
    ):
        _index("joblogs", field, "created_at")


def _entity_table(name: str, *fields: sa.schema.SchemaItem) -> None:
    op.create_table(
        name,
        sa.Column("id", sa.Text, nullable=False),
        *fields,
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("updated_at", sa.Text, nullable=False),
        sa.Column("search_text", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name=f"pk_{name}"),
    )
    _index(name, "created_at", "id")


def _index(table: str, *columns: str) -> None:
    op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns))
