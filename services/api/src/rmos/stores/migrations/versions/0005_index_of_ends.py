"""an index of ends: a column of a chart leads to the jobs that ended on its days

Without it, a list of them read every job. A job has an entry once it has ended.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index."""
    op.create_index(
        "ix_joblogs_end_time_id", "joblogs", ["end_time", "id"], sqlite_where=sa.text("end_time IS NOT NULL")
    )
