"""Write sql/seed/unicode_characters.sql: python -m docs.unicode_characters.

From the Unicode of the Python that runs it, which should be newer than the file's, as Python 3.15
has it. That adds what became a character since, and changes nothing of what was one: Unicode
promises so of NFC and of case folding.
"""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path

SEED = Path(__file__).resolve().parent.parent / "sql" / "seed" / "unicode_characters.sql"
WIDTH = 100
# The vowels and the final consonants of Hangul, which _nfc joins by arithmetic.
HANGUL = {*range(0x1161, 0x1176), *range(0x11A8, 0x11C3)}
SYLLABLES = range(0xAC00, 0xD7A4)
SURROGATES = range(0xD800, 0xE000)

HEADER = """\
SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;

-- Unicode {version}, in UTF-8. Written by docs/unicode_characters.py; replaced whole.
START TRANSACTION;

DELETE FROM podium.unicode_characters;

DELETE FROM podium.unicode_compositions;
"""


def main() -> None:
    """Write the file."""
    SEED.write_text(seed())


def seed() -> str:
    """Return the text of the file."""
    letters = list(all_letters())
    pairs = compositions(letters)
    return "\n".join(
        [
            HEADER.format(version=unicodedata.unidata_version),
            "INSERT INTO podium.unicode_characters (",
            "    letter, combining_class, nfc_safe, decomposition, folding",
            ")",
            "VALUES",
            *_lines(characters(letters, pairs)),
            "",
            "INSERT INTO podium.unicode_compositions (pair, composed)",
            "VALUES",
            *_lines((_hex(pair), _hex(composed)) for pair, composed in pairs.items()),
            "",
            "COMMIT;",
            "",
        ]
    )


def all_letters() -> Iterator[str]:
    """Return every character that there is, but for the halves that are none."""
    return (chr(code) for code in range(sys.maxunicode + 1) if code not in SURROGATES)


def compositions(letters: Iterable[str]) -> dict[str, str]:
    """Return the pairs that NFC composes, without Hangul, and what they become."""
    pairs = {}
    for letter in letters:
        parts = unicodedata.decomposition(letter)
        if not parts or parts.startswith("<"):
            continue
        pair = "".join(chr(int(part, 16)) for part in parts.split())
        if len(pair) == 2 and unicodedata.normalize("NFC", pair) == letter:
            pairs[pair] = letter
    return dict(sorted(pairs.items()))


def characters(letters: Iterable[str], pairs: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """Return a row of the table for each character of which there is something to say."""
    composed_into_another = {pair[1] for pair in pairs}
    for letter in letters:
        combining_class = unicodedata.combining(letter)
        nfc_safe = (
            unicodedata.is_normalized("NFC", letter)
            and letter not in composed_into_another
            and ord(letter) not in HANGUL
        )
        # A syllable of Hangul is composed of what it decomposes into, whatever follows.
        decomposition = (
            unicodedata.normalize("NFD", letter) if ord(letter) not in SYLLABLES else letter
        )
        folding = letter.casefold()
        if combining_class or not nfc_safe or decomposition != letter or folding != letter:
            yield (
                _hex(letter),
                str(combining_class),
                str(int(nfc_safe)),
                _hex(decomposition) if decomposition != letter else "NULL",
                _hex(folding) if folding != letter else "NULL",
            )


def _hex(text: str) -> str:
    return f"0x{text.encode().hex().upper()}"


def _lines(rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """Return rows as a list of VALUES, as many on a line as it has room for."""
    line = "   "
    for row in rows:
        text = f" ({', '.join(row)}),"
        if len(line) + len(text) > WIDTH:
            yield line
            line = "   "
        line += text
    yield line.removesuffix(",") + ";"


if __name__ == "__main__":
    main()
