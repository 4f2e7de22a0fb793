"""Alembic's environment. It always uses a connection that ``taskwell.migrations`` has opened."""

from alembic import context

from taskwell.migrations.target import METADATA, modelled

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=METADATA,
    include_object=modelled(connection.dialect.name),
    compare_type=False,  # SQLite has only five types
    transactional_ddl=False,  # the caller's transaction holds the lock and all steps
)
context.run_migrations()
