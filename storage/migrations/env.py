"""How Alembic runs our migrations: inside the transaction that `storage/migrate.py` hands over."""

from alembic import context
from sqlmodel import SQLModel

from storage import tables

assert tables.State.metadata is SQLModel.metadata  # noqa: S101  # the import filled it

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    transactional_ddl=True,  # also on SQLite, where our BEGIN IMMEDIATE is open already
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
