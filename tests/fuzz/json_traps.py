"""JSON, sound and not: the traps that two parsers read in two ways."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Sequence

Members = list[tuple[str, str]]  # names and values as they are written

NUMBERS = (
    "0", "-0", "-0.0", "1", "-1", "1.0", "1e0", "1E+2", "0.1", "3.0000000000000001", "99.999999999",
    "1e400", "-1e400", "1e-400", "1e308", "1e18", "9007199254740993", "9007199254740993.0",
    "2147483648", "4194303", "4194304", "9223372036854775807", "9223372036854775808",
    "-9223372036854775808", "-9223372036854775809", "9.223372036854775807e18",
    "18446744073709551615", "18446744073709551616", "9" * 4300, "9" * 5000, "0." + "3" * 400,
    "1e999999999999", "9999999999.9999", "1e10", "1e-20", "1e-21",
)  # fmt: skip
NOT_JSON = (
    "NaN", "Infinity", "-Infinity", "01", "+1", ".5", "1.", "0x10", "1_000", "undefined", "None",
    "True", "'a'", '"a', '"\t"', '"\\x41"', '"\\u12"', "{,}", "[1,]", "{1:2}", '{"a"}', "//", "",
    "\u00a01", '"a"b',
)  # fmt: skip
TEXTS = (
    "", " ", "\u00a0", "\u200b", "\u0301", "\ufe0f", "a", "coding", "essay", "Coding ", "null", "1",
    "delimiter it's", "DELIMITER //", "'; DROP TABLE podium.users; --", "%s %(x)s %%", "{0}",
    "\\", "\\'", '"', "\x00", "a\x00b", "\x1f\x7f", "a\nb\r\n", "\u2028", "\u202eabc", "\U0001f600",
    "\U0001f469\u200d\U0001f52c" * 20, "é" * 64, "a" * 64, "a" * 65, "\U0001f600" * 200, "a" * 201,
    "a" * 70_000, "<script>", "../../etc/passwd", "2026-11-24T09:00:00Z", "2026-13-01T00:00:00Z",
    "2026-06-30T23:59:60Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999-12:00",
    "0000-00-00T00:00:00Z", "2026-11-24", "2026-11-24T09:00:00", "１",
)  # fmt: skip
# Escapes that Python's json would not write.
ESCAPED = (
    '"\\ud800"', '"\\udc00\\ud800"', '"\\ud83d\\ude00"', '"\\ud83d"', '"\\u0000"', '"a\\u0000"',
    '"\\/"', '"\\u0063oding"',
)  # fmt: skip
NESTED = (
    "[]", "{}", "[1]", "[[]]", '{"a":1}', '{"a":1,"a":2}', '{"":0}', '{"a.b":{"$":[null]}}',
    '{"__proto__":{}}', "[" * 88 + "]" * 88, "[" * 200 + "]" * 200, "[" * 100_000,
    '{"a":' * 95 + "1" + "}" * 95, '{"a":1e400}', '{"a":18446744073709551616}', '{"a":-0}',
    '{"a":"' + "x" * 65_520 + '"}', '{"a":"' + "x" * 65_540 + '"}', '{"' + "n" * 65_600 + '":1}',
    '{"a":"delimiter it\'s"}', '{"a":"\\ud800"}',
)  # fmt: skip
ENCODINGS = ("utf-16", "utf-16-le", "utf-32", "utf-8-sig", "latin-1", "cp1252", "gzip", "utf-7")


def hostile_value(rng: random.Random) -> str:
    """Write a value that no field is meant to have, or that looks like one it may have."""
    kind = rng.random()
    if kind < 0.35:
        return rng.choice(NUMBERS)
    if kind < 0.6:
        return json.dumps(rng.choice(TEXTS), ensure_ascii=rng.random() < 0.5)
    if kind < 0.7:
        return rng.choice(ESCAPED)
    if kind < 0.85:
        return rng.choice(NESTED)
    if kind < 0.92:
        return rng.choice(("true", "false", "null"))
    return rng.choice(NOT_JSON)


def spoil(rng: random.Random, members: Sequence[tuple[str, str]]) -> Members:
    """Change an object in one to three places: values, names, what is there twice or not at all."""
    spoilt = list(members)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        place = rng.randrange(len(spoilt)) if spoilt else 0
        kind = rng.random()
        if kind < 0.6 and spoilt:
            spoilt[place] = (spoilt[place][0], hostile_value(rng))
        elif kind < 0.7 and spoilt:
            spoilt.insert(rng.randrange(len(spoilt) + 1), spoilt[place])
        elif kind < 0.8 and spoilt:
            del spoilt[place]
        else:
            spoilt.append((rng.choice(TEXTS[:40]), hostile_value(rng)))
    return spoilt


def written(rng: random.Random, members: Sequence[tuple[str, str]]) -> str:
    """Write an object, with the spaces that JSON allows."""
    gap = rng.choice(("", "", " ", "\n\t", "\r\n "))
    shown = (f"{json.dumps(name)}:{gap}{value}" for name, value in members)
    return gap + "{" + f",{gap}".join(shown) + "}" + gap


def encoded(rng: random.Random, text: str) -> bytes:
    """Encode a body, one in five not as UTF-8, cut short, or with bytes that are no characters."""
    kind = rng.random()
    if kind < 0.8:
        return text.encode("utf-8", "surrogatepass")
    if kind < 0.9:
        encoding = rng.choice(ENCODINGS)
        if encoding == "gzip":
            return gzip.compress(text.encode("utf-8", "surrogatepass"))
        return text.encode(encoding, "replace")
    sound = text.encode("utf-8", "surrogatepass")
    place = rng.randrange(len(sound) + 1)
    if kind < 0.95:
        return sound[:place]
    junk = rng.choice(
        (b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\x00", b"\xf5\x80\x80\x80", b"\x80")
    )
    return sound[:place] + junk + sound[place:]
