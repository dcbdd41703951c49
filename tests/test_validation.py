"""What jsonschema-rs lets through at once, jsonschema would have let through as well."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from gateway import schemas
from gateway.schemas import Schema
from gateway.validation import FORMATS, Validator
from tests.factories import submission

SCHEMAS = {
    name: value
    for name, value in vars(schemas).items()
    if name.isupper() and isinstance(value, dict)
}
# At, below and above every bound of the schemas, and what JSON and Python take for one another.
NUMBERS = st.sampled_from(
    [
        *(0, 1, -1, 50, 100, 101, 200, 201, 1000, 1001, 4194303, 4194304, 10**9, 10**9 + 1, 10**10),
        *(2**31, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1, 2**64, 10**30, 10**400, -(10**400)),
        *(0.0, -0.0, 1.0, 1.5, 1e-320, 9999999999.999999, 1e10, 1e308, float(2**63)),
        *(float("inf"), float("-inf"), float("nan"), True, False),
    ]
)
TEXTS = st.one_of(
    st.sampled_from(
        [
            *("", " ", "\n", "\t", "a\n", "a\x00", "\x7f", "é", "🎓", "\u2028", "coding", "quiz"),
            *("candidate", "best", "Best", "assessment ", "a" * 64, "a" * 65, "é" * 200, "é" * 201),
            *("2026-11-24T09:00:00Z", "2026-11-24T09:00:00+01:00", "2026-11-24t09:00:00z"),
            *("2026-11-24", "2026-11-24T09:00:00", "2026-11-24T24:00:00Z", "2026-02-29T09:00:00Z"),
            *("2026-11-24T09:00:60Z", "2026-11-24T23:59:60Z", "2026-11-24T09:00:00.123456789Z"),
            *("2026-11-24 09:00:00Z", "2026-11-24T09:00:00Z\n", "2026-11-24T09:00:00-00:00"),
        ]
    ),
    st.text(max_size=5),
)
VALUES = st.recursive(
    st.one_of(st.none(), NUMBERS, TEXTS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(TEXTS | st.sampled_from("ab"), inner)
    ),
    max_leaves=6,
)


def near(schema: Schema) -> st.SearchStrategy[Any]:
    """Return values that have something to do with a schema: its fields, its words, its bounds."""
    if "oneOf" in schema:
        return st.one_of(VALUES, *map(near, schema["oneOf"]))
    if "properties" in schema:
        fields = {name: near(rule) for name, rule in schema["properties"].items()}
        required = set(schema["required"])
        return st.one_of(
            VALUES,
            st.fixed_dictionaries(
                {name: field for name, field in fields.items() if name in required},
                optional={name: field for name, field in fields.items() if name not in required},
            ),
            st.dictionaries(st.sampled_from([*fields, "other"]), VALUES),
        )
    if schema.get("type") in ("integer", "number"):
        return st.one_of(NUMBERS, NUMBERS, VALUES)
    return st.one_of(st.sampled_from(schema.get("enum", [{}])), TEXTS, VALUES)


@pytest.mark.parametrize("name", SCHEMAS)
def test_nothing_is_sound_at_a_glance_that_is_not(name: str) -> None:
    schema = SCHEMAS[name]
    validator = Validator(schema)
    thorough = Draft202012Validator(schema, format_checker=FORMATS)

    @settings(max_examples=300, deadline=None, derandomize=True, database=None)
    @given(near(schema))
    def hold_together(value: object) -> None:
        if validator._is_sound(value):
            assert thorough.is_valid(value)

    hold_together()


@pytest.mark.parametrize(
    "details", [None, {}, {"a": [1, {"b": None}]}, {"n": 2**64 - 1}, {"t": "🎓" * 16000}]
)
def test_what_is_sound_is_seen_at_a_glance(details: object) -> None:
    assert Validator(schemas.SUBMISSION)._is_sound(submission(1, details=details))


@pytest.mark.parametrize("details", [{"n": 2**64}, {"t": "🎓" * 17000}, {"n": float("inf")}])
def test_a_glance_sees_what_cannot_be_stored(details: object) -> None:
    assert not Validator(schemas.SUBMISSION)._is_sound(submission(1, details=details))
