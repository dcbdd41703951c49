"""The option with the address of a gateway."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import click


def _read(context: click.Context, parameter: click.Parameter, url: str | None) -> str:
    """Return an address without a slash at its end; refuses what is none."""
    if not url:
        raise click.BadParameter("set PODIUM_URL, or give the gateway's address")
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        known = False
    if not known:
        raise click.BadParameter(f"an address such as http://127.0.0.1:8000, not {url!r}")
    return url.rstrip("/")


def url_option(function: Any) -> Any:
    """Add --url, for which PODIUM_URL stands too."""
    return click.option(
        "--url",
        envvar="PODIUM_URL",
        show_envvar=True,
        callback=_read,
        help="The gateway's address, http://127.0.0.1:8000.",
    )(function)
