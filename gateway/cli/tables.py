"""A CSV file, read so that each of its lines is one thing to every reader, or refused in words.

Nothing is guessed. The encoding is that of its byte order mark, else UTF-8; the separator is the
one that makes known columns of the first line; quotes stand around whole cells and are doubled
inside. Where readers of CSV would disagree, on one line, that line is a record with a reason; where
they would disagree on where a record ends, the file is refused before anybody acts on it.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass

from gateway.cli.cells import shown

SEPARATORS = ",;\t|"
# UTF-32 first: its mark begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# .xlsx and .ods; .xls
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_DECLARATION = re.compile(r'"?sep=(.)"?', re.IGNORECASE)
# What moves, ends or hides text; a carriage return too, where lines end with a line feed.
HIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff]")
# What _name_refusal.sql refuses in full names; and wherever it stands in user names, which are left
# their joiners and variation selectors.
_UNSEEN = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2061-\u2064\u2066-\u206f\ufdd0-\ufdef\ufeff\ufff9-\ufffc"
    "\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"
    + "".join(chr(plane << 16 | last) for plane in range(17) for last in (0xFFFE, 0xFFFF))
)
UNSEEN = re.compile(f"[{_UNSEEN}]")
UNSEEN_IN_USERNAMES = re.compile(
    f"[{_UNSEEN}\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160"
    "\u17b4\u17b5\u180e\u200b\u200e\u200f\u2060\u2065\u2800\u3164\uffa0\ufff0-\ufff8"
    "\ue000-\uf8ff\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d159"
    "\U000f0000-\U0010ffff]"
)
# A cell may hold 64 KiB of details; with every quote doubled, no more than this.
_LONGEST = 2 * 2**16


class Refused(Exception):
    """Say why a whole file is not taken; nothing of it was."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


@dataclass(slots=True)
class Record:
    """One record: its lines, what stands there, its values by column or why it has none."""

    line: int
    last_line: int
    content: str
    values: list[str]
    reason: str | None = None


class Table:
    """A CSV file. Its lines are there at once; its columns when read_head has found them."""

    def __init__(self, raw: bytes, encoding: str | None = None) -> None:
        """Take a whole file; encoding: that of one that does not say so itself."""
        self.marked = any(raw.startswith(mark) for mark, _ in _MARKS)
        self._is_workbook = raw.startswith(_WORKBOOKS)
        head = raw[:4096]
        # In UTF-16 every other byte of most texts; elsewhere a damaged byte, and its line's matter.
        self._is_wide = not self.marked and encoding is None and head.count(0) * 4 > len(head)
        self._encoding = "UTF-8" if encoding is None or self.marked else encoding
        self.lines = _lines(_decoded(raw, encoding))
        self.head_lines = 0
        self.columns: list[str] = []
        self.separator = ","
        self._multiline = -1
        self._field = _field(self.separator)

    def read_head(self, required: tuple[str, ...], known: tuple[str, ...], multiline: str) -> None:
        """Read the names of the columns, and with them the separator; raises Refused.

        multiline: the one column whose cells may run over lines.
        """
        if self._is_workbook:
            raise Refused(1, "this is a workbook, not a CSV file: save it as CSV UTF-8")
        if self._is_wide:
            raise Refused(
                1,
                "there are zero bytes in it: this is no CSV file, or UTF-16 without a byte order "
                "mark; save it as CSV UTF-8",
            )
        declared, found, number, text = None, None, 1, ""
        for number, text in enumerate(self.lines, 1):
            if found := _DECLARATION.fullmatch(text.strip(" ")):
                if declared is not None or found[1] not in SEPARATORS:
                    raise Refused(number, f"{shown(text)} declares no separator that is known here")
                declared = found[1]
            elif text.strip():
                break
        told = ", ".join(known)
        if not text.strip() or (declared is not None and number == len(self.lines) and found):
            raise Refused(number, f"the file is empty: the first line names the columns, {told}")
        best: list[str] = []
        for separator in declared or SEPARATORS:
            names = _names(text, separator)
            if set(required) <= set(names):
                self.separator, best = separator, names
                break
            if len(set(names) & set(known)) > len(set(best) & set(known)):
                best = names
        if missing := [name for name in required if name not in best]:
            behind = f", separated by {shown(declared)} as the file says," if declared else ""
            raise Refused(
                number, f"the first line{behind} does not name {', '.join(missing)}: {told}"
            )
        if unknown := [name for name in best if name not in known]:
            raise Refused(number, f"the first line names {shown(unknown[0])}, not one of {told}")
        if len(set(best)) < len(best):
            raise Refused(number, "the first line names a column twice")
        self.columns = best
        self.head_lines = number
        self._multiline = best.index(multiline) if multiline in best else -1
        self._field = _field(self.separator)

    def rest(self) -> Iterator[tuple[int, str]]:
        """Yield the number and the text of each line behind the head that is not empty."""
        for number, text in enumerate(self.lines[self.head_lines :], self.head_lines + 1):
            if not self._is_empty(text):
                yield number, text

    def records(self) -> Iterator[Record]:
        """Yield each record; raises Refused where it is not certain where one ends."""
        number = self.head_lines
        while number < len(self.lines):
            line, content = number + 1, self.lines[number]
            number += 1
            if self._is_empty(content):
                continue
            values: list[str] | None
            if '"' not in content:
                values = content.split(self.separator)
            else:
                values, opened = self._split(content, line)
                if opened is not None:
                    number, content = self._join(line, opened)
                    values, _ = self._split(content, line)
            yield self._record(Record(line, number, content, values or []), values is None)

    def cells(self, content: str) -> list[str]:
        """Return the cells of a record by its content, none where they cannot be told."""
        if '"' not in content:
            return content.split(self.separator)
        try:
            return self._split(content, 0)[0] or []
        except Refused:
            return []

    def _is_empty(self, text: str) -> bool:
        """Tell whether a line has nothing in it; spreadsheets leave rows of separators alone."""
        return not text.strip(self.separator + " ") or not text.strip()

    def _split(self, text: str, line: int) -> tuple[list[str] | None, int | None]:
        """Return the cells of a record, None where they cannot be told.

        The second value is where a cell begins that is not closed yet, in the one column where that
        may be. Raises Refused where it is not certain where the record ends.
        """
        values: list[str] = []
        at = 0
        sound = True
        while True:
            if found := self._field.match(text, at):
                quoted, bare = found.groups()
                values.append(bare if quoted is None else quoted.replace('""', '"'))
                at = found.end()
            elif text[at] == '"':
                unclosed = _UNCLOSED.match(text, at) is not None
                if unclosed and sound and len(values) == self._multiline:
                    return None, at
                what = "is not closed" if unclosed else "is closed within a cell"
                raise Refused(line, _quote(text, at, what))
            else:
                # A quote inside a bare cell: the same text to all, if there are two of them.
                sound = False
                values.append("")
                at = text.find(self.separator, at)
                at = len(text) if at < 0 else at
            if at >= len(text):
                break
            at += 1
        if sound:
            return values, None
        if text.count('"') % 2 or "\n" in text:
            raise Refused(line, _quote(text, text.index('"'), "stands alone inside a cell"))
        return None, None

    def _join(self, line: int, opened: int) -> tuple[int, str]:
        """Return the last line and the content of a record with a cell that runs over lines."""
        parts = [self.lines[line - 1]]
        begun = opened + 1
        length = 0
        for last_line in range(line, len(self.lines) + 1):
            if last_line > line:
                begun = 0
                parts.append(self.lines[last_line - 1])
            text = parts[-1]
            length += len(text)
            # An odd number of quotes closes the cell: those inside are doubled.
            if text.count('"', begun) % 2:
                return last_line, "\n".join(parts)
            if length > _LONGEST:
                break
        raise Refused(line, _quote(parts[0], opened, "is not closed"))

    def _why(self, values: list[str]) -> str:
        """Say why a row may have more or fewer values than there are columns."""
        if len(values) > len(self.columns):
            kind = "a decimal comma or " if self.separator == "," else ""
            return f": {kind}a {shown(self.separator)} inside a cell wants quotes around the cell"
        if len(values) == 1 and any(other in values[0] for other in SEPARATORS):
            return f": the first line is separated by {shown(self.separator)}"
        return ""

    def _record(self, record: Record, unclear: bool) -> Record:
        """Give a record the reason why it is not read, if there is one."""
        values, width = record.values, len(self.columns)
        # Spreadsheets leave separators behind the last column.
        while len(values) > width and not values[-1].strip():
            values.pop()
        if unclear:
            record.reason = (
                "a quote inside a cell: write the whole cell in quotes, and each inside twice"
            )
        elif len(values) != width:
            record.reason = f"{len(values)} values for {width} columns{self._why(values)}"
        elif not record.content.isascii() and _has_bad_bytes(record.content):
            record.reason = (
                f"not {self._encoding}: save the file as CSV UTF-8, or name its encoding with "
                "--encoding"
            )
        elif found := HIDDEN.search(record.content):
            record.reason = f"a character that nobody sees, {found[0]!a}"
        if record.reason and record.last_line > record.line:
            raise Refused(record.line, f"a row runs on to line {record.last_line}: {record.reason}")
        return record


