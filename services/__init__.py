"""Where MySQL, Redis and a gateway come from on any machine.

The servers are private to a home, by default .local/: its data, its ports, loopback only.
"""

from services.gateway import start_gateway
from services.mysql import start_mysql
from services.redis import start_redis
from services.server import HOME, Server
from services.stack import Stack, start_stack, stop_stack

__all__ = [
    "HOME",
    "Server",
    "Stack",
    "start_gateway",
    "start_mysql",
    "start_redis",
    "start_stack",
    "stop_stack",
]
