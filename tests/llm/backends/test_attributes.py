"""DynamoDB's typed values: what goes in comes out, as botocore would write it."""

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from hypothesis import given
from hypothesis import strategies as st

from lambdallm.llm.backends.attributes import decode, decode_item, encode, encode_item

plain = st.none() | st.booleans() | st.text() | st.integers(-(2**53), 2**53) | st.floats(-1e30, 1e30) | st.binary()
values = st.recursive(plain, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10)


@given(st.dictionaries(st.text(), values))
def test_what_is_encoded_is_decoded(item):
    assert decode_item(encode_item(item)) == item


@pytest.mark.parametrize("value", ["text", 7, True, None, ["a", 1], {"a": {"b": [None]}}])
def test_it_is_what_boto3_writes_and_reads(value):
    assert encode(value) == TypeSerializer().serialize(value)
    assert TypeDeserializer().deserialize(encode(value)) == value


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ({"N": "3"}, 3),
        ({"N": "3.5"}, 3.5),
        ({"N": "1E+2"}, 100),
        ({"SS": ["a", "b"]}, ["a", "b"]),
        ({"NS": ["1", "2.5"]}, [1, 2.5]),
        ({"BS": ["AAE="]}, [b"\x00\x01"]),
        ({"B": "AAE="}, b"\x00\x01"),
    ],
)
def test_what_others_wrote_is_read(typed, value):
    assert decode(typed) == value


def test_what_it_can_not_hold_is_named():
    with pytest.raises(TypeError, match="object"):
        encode(object())
