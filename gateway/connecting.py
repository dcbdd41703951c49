"""Sessions of Podium's own: what they are does not depend on how the server is set up."""

from __future__ import annotations

from typing import Any, cast

import mysql.connector
from mysql.connector._scripting import MySQLScriptSplitter
from mysql.connector.constants import ClientFlag

from gateway.config import MysqlUrl

# mysql-connector-python 9.2 and later look for DELIMITER in the text after the parameters have been
# put into it, so that a candidate's string with that word breaks the CALL or is altered.
cast(Any, MySQLScriptSplitter).has_delimiter = staticmethod(lambda code: False)

# Above all it tells the driver how to write a backslash in a string. The server's default, of which
# server-wide any other may have been made.
SQL_MODE = (
    "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,"
    "ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"
)
# What else may be set server-wide and changes or refuses a statement. Not what an administrator
# stops writing with, such as transaction_read_only.
SETTINGS = {
    "completion_type": "'NO_CHAIN'",
    "transaction_isolation": "'REPEATABLE-READ'",
    "sql_safe_updates": "0",
    "sql_big_selects": "1",
    "sql_select_limit": "18446744073709551615",
    "max_execution_time": "0",
}


def connect(url: MysqlUrl, *, settings: dict[str, str] | None = None, **options: Any) -> Any:
    """Open a connection in autocommit, in UTF-8 and UTC, with all roles of its account.

    settings: further variables of the session and their values, as SQL. options: of
    mysql.connector.connect.
    """
    variables = SETTINGS | (settings or {})
    connection: Any = mysql.connector.connect(
        **url.arguments
        | {
            "autocommit": True,
            "charset": "utf8mb4",
            "collation": "utf8mb4_0900_ai_ci",
            "time_zone": "+00:00",
            "sql_mode": SQL_MODE,
            "client_flags": [-ClientFlag.MULTI_STATEMENTS],
            "init_command": "SET " + ", ".join(f"{name} = {variables[name]}" for name in variables),
            "use_pure": False,
        }
        | options
    )
    try:
        # An account may have no default role, see loader.grant_gateway. After sql_mode was set.
        connection.cmd_query("SET ROLE ALL")
    except BaseException:
        connection.close()
        raise
    return connection
