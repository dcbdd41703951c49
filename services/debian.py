"""Debian's packages, such as MySQL and Redis of the unstable suite, unpacked into a private folder.

No root is needed and nothing of the system is touched: apt keeps its lists, state and archives
below .local/debian, checks signatures as always, and only downloads. The mirror is the machine's
own or, where it has none, as on Ubuntu, the one that PODIUM_DEBIAN_MIRROR names.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from services.process import exclusive
from services.server import HOME, Unavailable

SUITE = "sid"
PACKAGES = ("mysql-server-core", "mysql-client-core", "redis-server", "redis-tools")
FOLDER = HOME / "debian"
APT = Path("/etc/apt")
KEYRINGS = Path("/usr/share/keyrings")
KEYRING = "debian-archive-keyring.*"
# Debian's archive goes by this name on every mirror; a list of mirrors is a file of that name.
DEBIAN = re.compile(r"/debian(\.list)?/?$")
ONE_LINE = re.compile(r"\s*deb\s+(?:\[(?P<options>[^]]*)\]\s*)?(?P<uri>\S+)\s")


@dataclass(frozen=True)
class Unpacked:
    """The folder that holds the unpacked packages."""

    root: Path

    def command(self, program: str) -> list[str]:
        """Return the words that start a program, such as usr/sbin/mysqld.

        Through the folder's own dynamic loader, since its libc is newer than the system's.
        """
        loader = next(self.root.glob("usr/lib/*-linux-gnu*/ld-linux*.so.*"))
        return [str(loader), "--library-path", str(loader.parent), str(self.root / program)]


class Archive(NamedTuple):
    """An apt source: where it is, and the keys that sign it; None leaves them to apt."""

    uri: str
    signed_by: str | None


def unpack(
    folder: Path | None = None,
    packages: Sequence[str] = PACKAGES,
    suite: str = SUITE,
    *,
    called: str = "MySQL and Redis",
) -> Unpacked:
    """Return the unpacked packages, and all they depend on, fetching them at the first call.

    folder: where they are kept, by default .local/debian; called: what they are, for the user.
    """
    folder = folder or FOLDER
    root = folder / "root"
    if not root.is_dir():
        _require_tools()
        with exclusive(folder.with_suffix(".lock")):
            if not root.is_dir():
                listed = sources(_machine(), suite)
                print(f"Fetching {called} from Debian's packages (once) ...", flush=True)
                _fetch(root, packages, suite, listed)
    return Unpacked(root)


def unpack_own(folder: Path, packages: Sequence[str], *, called: str) -> Path:
    """Return the unpacked packages of the machine's own release, fetching them at the first call.

    What the machine has installed is left out: such programs run on the machine's own libc, with
    the libraries of the folder beside it.
    """
    root = folder / "root"
    if not root.is_dir():
        _require_tools()
        with exclusive(folder.with_suffix(".lock")):
            if not root.is_dir():
                print(f"Fetching {called} from Debian's packages (once) ...", flush=True)
                _fetch(root, packages, None, None)
    return root


def archives(text: str) -> Iterator[Archive]:
    """Read apt sources in the deb822 format (*.sources)."""
    for stanza in re.split(r"\n\s*\n", text):
        lines = "\n".join(line for line in stanza.splitlines() if not line.startswith("#"))
        # A line that begins with a blank goes on with the field above it.
        fields = {
            match["name"].lower(): match["value"].strip(" \t")
            for match in re.finditer(
                r"^(?P<name>[^\s:]+):(?P<value>.*(?:\n[ \t].*)*)", lines, re.MULTILINE
            )
        }
        if "deb" in fields.get("types", "").split() and fields.get("enabled", "yes") != "no":
            for uri in fields.get("uris", "").split():
                yield Archive(uri, fields.get("signed-by"))


def archives_of_list(text: str) -> Iterator[Archive]:
    """Read apt sources in the one-line format (sources.list)."""
    for line in text.splitlines():
        if match := ONE_LINE.match(line):
            options = dict(
                option.partition("=")[::2] for option in (match["options"] or "").split()
            )
            signed_by = options.get("signed-by")
            yield Archive(match["uri"], signed_by.replace(",", " ") if signed_by else None)


def sources(machine: Iterable[Archive], suite: str = SUITE) -> str:
    """Turn the Debian archives among a machine's into apt sources of the suite."""
    stanzas = []
    for uri, signed_by in dict.fromkeys(machine):
        if not DEBIAN.search(uri):
            continue
        signed_by = signed_by or next((str(path) for path in KEYRINGS.glob(KEYRING)), None)
        if not signed_by:
            raise Unavailable("Debian's packages need the package debian-archive-keyring")
        stanzas.append(
            f"Types: deb\nURIs: {uri}\nSuites: {suite}\nComponents: main\n"
            f"Targets: Packages\nSigned-By: {signed_by}\n"
        )
    if not stanzas:
        raise Unavailable(
            "no apt source of this machine is Debian's archive; PODIUM_DEBIAN_MIRROR may name one"
        )
    return "\n".join(stanzas)


