"""The choice between the sources that a server can come from."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from services.process import exclusive
from services.server import Instance, Server, Unavailable

LOCK = "services.lock"


def choose(
    name: str,
    home: Path,
    kept: Callable[[Path], Server | None],
    instances: Sequence[Instance],
    sources: Mapping[str, Callable[[Path], Server]],
) -> Server:
    """Find or start a server, and print where it comes from and why.

    In this order: PODIUM_<NAME>_URL; the home's own server as kept() knows it, if one of its
    instances runs; the first of the sources that has it. PODIUM_SERVICES_SOURCE narrows the
    choice to one of them.
    """
    wanted = os.environ.get("PODIUM_SERVICES_SOURCE")
    if wanted and wanted not in ("url", *sources):
        raise SystemExit(
            f"PODIUM_SERVICES_SOURCE={wanted} names no source; there are url, {', '.join(sources)}"
        )
    passed: list[str] = []
    with exclusive(home / LOCK):
        own = kept(home)
        for source, start in {"url": lambda _: _named(name, own), **sources}.items():
            if source != "url" and own and any(instance.alive() for instance in instances):
                return _announce(name, own, [])
            if wanted and wanted != source:
                continue
            try:
                return _announce(name, start(home), passed)
            except Unavailable as reason:
                passed.append(str(reason))
    raise SystemExit(
        f"Podium has no {name} to work with:\n"
        + "".join(f"  - {reason}\n" for reason in passed)
        + f"One of these will do: PODIUM_{name.upper()}_URL, a Docker engine, {name} on the PATH, "
        "or a Debian or Ubuntu whose apt knows Debian's archive."
    )


def _named(name: str, own: Server | None) -> Server:
    """Return the server that a variable names."""
    variable = f"PODIUM_{name.upper()}_URL"
    url = os.environ.get(variable)
    if not url:
        raise Unavailable(f"{variable} is not set")
    if own and url.partition("?")[0] == own.url.partition("?")[0]:
        # Taken from our own env file: whoever has read it still wants this server started.
        raise Unavailable(f"{variable} is this home's own")
    address = urlsplit(url).netloc.rpartition("@")[2]
    return Server(url, "url", f"{address}, as {variable} says")


def _announce(name: str, server: Server, passed: Sequence[str]) -> Server:
    """Print the line that says which source was taken, and what came of those before it."""
    print(
        f"{name}: {server.description}" + (f" ({'; '.join(passed)})" if passed else ""), flush=True
    )
    return server
