"""How rows of MySQL look in JSON: numbers as numbers, times as RFC 3339 in UTC."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from flask.json.provider import JSONProvider

from gateway.errors import FieldError, Problem


class Json(JSONProvider):
    """JSON without spaces, in the order of the columns."""

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        """Write JSON."""
        return ENCODER.encode(obj)

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """Read JSON; what clients send is read by gateway.validation instead."""
        return json.loads(s)


def with_json(row: dict[str, Any], *columns: str) -> dict[str, Any]:
    """Return a row with the values of its JSON columns, which come as text."""
    return row | {
        column: None if row[column] is None else json.loads(row[column]) for column in columns
    }


def parse_time(text: str | None, pointer: str) -> datetime | None:
    """Read an RFC 3339 time into the naive UTC that MySQL stores."""
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        message = "must be a time that exists, from the year 1 to 9999"
        raise Problem(
            "invalid_value", f"{pointer[1:]} {message}", [FieldError(pointer, message)]
        ) from None


def _default(value: object) -> object:
    """Turn what json does not know into what it does."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds") + "Z"
    raise TypeError(f"{type(value).__name__} has no form in JSON")


# Made once: json.dumps with options would make one for each answer.
ENCODER = json.JSONEncoder(
    default=_default, ensure_ascii=False, separators=(",", ":"), allow_nan=False
)
