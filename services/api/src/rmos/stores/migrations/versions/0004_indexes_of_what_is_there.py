"""indexes of what is there: rows that leave a field out are no longer in its index

A usual job leaves six indexed fields out, and each cost a write an entry that nobody looked for.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_FIELDS: Final = {
    "strip_families": ("lane",),
    "patterns": ("strip_family_id",),
    "joblogs": ("pattern_id", "strip_family_id", "machine_id", "project_id", "operator", "reason"),
}
"""Indexed fields that may be left out, by table."""


def upgrade() -> None:
    """Replace the indexes."""
    for table, fields in _FIELDS.items():
        for field in fields:
            name = f"ix_{table}_{field}_created_at"
            op.drop_index(name, table)
            op.create_index(name, table, [field, "created_at"], sqlite_where=sa.text(f"{field} IS NOT NULL"))
