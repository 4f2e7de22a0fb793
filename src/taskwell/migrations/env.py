"""How Alembic runs here: always on a connection that ``taskwell.migrations`` has opened."""

from alembic import context

from taskwell.migrations.target import METADATA, modelled

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=METADATA,
    include_object=modelled(connection.dialect.name),
    compare_type=False,  # SQLite has five types, and the models more
    transactional_ddl=False,  # the caller's one transaction holds the lock and all the steps
)
context.run_migrations()
