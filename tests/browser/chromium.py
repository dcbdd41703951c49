"""Debian's Chromium, unpacked into .local/chromium; nothing of the system is touched."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from services import debian
from services.server import HOME, Unavailable

FOLDER = HOME / "chromium"
PACKAGES = ("chromium", "fonts-dejavu-core", "fonts-noto-color-emoji")
FONTS_CONF = """\
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>
  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
  <dir>{fonts}</dir>
  <cachedir>{cache}</cachedir>
</fontconfig>
"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start Chromium: the machine's own, or Debian's unpacked.

    Without one the tests are skipped, and told of; where PODIUM_CHROMIUM=required they fail.
    """
    try:
        program, env = find()
    except Unavailable as reason:
        if os.environ.get("PODIUM_CHROMIUM") == "required":
            pytest.fail(f"no Chromium: {reason}", pytrace=False)
        pytest.skip(f"no Chromium, so nobody looked at the live board: {reason}")  # CI requires it
    with sync_playwright() as playwright:
        # The sandbox needs rights that root in a container has not got, and only our page is shown.
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox"], env={**os.environ, **env}
        )
        yield browser
        browser.close()


def find() -> tuple[str, dict[str, str]]:
    """Return the program, and what its environment must say."""
    if program := shutil.which("chromium"):
        return program, {}
    root = debian.unpack_own(FOLDER, PACKAGES, called="Chromium")
    settings = FOLDER / "fonts.conf"
    settings.write_text(
        FONTS_CONF.format(fonts=root / "usr/share/fonts", cache=FOLDER / "fonts-cache")
    )
    # The binary itself and no loader in front: Chromium starts its parts from /proc/self/exe.
    return str(root / "usr/lib/chromium/chromium"), {
        "LD_LIBRARY_PATH": ":".join(map(str, _library_folders(root))),
        "FONTCONFIG_FILE": str(settings),
    }


def _library_folders(root: Path) -> list[Path]:
    """Return the folders of libraries, those of single packages, such as pulseaudio, included."""
    libraries = root.glob("usr/lib/*-linux-gnu*/**/lib*.so.*")
    private = root.glob("usr/lib/*-linux-gnu*/pulseaudio")
    return sorted({path.parent for path in libraries} | set(private))
