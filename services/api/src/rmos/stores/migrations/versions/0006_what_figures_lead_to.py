"""what figures lead to: the moment at which a job counts, the supplier of a material, and an order of ends

`outcome_at` and `supplier` follow from what is stored and are computed as they are read: no row is written anew. The
index of ends held the jobs with an end alone, so a list of all jobs sorted by end read and sorted every job.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_OUTCOME_AT = "CASE WHEN status IN ('completed', 'failed') THEN coalesce(end_time, start_time, created_at) END"
_SUPPLIER = (
    "CASE json_type(CAST(body AS TEXT), '$.metadata.supplier') WHEN 'text' "
    "THEN nullif(trim(json_extract(CAST(body AS TEXT), '$.metadata.supplier')), '') END"
)


def upgrade() -> None:
    """Add the columns, and make the indexes."""
    op.add_column("strip_families", sa.Column("supplier", sa.Text, sa.Computed(_SUPPLIER, persisted=False)))
    op.add_column("joblogs", sa.Column("outcome_at", sa.Text, sa.Computed(_OUTCOME_AT, persisted=False)))
    op.create_index(
        "ix_joblogs_outcome_at_id", "joblogs", ["outcome_at", "id"], sqlite_where=sa.text("outcome_at IS NOT NULL")
    )
    op.drop_index("ix_joblogs_end_time_id", "joblogs")
    op.create_index("ix_joblogs_end_time_id", "joblogs", ["end_time", "id"])
