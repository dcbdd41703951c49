"""Texts of others, such as names, titles and what a server says, as a terminal may be given them.

Nothing in them steers it, and each is as wide as it is counted: terminals differ in what they make
of joined emoji, flags and the like, so these are taken apart into what all of them show alike.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime

# Emoji joined to one, the colour of a hand, the choice between a picture and a letter, and blanks
# and marks without a width.
_JOINERS = re.compile("[\u00ad\u200b-\u200d\u2060\ufe00-\ufe0f\ufeff\U000e0000-\U000e01ef]")
_SKIN_TONES = re.compile("(?<=[\u261d-\U0001faff])[\U0001f3fb-\U0001f3ff]")
_FIRST_REGION = 0x1F1E6


def shown(text: object) -> str:
    """Return a text of one line that is safe to print, with a sign for each that cannot be.

    Of a time as MySQL gives it, which is UTC, RFC 3339.
    """
    if isinstance(text, datetime):
        return f"{text.isoformat()}Z"
    plain = _JOINERS.sub("", unicodedata.normalize("NFC", str(text)))
    return "".join(_shown(each) for each in _SKIN_TONES.sub("", plain))


def counted(number: int, one: str, many: str | None = None) -> str:
    """Return how many there are of something: 1 row, 2,000 rows."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _shown(each: str) -> str:
    kind = unicodedata.category(each)
    if kind == "Zs":
        return "  " if each == "\N{IDEOGRAPHIC SPACE}" else " "
    if 0 <= ord(each) - _FIRST_REGION < 26:
        # Two of them are a flag here, two letters there.
        return chr(ord("A") + ord(each) - _FIRST_REGION)
    # Controls, escapes, what turns the direction of all that follows, and what nobody knows.
    return "\N{REPLACEMENT CHARACTER}" if kind[0] == "C" or kind in ("Zl", "Zp") else each
