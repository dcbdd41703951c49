"""The gateway's image, built from this very package, so that nothing of Podium has to be pulled."""

from __future__ import annotations

import hashlib
import io
import tarfile
from pathlib import Path

import docker
import docker.errors

from gateway.loader import PACKAGE, SQL

# A wheel carries them within this package; in the repository they lie at its root.
HERE = Path(__file__).parent
RECIPE = HERE if (HERE / "Dockerfile").exists() else PACKAGE.parent
# What of the package does not belong into the image; sql/ has a place of its own there.
LEFT_OUT = {"__pycache__", "testing", "sql"}


def files() -> dict[str, Path]:
    """Return what the Dockerfile takes its image from, by name."""
    found = {name: RECIPE / name for name in ("Dockerfile", "requirements.txt")}
    for folder, left_out in ((PACKAGE, LEFT_OUT), (SQL, {"tests"})):
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder)
            if path.is_file() and not left_out & set(name.parts):
                found[f"{folder.name}/{name.as_posix()}"] = path
    return found


def build(client: docker.DockerClient) -> str:
    """Return the name of the image, which is built unless the engine has it already."""
    context, digest = io.BytesIO(), hashlib.sha256()
    with tarfile.open(fileobj=context, mode="w") as archive:
        for name, path in files().items():
            content = path.read_bytes()
            digest.update(f"{name}\0{len(content)}\0".encode() + content)
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o644
            archive.addfile(member, io.BytesIO(content))
    tag = f"podium:{digest.hexdigest()[:12]}"
    try:
        client.images.get(tag)
    except docker.errors.ImageNotFound:
        context.seek(0)
        try:
            client.images.build(fileobj=context, custom_context=True, tag=tag, forcerm=True)
        except docker.errors.BuildError as error:
            log = "".join(str(line.get("stream", "")) for line in error.build_log)
            raise RuntimeError(f"the gateway's image cannot be built:\n{log}{error}") from error
    return tag
