"""Alembic's entry. The connection comes from `stores.sqlite.migrate.upgrade`, inside one transaction for all that is to do."""

from __future__ import annotations

from alembic import context

from rmos.stores.schema import patterns

context.configure(
    connection=context.config.attributes["connection"], target_metadata=patterns.metadata, render_as_batch=True
)
context.run_migrations()
