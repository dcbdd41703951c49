"""What a client sent, read and held against its JSON Schema."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Any, cast

import jsonschema_rs
from flask import g, request
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError

from gateway.connections import BODY_READ, TooManyBodies, watch_of
from gateway.errors import FieldError, Problem, field_codes
from gateway.schemas import IDEMPOTENCY_KEY, MAX_DETAILS_BYTES, Schema

# MySQL holds 100 levels of JSON; the array and the object around details are two of them.
MAX_DEPTH = 90
SHOWN = 60
# \ud800 to \udfff, of which a lone one is not a character.
SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
# As long as an id may be; what is longer is read as text, and refused as such.
INTEGER = re.compile(r"(-?[0-9]{1,19})(\.0{1,19})?")

# A run of digits that may be more than 64 bits.
LONG_NUMBER = re.compile(r"[0-9]{19}")
FORMATS = FormatChecker(["date-time"])


@FORMATS.checks("storable", raises=ValueError)
def _is_storable(value: object) -> bool:
    """Tell whether MySQL can keep a JSON value as it is; of an infinite number raises ValueError.

    In text as MySQL writes it, of which a column may hold 64 KiB; with names no longer than that.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    if LONG_NUMBER.search(text):
        json.loads(text, parse_int=_fitting)
    return len(text.encode()) <= MAX_DETAILS_BYTES


def _fitting(digits: str) -> int:
    """Refuse what MySQL would round."""
    number = int(digits)
    if not -(2**63) <= number < 2**64:
        raise ValueError(f"{digits} has more than 64 bits")
    return number


class _Format:
    """The keyword format for jsonschema-rs, which by itself knows other ones, of strings alone."""

    def __init__(self, parent: object, value: str, path: object) -> None:
        self._format = value

    def validate(self, instance: object) -> None:
        """Raise an error where an instance has not the format."""
        FORMATS.check(instance, self._format)


class Validator:
    """A JSON Schema, compiled once.

    what: what is held against it, as whoever sent it calls it.
    """

    def __init__(self, schema: Schema, what: str = "the body") -> None:
        Draft202012Validator.check_schema(schema)
        self.schema = schema
        self._what = what
        self._validator = Draft202012Validator(schema, format_checker=FORMATS)
        # Fifty times as fast, for what is sound. Where it objects, jsonschema decides and explains.
        self._is_sound = jsonschema_rs.Draft202012Validator(
            schema, keywords={"format": _Format}
        ).is_valid
        self._whole = [
            name
            for name, rule in schema.get("properties", {}).items()
            if "integer" in (rule.get("type"), rule.get("oneOf", [{}])[0].get("type"))
        ]

    def problem(self, value: object, prefix: str = "") -> Problem | None:
        """Return what is wrong with a value, pointer by pointer below prefix; None if nothing."""
        if self._is_sound(value):
            return None
        by_pointer: dict[str, FieldError] = {}
        for top in self._validator.iter_errors(value):
            for error in _field_errors(top):
                # Of several things wrong with one value the first says enough.
                by_pointer.setdefault(error.pointer, error)
        if not by_pointer:
            return None
        found = [by_pointer[pointer] for pointer in sorted(by_pointer)]
        codes = field_codes()
        code = codes.get(found[0].pointer, "invalid_value")
        if any(codes.get(error.pointer) != code for error in found):
            code = "invalid_value"
        detail = "; ".join(f"{error.pointer[1:] or self._what} {error.message}" for error in found)
        return Problem(
            code, detail, [FieldError(prefix + error.pointer, error.message) for error in found]
        )

    def whole(self, value: dict[str, Any]) -> dict[str, Any]:
        """Return a sound value with its whole numbers as such: to JSON 3.0 is one too."""
        return value | {
            name: int(value[name]) for name in self._whole if isinstance(value.get(name), float)
        }

    def body(self) -> dict[str, Any]:
        """Read the request's body; raises Problem where it is not what the schema says."""
        value = read_json()
        if problem := self.problem(value):
            raise problem
        return self.whole(cast(dict[str, Any], value))

    def query(self) -> dict[str, Any]:
        """Read the query parameters, integers as such, with the defaults of those not given."""
        properties: dict[str, Schema] = self.schema["properties"]
        values: dict[str, Any] = {}
        for name, texts in request.args.lists():
            if len(texts) > 1 and name in properties:
                # Whoever stands between may have looked at another one than we would.
                raise Problem(
                    "invalid_value",
                    f"{name} is given {len(texts)} times",
                    [FieldError(f"/{name}", "must be given once")],
                )
            if name in properties:
                whole = whole_number(texts[0]) if name in self._whole else None
                values[name] = texts[0] if whole is None else whole
        if problem := self.problem(values):
            raise problem
        return {name: schema.get("default") for name, schema in properties.items()} | values


