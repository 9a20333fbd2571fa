"""The JSON Schema that editors get and the checks that run say the same: both are made from one table."""

import json

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdallm.core.config import config_schema
from lambdallm.core.config.fields import FIELDS, FILE

VALIDATOR = jsonschema.Draft202012Validator(config_schema())

WORDS = st.sampled_from(["", "x", "echo", "truncate", "sliding_window", "secret:a", "3", "header:a"])
SCALARS = st.none() | st.booleans() | st.integers(-2, 3) | st.sampled_from([0.5, -0.5, 1.5]) | WORDS
SESSION = st.sampled_from(["store", "ttl_hours", "memory", "max_messages", "id_from", "known_ids_only", "owner", "zzz"])
NAMES = st.sampled_from([*FIELDS, "$schema", "zzz"])
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(SESSION | WORDS, inner, max_size=2)
)
SETTINGS = st.dictionaries(NAMES, VALUES, max_size=4)
FILES = SETTINGS | st.builds(
    lambda base, stages: {**base, "environments": stages}, SETTINGS, st.dictionaries(WORDS, SETTINGS, max_size=2)
)


def test_it_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(config_schema())
    json.dumps(config_schema())


def test_every_setting_is_described():
    properties = config_schema()["properties"]
    assert set(properties) == {*FIELDS, "$schema", "environments"}
    assert all(described["description"].endswith(".") for described in properties.values())


@given(FILES)
def test_what_the_checks_take_the_schema_takes(settings):
    assert VALIDATOR.is_valid(settings) == (not list(FILE.problems(settings, ())))


@pytest.mark.parametrize("text", ["${X}", "${X:-3}", "${X:-}"])
def test_references_are_allowed_where_another_kind_is_expected(text):
    settings = {"max_retries": text, "session": {"ttl_hours": text, "known_ids_only": text}, "timeout_strategy": text}
    assert VALIDATOR.is_valid(settings)
    assert not list(FILE.problems(settings, ()))
