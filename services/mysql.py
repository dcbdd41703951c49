"""MySQL from the first source that has it, with the same settings everywhere."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

import mysql.connector
from mysql.connector import errorcode

from services import debian
from services.engine import Container
from services.process import Process, kept, kept_port, kept_secret, write_private
from services.server import Server, Unavailable, wait_ready
from services.source import SERVICE, choose

IMAGE = "mysql:9.7"
OLDEST = (8, 0, 22)
SETTINGS = (
    # An acknowledged commit survives any crash.
    "--sync-binlog=1",
    "--innodb-flush-log-at-trx-commit=1",
    "--innodb-buffer-pool-size=512M",
    "--loose-innodb-redo-log-capacity=1G",  # New in 8.0.30.
    "--max-connections=500",
    "--character-set-server=utf8mb4",
    "--collation-server=utf8mb4_0900_ai_ci",
    "--default-time-zone=+00:00",
    "--log-error-verbosity=1",
)
# What the kernel takes: 107 bytes on Linux, 103 on macOS.
SOCKET_PATH_BYTES = 103
START_TIMEOUT_SEC = 120


def start_mysql(home: Path, *, use: str | None = SERVICE) -> Server:
    """Find or start MySQL; the URL is its administrative account's.

    use: for which the environment may name a server; None: one of the home's own.
    """
    home = home.resolve()
    return choose(
        "MySQL",
        home,
        own_mysql,
        [Process(home, "mysqld"), Container(home, "mysql")],
        {"docker": _in_container, "path": _on_path, "debian": _unpacked},
        use,
    )


def socket_path(home: Path) -> Path:
    """Return the path of the private server's socket, short enough for the kernel."""
    path = home / "run" / "mysqld.sock"
    if len(os.fsencode(path)) <= SOCKET_PATH_BYTES:
        return path
    digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"podium-{os.geteuid()}-{digest}" / "mysqld.sock"


def own_mysql(home: Path) -> Server | None:
    """Return the home's own server as it was last started; None before the first time."""
    port, socket = kept(home / "run" / "mysqld.port"), socket_path(home)
    if port is None:
        return None
    unix_socket = socket if socket.exists() else None
    description = f"already running on 127.0.0.1:{port}"
    return Server(_url(home, port, unix_socket), "running", description, unix_socket)


def _in_container(home: Path) -> Server:
    """Start MySQL in a container."""
    container, password, port = Container(home, "mysql"), _password(home), _port(home)
    container.run(
        IMAGE,
        SETTINGS,
        {"MYSQL_ROOT_PASSWORD": password, "MYSQL_INITDB_SKIP_TZINFO": "1"},
        ports=(port, 3306),
        data="/var/lib/mysql",
    )
    version = wait_ready(
        container, lambda: _version(password, host="127.0.0.1", port=port), START_TIMEOUT_SEC
    )
    return Server(
        _url(home, port),
        "docker",
        f"{version} in the container {container.name} on 127.0.0.1:{port}",
        stopper=container.stop,
    )


def _on_path(home: Path) -> Server:
    """Start a private instance of the MySQL that this machine has."""
    # Debian puts it where the PATH of users does not lead.
    program = shutil.which("mysqld", path=os.pathsep.join([*os.get_exec_path(), "/usr/sbin"]))
    if program is None:
        raise Unavailable("no mysqld on the PATH")
    told = subprocess.run([program, "--no-defaults", "--version"], capture_output=True, text=True)
    version = re.search(r"Ver (\d+)\.(\d+)\.(\d+)", told.stdout)
    if version is None or "MariaDB" in told.stdout:
        raise Unavailable(f"{program} is not MySQL")
    if tuple(int(number) for number in version.groups()) < OLDEST:
        raise Unavailable(f"{program} is older than {'.'.join(map(str, OLDEST))}")
    return _private(home, "path", program, [program, "--no-defaults"])


