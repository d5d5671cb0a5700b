"""What Alembic runs around our steps: they go through the one transaction of `migrate`."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=context.config.attributes.get("metadata"),
    transactional_ddl=True,  # SQLite can, whatever Alembic assumes
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
