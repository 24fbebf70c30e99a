"""Run Alembic's migrations on the database of the settings."""

from alembic import context

from product_importer.core import db
from product_importer.core.advisory_locks import AdvisoryLock
from product_importer.migrations import LOCK_SECONDS, METADATA, compares

with db.engine().connect() as connection:
    context.configure(connection=connection, target_metadata=METADATA, include_name=compares)
    with context.begin_transaction():
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        # Several processes may start at once: one migrates, the others wait and then find it done.
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({AdvisoryLock.MIGRATE})")
        # While a change of a table waits behind a long transaction, everybody else waits behind the change.
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'")
        context.run_migrations()
