"""The choice between the sources that a server can come from."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from services.process import exclusive
from services.server import Instance, Server, Unavailable

LOCK = "services.lock"
# Whose servers the environment may name: those of the service, of the tests, or of the bench. The
# latter two fill, measure and break what they are given, and so never take what serves somebody.
SERVICE, TESTS, BENCH = "", "TEST_", "BENCH_"


def choose(
    name: str,
    home: Path,
    kept: Callable[[Path], Server | None],
    instances: Sequence[Instance],
    sources: Mapping[str, Callable[[Path], Server]],
    use: str | None = SERVICE,
) -> Server:
    """Find or start a server, and print where it comes from and why.

    In this order: PODIUM_<USE><NAME>_URL, unless use is None; the home's own server as kept() knows
    it, if one of its instances runs; the first of the sources that has it. PODIUM_SERVICES_SOURCE
    narrows the choice to one of them.
    """
    wanted = os.environ.get("PODIUM_SERVICES_SOURCE") or None
    if wanted == "url" and use is None:
        wanted = None
    variable = f"PODIUM_{use or SERVICE}{name.upper()}_URL"
    if wanted not in (None, "url", *sources):
        raise SystemExit(
            f"PODIUM_SERVICES_SOURCE={wanted} names no source; there are url, {', '.join(sources)}"
        )
    passed = []
    with exclusive(home / LOCK):
        own = kept(home)
        if wanted in (None, "url") and use is not None:
            if url := external_url(variable, own):
                address = urlsplit(url).netloc.rpartition("@")[2]
                return announce(name, Server(url, "url", f"{address}, named by {variable}"))
            passed.append(f"{variable} is not set")
        if wanted != "url" and own and any(instance.alive() for instance in instances):
            return announce(name, own)
        for source, start in sources.items():
            if wanted in (None, source):
                try:
                    return announce(name, start(home), passed)
                except Unavailable as reason:
                    passed.append(str(reason))
    raise SystemExit(
        f"Podium has no {name} to work with:\n"
        + "".join(f"  - {reason}\n" for reason in passed)
        + f"One of these will do: {variable}, a Docker engine, {name} on the PATH, "
        "or a Debian or Ubuntu whose apt knows Debian's archive."
    )


def external_url(variable: str, own: Server | None) -> str | None:
    """Return the URL of the server that a variable of the environment names.

    None for our own: whoever has read our env file still wants that server started and stopped.
    """
    url = os.environ.get(variable)
    if url and own and url.partition("?")[0] == own.url.partition("?")[0]:
        return None
    return url or None


def announce(name: str, server: Server, passed: Sequence[str] = ()) -> Server:
    """Print the line that says which source was taken, and what came of those before it."""
    why = f" ({'; '.join(passed)})" if passed else ""
    print(f"{name}: {server.description}{why}", flush=True)
    return server
