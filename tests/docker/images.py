"""Stand-ins for mysql:9.7, redis:8 and python:3.11-slim, where no image can be pulled.

Debian's packages become an image through `docker import`; the folders beside this file make of it
what Podium relies on in the official images.
"""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

import docker

from services import debian, mysql, redis
from services.server import ROOT
from tests.docker.engine import FOLDER

HERE = Path(__file__).parent
PYTHON = "3.11"
# The suite that has that Python.
PYTHON_SUITE = "bookworm"
SERVERS = (*debian.PACKAGES, "bash", "dash", "coreutils", "util-linux")
# What a Python before 3.11.3, such as this one, needs beyond a later one that downloads for it.
MORE = "async-timeout\n"
PYTHONS = (f"python{PYTHON}", "python3-pip", "libstdc++6", "dash", "coreutils", "sed")
# Half of it all, and nothing here needs any of it.
LEFT_OUT = (
    *("./usr/share/doc", "./usr/share/locale", "./usr/share/man", "./usr/share/perl*"),
    *("./usr/lib/*/perl*", "./usr/lib/*/gconv", "./usr/lib/mysql/plugin/*_client.so"),
    *("./usr/bin/mysql_*", "./usr/bin/mysqlslap", "./usr/bin/mysqlimport", "./usr/bin/mysqlshow"),
    *("./usr/bin/mysqlcheck", "./usr/bin/myisam*", "./usr/bin/perl*", "./usr/bin/perror"),
)
USERS = """\
root:x:0:0:root:/root:/bin/sh
mysql:x:999:999::/var/lib/mysql:/bin/false
redis:x:998:998::/data:/bin/false
nobody:x:65534:65534:nobody:/nonexistent:/bin/false
"""
GROUPS = "root:x:0:\nmysql:x:999:\nredis:x:998:\nnogroup:x:65534:\n"


def make(client: docker.DockerClient) -> None:
    """Make the images that docker-compose.yml, the Dockerfile and the kit start from."""
    servers = debian.unpack(FOLDER / "servers", SERVERS, called="MySQL and Redis for containers")
    _import(client, servers.root, "podium-debian-servers", merged=True)
    for image in (mysql.IMAGE, redis.IMAGE):
        _build(client, HERE / image.partition(":")[0], image)
    python = debian.unpack(
        FOLDER / "python", PYTHONS, PYTHON_SUITE, called=f"Python {PYTHON} for containers"
    )
    _import(client, python.root, "podium-debian-python", merged=False)
    _build(client, HERE / "python", f"python:{PYTHON}-slim", {"wheels": _wheels()})


def _wheels() -> Path:
    """Download what the gateway runs on: no build in a container reaches a package index."""
    gateway, _, _ = (ROOT / "requirements.txt").read_text().partition("\n\n")
    wanted = f"{gateway}\n{MORE}"
    folder = FOLDER / f"wheels-{hashlib.sha256(wanted.encode()).hexdigest()[:12]}"
    if not folder.is_dir():
        scratch = folder.with_suffix(".new")
        subprocess.run(
            [*(sys.executable, "-m", "pip", "download"), "--quiet", "--quiet"]
            + ["--disable-pip-version-check", "--only-binary=:all:"]
            + [f"--python-version={PYTHON}", f"--dest={scratch}", "--requirement=/dev/stdin"],
            input=wanted,
            text=True,
            check=True,
        )
        scratch.rename(folder)
    return folder


def _import(client: docker.DockerClient, root: Path, name: str, *, merged: bool) -> None:
    """Make an image of unpacked packages.

    merged: whether the suite has /bin, /lib and so on as links into /usr.
    """
    with subprocess.Popen(
        ["tar", "--create", "--numeric-owner", "--wildcards", f"--directory={root}"]
        + [*(f"--exclude={pattern}" for pattern in LEFT_OUT), "."],
        stdout=subprocess.PIPE,
    ) as tar:
        assert tar.stdout is not None
        client.api.import_image_from_data(
            _joined(_extras(root, merged), tar.stdout), repository=name
        )
    if tar.returncode:
        raise SystemExit(f"tar cannot read {root}")


def _extras(root: Path, merged: bool) -> bytes:
    """Return a tar archive of what the packages' own scripts would have made, without its end."""
    links = [name for name in ("bin", "sbin", "lib", "lib64") if not (root / name).is_symlink()]
    folders = [name for name in ("tmp", "var/tmp") if not (root / name).exists()]
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, text in {"etc/passwd": USERS, "etc/group": GROUPS}.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
        for name in folders:
            member = tarfile.TarInfo(name)
            member.type, member.mode = tarfile.DIRTYPE, 0o1777
            archive.addfile(member)
        for name in links if merged else ():
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE, f"usr/{name}"
            archive.addfile(member)
        end = archive.offset
    return buffer.getvalue()[:end]


def _joined(first: bytes, rest: IO[bytes]) -> Iterator[bytes]:
    """Yield an archive without its end, and then a whole one."""
    yield first
    while chunk := rest.read(1 << 20):
        yield chunk


def _build(
    client: docker.DockerClient,
    folder: Path,
    tag: str,
    more: Mapping[str, Path] | None = None,
) -> None:
    """Build an image from a folder with a Dockerfile, and other folders by name."""
    context = io.BytesIO()
    with tarfile.open(fileobj=context, mode="w") as archive:
        archive.add(folder, ".")
        for name, path in (more or {}).items():
            archive.add(path, name)
    context.seek(0)
    client.images.build(fileobj=context, custom_context=True, tag=tag, forcerm=True)