def _require_tools() -> None:
    for tool in ("apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise Unavailable(f"no {tool} to fetch Debian's packages with")


def _machine() -> Iterator[Archive]:
    """Read the archives that this machine's apt knows."""
    if mirror := os.environ.get("PODIUM_DEBIAN_MIRROR"):
        yield Archive(mirror, None)
        return
    for path in sorted(APT.glob("sources.list.d/*.sources")):
        yield from archives(path.read_text())
    for path in [*APT.glob("sources.list"), *sorted(APT.glob("sources.list.d/*.list"))]:
        yield from archives_of_list(path.read_text())


def _fetch(root: Path, packages: Sequence[str], suite: str | None, listed: str | None) -> None:
    """Download the packages and unpack them; the folder appears when it is complete.

    Without a suite and its sources: the machine's own, and only what it has not installed.
    """
    root.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root.parent) as folder:
        scratch = Path(folder)
        for name in ("lists/partial", "archives/partial", "root"):
            (scratch / name).mkdir(parents=True)
        settings = _apt_conf(scratch)
        if suite is not None and listed is not None:
            (scratch / "status").touch()
            (scratch / "podium.sources").write_text(listed)
            settings += _apt_conf_of_suite(scratch, suite)
        (scratch / "apt.conf").write_text(settings)
        apt = ["apt-get", f"--config-file={scratch / 'apt.conf'}", "--quiet=2"]
        warnings = _run([*apt, "update"])
        # Of archives that cannot be reached apt only warns: one of several is enough.
        if not any(scratch.glob("lists/*Release")):
            raise _refused("apt-get", warnings)
        _run([*apt, "install", *packages])
        for package in sorted(scratch.glob("archives/*.deb")):
            _run(["dpkg-deb", "--extract", str(package), str(scratch / "root")])
        # Nobody updates these programs, so none of them may run with rights of its own.
        for path in scratch.glob("root/**/*"):
            if not path.is_symlink() and path.stat().st_mode & (stat.S_ISUID | stat.S_ISGID):
                path.chmod(path.stat().st_mode & 0o777)
        (scratch / "root").rename(root)


def _apt_conf(folder: Path) -> str:
    """Return the settings that keep apt within a folder; the machine's own come before them."""
    return f"""\
Dir::State::Lists "{folder}/lists";
Dir::Cache "{folder}";
Dir::Cache::archives "{folder}/archives";
APT::Install-Recommends "false";
APT::Get::Download-Only "true";
APT::Get::Assume-Yes "true";
// Without it root's apt would download as a user who may not write here.
APT::Sandbox::User "";
Debug::NoLocking "true";
// The machine's hooks would tell its other programs of an update that is none of theirs.
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
"""


def _apt_conf_of_suite(folder: Path, suite: str) -> str:
    """Return the settings that let apt see one suite, and nothing of the machine it runs on."""
    return f"""\
Dir::State "{folder}";
Dir::State::status "{folder}/status";
Dir::Etc::sourcelist "{folder}/podium.sources";
Dir::Etc::sourceparts "-";
Dir::Etc::preferences "-";
Dir::Etc::preferencesparts "-";
APT::Default-Release "{suite}";
"""


def _run(command: list[str]) -> str:
    """Run a command and return its warnings; if it fails, the source is not available."""
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise _refused(command[0], done.stderr or done.stdout)
    return done.stderr


def _refused(program: str, output: str) -> Unavailable:
    """Say why the packages cannot be had: of several errors the first is the cause."""
    lines = output.strip().splitlines() or ["no output"]
    cause = next((line for line in lines if line.startswith("E: ")), lines[0])
    return Unavailable(f"Debian's packages cannot be had, {program} says: {cause}")
