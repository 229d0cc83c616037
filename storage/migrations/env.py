"""How Alembic runs our migrations: inside the transaction that `storage/migrate.py` hands over."""

from alembic import context

from storage.tables.registry import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    transactional_ddl=True,  # also on SQLite, where our BEGIN IMMEDIATE is open already
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
