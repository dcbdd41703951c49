"""The identity of a user name, decided by _username_key, against Python's own Unicode."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from docs import unicode_characters
from tests.sql_harness import result_sets, rows

# What no Unicode that the server, the tables and this Python agree on has is no part of a name.
KNOWN = r"REGEXP_REPLACE(%s, '[^\\p{Age=17.0}]', '')"
WHITE_SPACE = [
    *map(chr, (*range(9, 14), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B))),
    *"\u2028\u2029\u202f\u205f\u3000",
]
# Those for private use are all alike.
ASSIGNED = [
    letter
    for letter in unicode_characters.all_letters()
    if unicodedata.category(letter) not in {"Cn", "Co"}
]
# Of which NFC or folding may do something.
MOVING = [
    letter
    for letter in ASSIGNED
    if unicodedata.combining(letter)
    or unicodedata.normalize("NFD", letter) != letter
    or letter.casefold() != letter
    or 0x1100 <= ord(letter) < 0x1200
]


def nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def key(text: str) -> str:
    """Return the key of a user name: the definition, as docs/design.md gives it."""
    return nfc(nfc(text.strip()).casefold())


def told(connection: Any, function: str, texts: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Return what a function of the database makes of texts, without what is not known to all."""
    query = f"SELECT t.text, podium.{function}(t.text) AS made FROM (" + " UNION ALL ".join(
        [f"SELECT {KNOWN} AS text"] * 100
    )
    for first in range(0, len(texts), 100):
        part = (*texts[first : first + 100],)
        part += ("x",) * (100 - len(part))
        for row in rows(connection, f"{query}) AS t", part):
            yield row["text"], row["made"]


def differences(
    connection: Any, function: str, expected: Callable[[str], str], texts: Sequence[str]
) -> list[str]:
    """Return where a function of the database differs from its definition."""
    return [
        f"{ascii(text)}: {ascii(made)}, not {ascii(expected(text))}"
        for text, made in told(connection, function, texts)
        if made != expected(text)
    ]


def test_the_key_is_pythons_for_every_character(admin: Any) -> None:
    texts = [
        f"x{'x'.join(ASSIGNED[first : first + 100])}x" for first in range(0, len(ASSIGNED), 100)
    ]
    assert differences(admin, "_username_key", key, texts) == []


@pytest.mark.parametrize(
    ("function", "expected"), [("_username_key", key), ("_nfc", nfc)], ids=["key", "NFC"]
)
def test_texts_made_of_what_moves_are_pythons(
    admin: Any, function: str, expected: Callable[[str], str]
) -> None:
    rng = random.Random(function)
    texts = [
        "x" + "".join(rng.choices(MOVING if rng.random() < 0.8 else ASSIGNED, k=rng.randint(1, 20)))
        for _ in range(300)
    ]
    texts += [unicodedata.normalize("NFD", text) for text in texts]
    assert differences(admin, function, expected, [f"{text}x" for text in texts]) == []


def test_a_key_is_its_own_key(admin: Any) -> None:
    keys = [key(f"x{'x'.join(MOVING[first::40])}x") for first in range(40)]
    assert differences(admin, "_username_key", lambda text: text, keys) == []


def test_the_white_space_of_unicode_is_taken_from_both_ends(admin: Any) -> None:
    assert len(WHITE_SPACE) == 25
    for space in WHITE_SPACE:
        typed = f"{space}a{space}b{space}"
        [row] = rows(admin, "SELECT _username_key(%s) AS made", (typed,))
        assert row["made"] == key(f"a{space}b")
    [row] = rows(admin, "SELECT _username(%s) AS made", ("".join(WHITE_SPACE),))
    assert row["made"] == ""


@pytest.mark.parametrize(
    ("one", "another"),
    [
        ("Straße", "STRASSE"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
        ("ǰ", "J\u030c"),
        ("\u212b", "å"),
        ("한글", "\u1112\u1161\u11ab\u1100\u1173\u11af"),
        ("ﬃ", "FFI"),
        ("ΐ", "\u03b9\u0308\u0301"),
    ],
    ids=ascii,
)
def test_one_name(admin: Any, one: str, another: str) -> None:
    made = rows(admin, "SELECT _username_key(%s) AS a, _username_key(%s) AS b", (one, another))
    assert made[0]["a"] == made[0]["b"]


@pytest.mark.parametrize(
    ("one", "another"),
    [
        *[("さくら", "サクラ"), ("か", "が"), ("ａ", "a"), ("é", "e"), ("İ", "i"), ("ı", "i")],
        *[("а", "a"), ("①", "1"), ("a b", "a\u00a0b"), ("ﾊ", "ハ"), ("a", "a\u200d")],
    ],
    ids=ascii,
)
def test_two_names(admin: Any, one: str, another: str) -> None:
    made = rows(admin, "SELECT _username_key(%s) AS a, _username_key(%s) AS b", (one, another))
    assert made[0]["a"] != made[0]["b"]


def test_no_user_name_has_a_character_that_does_not_show(admin: Any) -> None:
    rng = random.Random(1)
    unseen = [
        *(
            letter
            for letter in ASSIGNED
            if unicodedata.category(letter) in {"Cc", "Cf", "Zl", "Zp"}
        ),
        *"\u034f\u115f\u1160\u17b4\u180b\u2065\u2800\u3164\ufe0f\uffa0\ufff0\ufffd\U000e0100",
        *map(chr, rng.sample(range(0xE000, 0xF900), 20)),
        *map(chr, rng.sample(range(0xF0000, 0x110000), 20)),
        *map(chr, range(0xFDD0, 0xFDF0)),
    ]
    for letter in unseen:
        [row] = rows(admin, "SELECT _name_refusal('username', %s) AS reason", (f"x{letter}x",))
        assert row["reason"] == f"username holds U+{ord(letter):04X}, which it must not"


@pytest.mark.parametrize("setting", ["group_concat_max_len = 4", "sql_mode = 'ANSI_QUOTES'"])
def test_settings_of_the_caller_leave_the_key_alone(
    connect: Callable[..., Any], setting: str
) -> None:
    odd = connect()
    result_sets(odd, f"SET {setting}")
    assert differences(odd, "_username_key", key, ["Stra\u00dfe J\u030c e\u0327\u0301" * 9]) == []


def test_the_tables_hold_what_python_knows() -> None:
    seed = unicode_characters.SEED.read_text()
    letters = list(unicode_characters.all_letters())
    pairs = unicode_characters.compositions(letters)
    missing = [
        row
        for row in unicode_characters.characters(letters, pairs)
        if f" ({', '.join(row)})" not in seed
    ]
    assert missing == []
    if f"-- Unicode {unicodedata.unidata_version}," in seed:
        assert unicode_characters.seed() == seed