_UNCLOSED = re.compile(r'"[^"]*(?:""[^"]*)*\Z')


def _field(separator: str) -> re.Pattern[str]:
    """Return what matches one cell up to its separator or the end."""
    end = rf"(?={re.escape(separator)}|\Z)"
    return re.compile(rf'"([^"]*(?:""[^"]*)*)"{end}|([^"{re.escape(separator)}]*){end}')


def _names(text: str, separator: str) -> list[str]:
    """Return the names of the columns that a first line has with a separator."""
    field = _field(separator)
    names: list[str] = []
    at = 0
    while found := field.match(text, at):
        name = found[2] if found[1] is None else found[1].replace('""', '"')
        names.append(re.sub(r"[\s_-]+", "_", name.strip().lower()))
        at = found.end() + 1
        if at > len(text):
            break
    else:
        return []
    while names and not names[-1]:
        names.pop()
    return names


def _decoded(raw: bytes, encoding: str | None) -> str:
    """Return the text of a file; bytes that are none stay as such, or become U+FFFD."""
    for mark, kind in _MARKS:
        if raw.startswith(mark):
            raw, encoding = raw[len(mark) :], kind
            break
    try:
        return raw.decode(encoding or "utf-8", "surrogateescape")
    except UnicodeError:  # Of 16 bits a half cannot stay as it is.
        return raw.decode(encoding or "utf-8", "replace")


def _has_bad_bytes(text: str) -> bool:
    """Tell whether a text has bytes that are no characters, or what stands for such."""
    if "\ufffd" in text:
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _lines(text: str) -> list[str]:
    """Return the lines, without their ends.

    Where lines end with a line feed, a carriage return elsewhere than before it ends none.
    """
    end = "\n" if "\n" in text else "\r"
    lines = text.split(end)
    if not lines[-1]:
        lines.pop()
    return [line.removesuffix("\r") for line in lines] if end == "\n" else lines


def _quote(text: str, at: int, what: str) -> str:
    return (
        f"the quote before {shown(text[at + 1 : at + 31])} {what}. Take it out, or write the cell "
        'as "so ""to speak"""'
    )