KEY = Validator(IDEMPOTENCY_KEY, "Idempotency-Key")


def whole_number(text: str) -> int | None:
    """Return the whole number that a text is; None if it is none. As in JSON, 3.0 is one too."""
    found = INTEGER.fullmatch(text)
    return int(found[1]) if found else None


def bare_key() -> str | None:
    """Return the header Idempotency-Key without its quotes; None where there is none."""
    key = request.headers.get("Idempotency-Key")
    # As RFC 8941 writes a string, and the draft of the header wants it; bare keys are as common.
    if key is not None and len(key) >= 2 and key[0] == key[-1] == '"':
        return key[1:-1]
    return key


def idempotency_key() -> str | None:
    """Return the key of a call that creates something; None where it has none."""
    key = bare_key()
    if key is not None and (problem := KEY.problem(key, "/Idempotency-Key")):
        raise Problem("idempotency_key_invalid", problem.detail, problem.errors)
    return key


def read_json() -> object:
    """Read the body as JSON, more strictly than Python does.

    No NaN, no repeated names, no lone surrogates, no deeper than MySQL can hold.
    """
    if request.mimetype != "application/json":
        raise Problem("unsupported_media_type", "send the header Content-Type: application/json")
    body = _read_body()
    try:
        value = json.loads(
            body.decode("utf-8"), parse_constant=_refuse_constant, object_pairs_hook=_unique
        )
        if SURROGATE.search(body):
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeError:
        raise Problem("malformed_json", "the body is not UTF-8, or has half a character") from None
    except RecursionError:
        raise _too_deep() from None
    except ValueError as error:
        raise Problem("malformed_json", f"the body cannot be read: {error}") from None
    if body.count(b"{") + body.count(b"[") > MAX_DEPTH and _depth(value) > MAX_DEPTH:
        raise _too_deep()
    return value


def _read_body() -> bytes:
    """Read the whole body, in time; that a client went away in the middle no server need tell."""
    watch, caller = watch_of(request.environ), g.get("caller")
    if watch is None:
        return _whole_body(lambda: False)
    user_id, is_staff = (None, False) if caller is None else (caller.user_id, caller.is_grader)
    try:
        with watch.body(request.environ, user_id, is_staff) as took_long:
            body = _whole_body(took_long)
    except TooManyBodies as error:
        raise Problem("rate_limited", str(error), retry_after_sec=1) from None
    # So that nobody looks for more of it.
    request.environ[BODY_READ] = True
    return body


def _whole_body(took_long: Callable[[], bool]) -> bytes:
    """Read all of the body, or refuse what is less."""
    expected = request.content_length
    if expected is None:
        # The server gives what came of chunks, and tells nobody that their end did not.
        if "Transfer-Encoding" in request.headers or request.stream.read(1):
            raise Problem(
                "malformed_request",
                "send the header Content-Length: of a body without it nobody can tell whether all "
                "of it came",
            )
        return b""
    body = request.get_data(cache=False)
    if len(body) < expected:
        came = f"{len(body)} of {expected} bytes"
        if took_long():
            raise Problem("body_timeout", f"only {came} of the body came in time")
        raise Problem("malformed_request", f"the body ended after {came}")
    return body