def _unpacked(home: Path) -> Server:
    """Start a private instance of Debian's MySQL."""
    packages = debian.unpack()
    usr = packages.root / "usr"
    mysqld = [
        *packages.command("usr/sbin/mysqld"),
        "--no-defaults",
        f"--basedir={usr}",
        f"--lc-messages-dir={usr}/share/mysql",
        f"--character-sets-dir={usr}/share/mysql/charsets",
        f"--plugin-dir={usr}/lib/mysql/plugin",
    ]
    return _private(home, "debian", "Debian's packages", mysqld)


def _private(home: Path, source: str, origin: str, program: Sequence[str]) -> Server:
    """Start a private instance on the home's data, which the first start makes."""
    process, data, socket = Process(home, "mysqld"), home / "mysql", socket_path(home)
    port, password, init = _port(home), _password(home), home / "run" / "mysqld.sql"
    mysqld = [
        *program,
        *SETTINGS,
        "--secure-file-priv=NULL",
        "--loose-mysqlx=OFF",
        *(["--user=root"] if os.geteuid() == 0 else []),
    ]
    if not data.exists():
        _initialise(process, mysqld, data)
    _own_folder(socket.parent)
    # Left behind by a server that was killed. mysqld would respect them while its pid exists, be it
    # as a zombie or as a stranger's.
    for left in (socket, socket.with_name(socket.name + ".lock")):
        left.unlink(missing_ok=True)
    # Carried out at each start before the server listens: there is no moment without a password,
    # and no way for it and the kept one to differ.
    write_private(
        init,
        f"SET sql_log_bin = OFF;\nALTER USER root@localhost IDENTIFIED BY '{password}';\n",
    )
    process.spawn(
        [
            *mysqld,
            f"--datadir={data}",
            f"--pid-file={process.pid_file}",
            f"--socket={socket}",
            f"--port={port}",
            "--bind-address=127.0.0.1",
            f"--init-file={init}",
        ]
    )
    version = wait_ready(
        process, lambda: _version(password, unix_socket=str(socket)), START_TIMEOUT_SEC
    )
    return Server(
        _url(home, port, socket),
        source,
        f"{version} from {origin} on 127.0.0.1:{port}",
        socket,
        process.stop,
    )


def _initialise(process: Process, mysqld: Sequence[str], data: Path) -> None:
    """Make the data folder; it gets its name when it is complete."""
    scratch = data.with_name("mysql.new")
    shutil.rmtree(scratch, ignore_errors=True)
    process.log.parent.mkdir(parents=True, exist_ok=True)
    with process.log.open("ab") as log:
        made = subprocess.run(
            [*mysqld, f"--datadir={scratch}", "--initialize-insecure"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    if made.returncode != 0:
        raise Unavailable(f"mysqld cannot make its data folder: {process.last_words()}")
    scratch.rename(data)


def _own_folder(folder: Path) -> None:
    """Make a folder for the socket; one that somebody else has put in its place is refused."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
        raise Unavailable(f"{folder} belongs to somebody else")


def _version(password: str, **place: str | int) -> str | None:
    """Return the version of a server that lets root in; None while it does not answer."""
    try:
        connection = mysql.connector.connect(
            user="root", password=password, connection_timeout=5, **place
        )
    except mysql.connector.Error as error:
        if error.errno == errorcode.ER_ACCESS_DENIED_ERROR:
            raise Unavailable(
                "MySQL's data has another password than the kept one; `make reset` drops both"
            ) from error
        return None
    with contextlib.closing(connection):
        return str(connection.server_info).partition("-")[0]


def _port(home: Path) -> int:
    return kept_port(home / "run" / "mysqld.port")


def _password(home: Path) -> str:
    return kept_secret(home / "run" / "mysqld.password")


def _url(home: Path, port: int | str, socket: Path | None = None) -> str:
    """Return the URL of the administrative account."""
    url = f"mysql://root:{_password(home)}@127.0.0.1:{port}/podium"
    return f"{url}?unix_socket={quote(str(socket))}" if socket else url
