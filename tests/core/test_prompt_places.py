"""Where something stands in a file: JSON's places and YAML's are the same, and the key is there."""

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from lambdallm.core.prompts.places import place_in_json, place_in_yaml

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(alphabet='a{}[],:"\\ é'),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(alphabet='ab{}" ', max_size=3), inner, max_size=3)
    ),
    max_leaves=10,
)
data = st.dictionaries(st.text(alphabet='ab{}" ', max_size=3), values)


def paths(value, path=()):
    """Every path in a value, and what stands there: a key, or an item."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, member in members:
        yield (*path, step), json.dumps(step if isinstance(value, dict) else member)[:1]
        yield from paths(member, (*path, step))


@given(data, st.sampled_from([None, 2, 0]))
def test_a_path_leads_to_its_key_or_item(value, indent):
    text = json.dumps(value, indent=indent)
    lines = text.split("\n")
    for path, begin in paths(value):
        line, column = place_in_json(text, path)
        assert lines[line - 1][column - 1 :].startswith(begin)


@given(data, st.sampled_from([2, 0]))
def test_json_is_yaml_and_its_places_are_the_same(value, indent):
    text = json.dumps(value, indent=indent)
    node = yaml.compose(text, yaml.SafeLoader)
    for path, _ in paths(value):
        assert place_in_yaml(node, path) == place_in_json(text, path)


@pytest.mark.parametrize("path", [("b",), ("a", "c"), ("a", 0, "x"), ("a", 7)])
def test_a_path_that_ends_early_leads_as_far_as_it_does(path):
    text = '{"a": [1, 2]}'
    place = place_in_json(text, path)
    assert place == place_in_yaml(yaml.compose(text, yaml.SafeLoader), path)
    assert place in ((1, 1), (1, 2), (1, 8))
