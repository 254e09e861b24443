"""Alembic's entry. `stores.sqlite.migrate.upgrade` gives the connection, in one transaction for all there is to do."""

from __future__ import annotations

from alembic import context

from rmos.stores.schema import patterns

context.configure(
    connection=context.config.attributes["connection"], target_metadata=patterns.metadata, render_as_batch=True
)
context.run_migrations()
