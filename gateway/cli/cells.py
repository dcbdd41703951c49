"""Cells of a spreadsheet: what it would run, what it has changed, and numbers as it writes them."""

from __future__ import annotations

import re
from decimal import Decimal

# What a spreadsheet takes for the beginning of a formula, the full-width forms included.
_STARTS = "=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20"
# Where a cell begins: also behind what another country's spreadsheet takes for a separator, quotes
# and blanks between.
_EDGE = r"((?:\A|[,;\t|\r\n])[ \"]*)"
_UNSAFE = re.compile(rf"{_EDGE}(?=[{_STARTS}]|'[{_STARTS}'])")
_GUARDED = re.compile(rf"{_EDGE}'(?=[{_STARTS}'])")

# As Excel writes them, in English and in German; in small letters they are names: april-05.
_MONTH = r"(?:Jan|Feb|Mar|Mrz|Mär|Apr|May|Mai|Jun|Jul|Aug|Sep|Oct|Okt|Nov|Dec|Dez)\.?"
_DATE = re.compile(
    rf"\d{{1,2}}[-. ]+{_MONTH}(?:[-. ]+\d{{2,4}})?|{_MONTH}[-. ]+\d{{2,4}}"
    r"|\d{1,2}[./-]\d{1,2}[./-](?:\d{4}|\d{2})|\d{4}-\d{1,2}-\d{1,2}(?:[T ][\d:.]+)?"
    r"|\d{1,3}(?::\d\d){1,2}"
)
_SHORTENED = re.compile(r"-?\d(?:[.,]\d+)?E[+-]\d{2,3}")
_ERROR = re.compile(
    r"#(?:NAME\?|VALUE!|WERT!|REF!|BEZUG!|DIV/0!|N/A|NV|NUM!|ZAHL!|NULL!|SPILL!|CALC!)|#{2,}|Err:\d{3}"
)

_INTEGER = r"-?(?:0|[1-9][0-9]{0,14})"
WHOLE = re.compile(_INTEGER)
_DECIMAL = {
    "point": re.compile(rf"{_INTEGER}(?:\.[0-9]{{1,20}})?"),
    "comma": re.compile(rf"{_INTEGER}(?:,[0-9]{{1,20}})?"),
}
# One mark and three digits behind it: 1.234 is one and a bit, or a thousand and more.
_EITHER = re.compile(r"-?[1-9][0-9]{0,2}[.,][0-9]{3}")
# What a JSON number, which MySQL reads as a double, brings through to the last digit.
DIGITS = 15


def guard(text: str) -> str:
    """Make a cell harmless in a spreadsheet: an apostrophe before what would begin a formula."""
    return _UNSAFE.sub(r"\1'", text)


def unguard(text: str) -> str:
    """Take back what guard has done to a cell."""
    return _GUARDED.sub(r"\1", text)


def changed(text: str) -> str | None:
    """Say how a spreadsheet seems to have changed a name, None where it does not."""
    text = text.strip()
    if _SHORTENED.fullmatch(text):
        return "looks like a number that a spreadsheet has shortened"
    if _DATE.fullmatch(text):
        return "looks like a date that a spreadsheet has made of it"
    if _ERROR.fullmatch(text):
        return "is an error of a spreadsheet"
    return None


def mark(text: str) -> tuple[str, bool] | None:
    """Tell which decimal mark a number is written with, and whether that is certain.

    None: it has no mark, or is no number.
    """
    text = text.strip()
    for kind, sign in (("point", "."), ("comma", ",")):
        if sign in text and _DECIMAL[kind].fullmatch(text):
            return kind, not _EITHER.fullmatch(text)
    return None


def number(text: str, decimal: str) -> Decimal:
    """Read a number with point or comma for its decimals; ValueError says why it is none."""
    text = text.strip()
    if not _DECIMAL[decimal].fullmatch(text):
        raise ValueError(f"must be a number, not {shown(text)}{_hint(text, decimal)}")
    value = Decimal(text.replace(",", "."))
    if len(value.normalize().as_tuple().digits) > DIGITS:
        raise ValueError(f"must have at most {DIGITS} digits, not {shown(text)}")
    return value


def whole(text: str) -> int:
    """Read a whole number; ValueError says why it is none."""
    text = text.strip()
    if not WHOLE.fullmatch(text):
        raise ValueError(f"must be a whole number, not {shown(text)}{_hint(text, 'point')}")
    return int(text)


def shown(text: str) -> str:
    """Quote a piece of the file so that a terminal shows it and does nothing."""
    return repr(text if len(text) <= 40 else text[:39] + "…")


def _hint(text: str, decimal: str) -> str:
    """Say what a spreadsheet has done to a number, and what to do."""
    if _SHORTENED.fullmatch(text):
        return " (shortened by a spreadsheet: format the column as a number)"
    if _DATE.fullmatch(text):
        return " (a date or a time: format the column as a number)"
    if text[:1] == "'" and WHOLE.fullmatch(text[1:]):
        return " (text in the spreadsheet: format the column as a number)"
    if re.fullmatch(r"-?[0-9]{1,3}([.,' \u00a0\u202f’][0-9]{3})+([.,][0-9]+)?", text):
        return f" (with a separator of thousands? this file's decimals have a {decimal})"
    if re.fullmatch(r"-?[0-9]+[.,][0-9]+", text):
        return f" (this file's decimals have a {decimal})"
    return ""
