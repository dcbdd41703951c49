"""The tables of README.md and docs/http-api.md, held against what they describe."""

from __future__ import annotations

import re
import secrets
from dataclasses import fields
from typing import Any

import pytest

from gateway import create_app
from gateway.config import Config
from gateway.errors import catalog
from gateway.loader import Release
from services.server import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
HTTP_API = (ROOT / "docs" / "http-api.md").read_text(encoding="utf-8")
PAGES = [
    str(path.relative_to(ROOT))
    for folder in (".", "docs", "examples")
    for path in sorted((ROOT / folder).glob("*.md"))
]
SECRET = secrets.token_hex(32)


def rows_below(text: str, heading: str) -> list[list[str]]:
    """Return the cells of the first table below a line, without its head."""
    _, _, below = text.partition(f"{heading}\n")
    table = re.search(r"^\|.*\n\|[-|]+\n((?:\|.*\n)+)", below, re.MULTILINE)
    assert table is not None, heading
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[1].splitlines()]


def default_of(variable: str) -> str:
    """Return the default of a variable of config.py as the table writes it."""
    config = Config.from_environ({"PODIUM_MYSQL_URL": "x", "PODIUM_JWT_SECRET": SECRET})
    name = variable.removeprefix("PODIUM_").lower()
    if name == "mysql_url":
        return "required"
    value = {field.name: getattr(config, field.name) for field in fields(config)}.get(name)
    if value in (None, SECRET, ()):
        return "none"
    if isinstance(value, str):
        return value
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(int(value))


def test_the_configuration_table_is_that_of_config_py() -> None:
    source = (ROOT / "gateway" / "config.py").read_text(encoding="utf-8")
    read = set(re.findall(r'"(PODIUM_[A-Z_]+)"', source))
    rows = {row[0].strip("`"): row[1] for row in rows_below(README, "## Configuration")}
    assert len(read) > 20
    assert rows == {variable: default_of(variable) for variable in read}


def test_every_variable_of_the_code_stands_in_the_readme() -> None:
    sources = [
        path for name in ("gateway", "services", "demo") for path in ROOT.glob(f"{name}/**/*.py")
    ]
    used = {
        variable
        for path in sources
        for variable in re.findall(r"PODIUM_[A-Z_]*[A-Z]", path.read_text(encoding="utf-8"))
    }
    assert {variable for variable in used if f"`{variable}`" not in README} == set()


@pytest.mark.parametrize("row", rows_below(README, "## Promises"), ids=lambda row: row[0])
def test_the_tests_of_a_promise_exist(row: list[str]) -> None:
    _, _, held_by = row
    tests = re.findall(r"`((?:sql/)?tests/[\w./]+)(?:::(\w+))?`", held_by)
    assert tests
    for path, name in tests:
        text = (ROOT / path).read_text(encoding="utf-8")
        assert not name or f"def {name}(" in text, f"{path}::{name}"


def test_all_twelve_promises_stand_in_the_readme() -> None:
    numbers = [row[0] for row in rows_below(README, "## Promises")]
    assert numbers == [f"P{number}" for number in range(1, 13)]


def test_the_errors_table_is_the_catalog() -> None:
    assert rows_below(HTTP_API, "## Errors") == [
        [
            f"`{entry.code}`",
            str(entry.errno),
            str(entry.status),
            entry.title,
            f"`{entry.pointer}`" if entry.pointer else "",
        ]
        for entry in catalog().values()
    ]


def test_the_catalog_of_the_gateway_is_the_table_of_the_database(admin: Any) -> None:
    cursor = admin.cursor()
    cursor.execute("SELECT code, errno, http_status, title, pointer FROM error_catalog")
    assert {row[0]: row for row in cursor.fetchall()} == {
        entry.code: (entry.code, entry.errno, entry.status, entry.title, entry.pointer)
        for entry in catalog().values()
    }


def test_every_call_is_documented() -> None:
    app = create_app(Config(mysql_url="mysql://x@127.0.0.1:1/podium", jwt_secret=SECRET))
    calls = {
        f"{method} {re.sub(r'<int:', '<', rule.rule)}"
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert {call for call in calls if f"`{call}`" not in HTTP_API} == set()


def test_the_printed_sessions_are_of_this_release() -> None:
    assert set(re.findall(r"is at release (\S+),", README)) == {Release.read().number}


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_links_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)", text):
        assert ((ROOT / page).parent / target).exists(), target
