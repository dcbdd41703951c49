"""The containers: a gateway, and the MySQL and the Redis that it works with."""

from __future__ import annotations

import contextlib
import secrets
import time
from typing import Any, Self

import docker.errors
import jwt
from testcontainers.core.container import DockerContainer
from testcontainers.core.network import Network
from testcontainers.core.wait_strategies import HealthcheckWaitStrategy, HttpWaitStrategy

from gateway.config import MysqlUrl
from gateway.connecting import connect
from gateway.testing import image as own_image
from gateway.testing.client import Client

MYSQL_IMAGE = "mysql:9.7"
REDIS_IMAGE = "redis:8"
PORT, MYSQL_PORT, REDIS_PORT = 8000, 3306, 6379
GATEWAY_USER = "podium_app"
ADMIN_USER = "podium-admin"
TOKEN_SEC = 24 * 3600
START_TIMEOUT_SEC = 120
POLL_SEC = 0.2
# In the unit of the engine.
SECOND = 10**9
# By TCP: the server of the first start, which makes the data, has a socket only.
MYSQL_ANSWERS = ["mysqladmin", "ping", "--silent", "--protocol=TCP", "--host=127.0.0.1"]


class PodiumContainer(DockerContainer):
    """A gateway's container, started with MySQL and Redis beside it and the schema loaded.

        with PodiumContainer() as podium:
            admin = podium.client(podium.admin_token)
            admin.post("/exams", {"title": "An exam"})

    Data, passwords and the secret of the tokens are new ones at every start. `mysql` and `redis`
    are containers too, which a test may stop, kill and start again; `url` and `dsn` are asked from
    the engine each time, since a container that was started again has another port, unless
    with_bind_ports() has told the gateway's.

    image: one of the gateway that exists, in place of building it from this package. What
    with_env() is told is the gateway's configuration, as the README lists it.
    """

    def __init__(
        self,
        image: str | None = None,
        *,
        mysql_image: str = MYSQL_IMAGE,
        redis_image: str = REDIS_IMAGE,
    ) -> None:
        try:
            super().__init__(image or "podium")
        except docker.errors.DockerException as error:
            raise RuntimeError(
                f"Podium's containers need a Docker engine, and none answers: {error}"
            ) from error
        self._own_image = image is None
        self._started = contextlib.ExitStack()
        self._secret = secrets.token_hex(32)
        self._root_password = secrets.token_hex(16)
        self._app_password = secrets.token_hex(16)
        self._admin_id = 0
        self.network = Network()
        self.mysql = DockerContainer(mysql_image)
        self.redis = DockerContainer(redis_image)

    def start(self) -> Self:
        """Start everything; if a part fails, what was started is stopped again."""
        try:
            if self._own_image:
                self.image = own_image.build(self.get_docker_client().client)
            self._started.enter_context(self.network)
            self._start_servers()
            self._upgrade()
            self._admin_id = self._create_administrator()
            self.with_envs(
                PODIUM_GATEWAY_MYSQL_URL=self._mysql_url(GATEWAY_USER, self._app_password),
                PODIUM_REDIS_URL=f"redis://redis:{REDIS_PORT}/0",
                PODIUM_JWT_SECRET=self._secret,
            )
            self.with_network(self.network)
            # Unless with_bind_ports() was told which.
            self.ports.setdefault(str(PORT), None)
            super().start()
            self._wait(HttpWaitStrategy(PORT, "/readyz"), self)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self, force: bool = True, delete_volume: bool = True) -> None:
        """End everything and drop the data."""
        super().stop(force, delete_volume)
        self._started.close()

    def wait_ready(self) -> None:
        """Wait until the gateway answers and has MySQL, for instance after either was killed."""
        self._wait(HttpWaitStrategy(PORT, "/readyz"), self)

    @property
    def url(self) -> str:
        """Return where the gateway answers, without a path."""
        return f"http://{_host(self)}:{self.get_exposed_port(PORT)}"

    @property
    def dsn(self) -> str:
        """Return the URL of MySQL's administrative account, with the database podium."""
        port = self.mysql.get_exposed_port(MYSQL_PORT)
        return f"mysql://root:{self._root_password}@{_host(self.mysql)}:{port}/podium"

    @property
    def redis_url(self) -> str:
        """Return the URL of Redis."""
        return f"redis://{_host(self.redis)}:{self.redis.get_exposed_port(REDIS_PORT)}/0"

    @property
    def admin_token(self) -> str:
        """Return a token of an administrator, good for a day."""
        return self.token(self._admin_id, "admin")

    def token(self, user_id: int, role: str = "candidate") -> str:
        """Sign a token for a user, good for a day; role: candidate, moderator or admin."""
        claims = {
            "sub": str(user_id),
            "role": role,
            "aud": "podium",
            "exp": int(time.time()) + TOKEN_SEC,
        }
        return jwt.encode(claims, self._secret, "HS256")

    def client(self, token: str) -> Client:
        """Return the HTTP API as whoever has this token calls it."""
        return Client(self.url, token)

    def connect(self) -> Any:
        """Open a connection to the database as MySQL's administrative account, in autocommit."""
        return connect(MysqlUrl.parse(self.dsn), database="podium")

    def _start_servers(self) -> None:
        """Start MySQL and Redis, at once, and wait until both answer."""
        self.mysql.with_env("MYSQL_ROOT_PASSWORD", self._root_password)
        self.mysql.with_env("MYSQL_INITDB_SKIP_TZINFO", "1")
        self.mysql.with_command(
            # An acknowledged commit survives any crash, here as in production.
            ["--sync-binlog=1", "--innodb-flush-log-at-trx-commit=1", "--max-connections=500"]
            + ["--default-time-zone=+00:00"]
        )
        self.redis.with_command(["redis-server", "--save", "", "--appendonly", "no"])
        for name, container, port, check in (
            ("mysql", self.mysql, MYSQL_PORT, MYSQL_ANSWERS),
            ("redis", self.redis, REDIS_PORT, ["redis-cli", "ping"]),
        ):
            container.with_network(self.network).with_network_aliases(name)
            container.with_exposed_ports(port).with_kwargs(healthcheck=_health(check))
            self._started.enter_context(container)
        for container in (self.mysql, self.redis):
            self._wait(HealthcheckWaitStrategy(), container)

    def _upgrade(self) -> None:
        """Load the schema and make the gateway's account, as docker-compose.yml does."""
        upgrade = DockerContainer(self.image).with_network(self.network)
        upgrade.image = self.image  # Built here: a prefix for images from a registry is not for it.
        upgrade.with_command(["flask", "--app", "gateway", "db", "upgrade"]).with_envs(
            PODIUM_MYSQL_URL=self._mysql_url("root", self._root_password),
            PODIUM_GATEWAY_MYSQL_URL=self._mysql_url(GATEWAY_USER, self._app_password),
        )
        with upgrade:
            if upgrade.wait() != 0:
                told = b"".join(upgrade.get_logs()).decode(errors="replace")
                raise RuntimeError(f"the schema cannot be loaded:\n{told}")

    def _create_administrator(self) -> int:
        """Create the user whom the admin token speaks for, and return his id."""
        with contextlib.closing(self.connect()) as connection:
            with contextlib.closing(connection.cursor()) as cursor:
                cursor.execute("CALL create_user(%s, %s, 'admin')", (ADMIN_USER, "Administrator"))
                [(user_id, *_)] = cursor.fetchall()
                while cursor.nextset():
                    pass
        return int(user_id)

    def _mysql_url(self, user: str, password: str) -> str:
        """Return the URL of MySQL within the containers' network."""
        return f"mysql://{user}:{password}@mysql:{MYSQL_PORT}/podium"

    @staticmethod
    def _wait(
        strategy: HealthcheckWaitStrategy | HttpWaitStrategy, container: DockerContainer
    ) -> None:
        """Wait for a condition; what the container has to say goes with the error."""
        strategy.with_startup_timeout(START_TIMEOUT_SEC).with_poll_interval(POLL_SEC)
        try:
            strategy.wait_until_ready(container)
        except Exception as error:
            error.add_note(b"".join(container.get_logs()).decode(errors="replace")[-4000:])
            raise


def _health(check: list[str]) -> dict[str, Any]:
    """Return a health check that is made often, and may fail until the time to start is over."""
    return {
        "test": ["CMD", *check],
        "interval": int(POLL_SEC * SECOND),
        "timeout": 5 * SECOND,
        "start_period": START_TIMEOUT_SEC * SECOND,
        "retries": 3,
    }


def _host(container: DockerContainer) -> str:
    """Return where a container's ports are; by number, since MySQL takes localhost for a socket."""
    host = container.get_container_host_ip()
    return "127.0.0.1" if host == "localhost" else host
