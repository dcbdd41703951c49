"""MySQL and Redis as containers, where a Docker engine answers."""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import docker
import docker.errors
import requests

from services.server import Unavailable

ERRORS = (docker.errors.DockerException, requests.RequestException)


class Container:
    """A container of a home's own; what it must keep lies in a volume of the same name."""

    def __init__(self, home: Path, kind: str) -> None:
        digest = hashlib.sha256(os.fsencode(home.resolve())).hexdigest()[:12]
        self.name = f"podium-{kind}-{digest}"

    def run(
        self,
        image: str,
        command: Sequence[str],
        environment: Mapping[str, str] | None = None,
        *,
        ports: tuple[int, int],
        data: str | None = None,
    ) -> None:
        """Start the container from an image, which is pulled if need be.

        ports: the one on the loopback interface and the one inside; data: the folder to keep.
        """
        with _engine() as client:
            _require(client, image)
            self.stop()
            client.containers.run(
                image,
                list(command),
                name=self.name,
                detach=True,
                environment=dict(environment or {}),
                ports={f"{ports[1]}/tcp": ("127.0.0.1", ports[0])},
                volumes={self.name: {"bind": data, "mode": "rw"}} if data else {},
            )

    def alive(self) -> bool:
        with contextlib.suppress(Unavailable, *ERRORS), _engine() as client:
            return str(client.containers.get(self.name).status) == "running"
        return False

    def stop(self) -> None:
        """End and remove the container, if an engine answers and has it."""
        with contextlib.suppress(Unavailable, docker.errors.NotFound), _engine() as client:
            container = client.containers.get(self.name)
            container.stop(timeout=60)
            container.remove(v=True, force=True)

    def drop_data(self) -> None:
        """Remove what the container kept, if an engine answers and has it."""
        with contextlib.suppress(Unavailable, docker.errors.NotFound), _engine() as client:
            client.volumes.get(self.name).remove()

    def last_words(self) -> str:
        with contextlib.suppress(Unavailable, *ERRORS), _engine() as client:
            lines = client.containers.get(self.name).logs(tail=1).decode(errors="replace")
            return str(lines).strip()
        return "no output"


def require(*images: str) -> None:
    """Raise Unavailable unless a Docker engine answers that has, or can pull, the images."""
    with _engine() as client:
        for image in images:
            _require(client, image)


@contextlib.contextmanager
def _engine() -> Iterator[docker.DockerClient]:
    """Connect to the Docker engine of this machine."""
    address = os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"
    if not address.startswith("unix://"):
        # What it publishes on its loopback interface cannot be reached from here.
        raise Unavailable("the Docker engine is on another machine")
    try:
        # The library would leave a socket open where nobody listens.
        with socket.socket(socket.AF_UNIX) as probe:
            probe.connect(address.removeprefix("unix://"))
        client = docker.from_env(timeout=90)
    except (OSError, *ERRORS):
        raise Unavailable("no Docker engine answers") from None
    with contextlib.closing(client):
        yield client


def _require(client: docker.DockerClient, image: str) -> None:
    """Pull an image unless the engine has it."""
    try:
        client.images.get(image)
    except docker.errors.ImageNotFound:
        print(f"Pulling the image {image} ...", flush=True)
        try:
            client.images.pull(*image.split(":"))
        except ERRORS:
            raise Unavailable(f"the Docker engine cannot pull {image}") from None
