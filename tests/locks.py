"""Who waits for a lock of InnoDB."""

from __future__ import annotations

from typing import Any

# By the lock on the table, which who waits took himself. One on a row may have been moved since, by
# the purge or whoever else frees or splits its page, and is then said to be that thread's.
# Not sys.innodb_lock_waits: it reads innodb_trx, which shows an old state to who never pauses.
WAITING = """
    SELECT DISTINCT t.processlist_id AS id, t.processlist_user AS user
    FROM performance_schema.data_locks AS w
    INNER JOIN performance_schema.data_locks AS l
        ON l.engine_transaction_id = w.engine_transaction_id AND l.lock_type = 'TABLE'
    INNER JOIN performance_schema.threads AS t ON t.thread_id = l.thread_id
    WHERE w.lock_status = 'WAITING' AND w.object_name = COALESCE(%s, w.object_name)
"""


def waiting(connection: Any, table: str | None = None) -> dict[int, str]:
    """Return the connections that wait for a lock, on this table or on any, and their users."""
    with connection.cursor() as cursor:
        cursor.execute(WAITING, (table,))
        return dict(cursor.fetchall())
