"""How Alembic runs our migrations: inside the transaction that `storage/migrate.py` hands over."""

from alembic import context

from storage import tables

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=tables.State.metadata,  # of all tables
    transactional_ddl=True,  # also on SQLite, where our BEGIN IMMEDIATE is open already
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