def _refuse_constant(name: str) -> object:
    """Refuse what Python reads as a number and JSON does not know."""
    raise ValueError(f"{name} is not JSON")


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Make an object of its members; of two with one name it would be anybody's guess."""
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the name {_shown(repeated)} stands twice in one object")
    return members


def _depth(value: object) -> int:
    """Count the levels of nesting."""
    depth, level = 0, [value]
    while level:
        containers = [item for item in level if isinstance(item, dict | list)]
        depth += bool(containers)
        level = [
            child
            for item in containers
            for child in (item.values() if isinstance(item, dict) else item)
        ]
    return depth


def _too_deep() -> Problem:
    return Problem("malformed_json", f"the body is nested deeper than {MAX_DEPTH} levels")


def _field_errors(error: ValidationError) -> Iterable[FieldError]:
    """Turn an error of the schema into words, at the field that has to change."""
    pointer = "".join(_step(part) for part in error.absolute_path)
    rule = cast(Any, error)  # jsonschema types what may be unset; of a finding all is set.
    if error.validator == "required":
        for name in rule.validator_value:
            if name not in rule.instance:
                yield FieldError(pointer + _step(name), "is required")
    elif error.validator == "additionalProperties":
        for name in rule.instance:
            if name not in rule.schema["properties"]:
                yield FieldError(pointer + _step(name[:SHOWN]), "is not known here")
    elif error.validator == "oneOf" and error.instance is not None:
        # The other branch is null: what counts is why the value does not fit the first.
        for inner in error.context or ():
            if inner.schema_path[0] == 0:
                yield from _field_errors(inner)
    else:
        say = MESSAGES.get(str(error.validator))
        message = say(rule) if say else error.message
        yield FieldError(pointer, message)


def _step(part: str | int) -> str:
    """Return one step of a JSON pointer (RFC 6901)."""
    return "/" + str(part).replace("~", "~0").replace("/", "~1")


def _shown(value: object) -> str:
    """Show a value as the client wrote it, cut to what fits a line."""
    text = json.dumps(value, ensure_ascii=True, default=str)
    return text if len(text) <= SHOWN else text[: SHOWN - 4] + " ..."


MESSAGES: dict[str, Callable[[Any], str]] = {
    "type": lambda e: f"must be {_article(e.validator_value)}, not {_shown(e.instance)}",
    "enum": lambda e: f"must be one of {', '.join(e.validator_value)}, not {_shown(e.instance)}",
    "minimum": lambda e: f"must be at least {e.validator_value}, not {_shown(e.instance)}",
    "maximum": lambda e: f"must be at most {e.validator_value}, not {_shown(e.instance)}",
    "exclusiveMinimum": lambda e: f"must be above {e.validator_value}, not {_shown(e.instance)}",
    "exclusiveMaximum": lambda e: f"must be below {e.validator_value}, not {_shown(e.instance)}",
    "minLength": lambda e: "must not be empty",
    "maxLength": lambda e: f"must have at most {e.validator_value} characters",
    "minItems": lambda e: "must not be empty",
    "minProperties": lambda e: f"must have one of {', '.join(e.schema['properties'])}",
    "pattern": lambda e: (
        "must not be blank" if e.validator_value == r"\S" else "must be printable ASCII characters"
    ),
    "format": lambda e: (
        f"must be a time as in 2026-11-24T09:00:00Z (RFC 3339), not {_shown(e.instance)}"
        if e.validator_value == "date-time"
        else f"must have at most {MAX_DETAILS_BYTES} bytes, and numbers of at most 64 bits"
    ),
}


def _article(kind: str) -> str:
    """Put the article before the name of a JSON type."""
    return {"integer": "a whole number", "array": "an array", "object": "an object"}.get(
        kind, f"a {kind}"
    )
