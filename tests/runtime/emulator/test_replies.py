"""What a function's bytes mean to an HTTP client, as values: whatever they are, a reply or `Malformed`."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdallm.runtime.emulator.listener import Cut
from lambdallm.runtime.emulator.replies import (
    PRELUDE_TYPE,
    Malformed,
    format_1_reply,
    format_2_reply,
    rest_reply,
    streamed_reply,
    whole,
)
from lambdallm.runtime.streams import Head

TEXT = st.text(st.characters(), max_size=5)  # JSON can say half a letter, too
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
FIELDS = ["statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded", "cookies"]
RESULTS = st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=6) | JSON


@given(RESULTS)
@pytest.mark.parametrize("read", [format_1_reply, format_2_reply, rest_reply])
def test_any_result_is_a_reply_or_malformed(read, result):
    try:
        reply = read(json.dumps(result).encode())
    except Malformed:
        return
    assert 100 <= reply.status <= 599
    assert isinstance(reply.body, bytes)
    for name, value in reply.headers:
        assert "\n" not in (name + value).encode("latin-1").decode("latin-1")


@given(st.binary(max_size=40), st.sampled_from([PRELUDE_TYPE, "text/plain", ""]))
def test_any_stream_is_a_reply_or_malformed(data, content_type):
    try:
        reply = streamed_reply([data[:7], data[7:]], content_type)
    except Malformed:
        return
    assert whole(reply).body in data


def test_a_prelude_is_found_wherever_the_stream_is_split():
    head = Head(201, {"X-A": "b", "X-B": ["1", "2"]}, ("c=d",))
    data = head.prelude() + b"\0" * 8 + b"body \0\0"
    for cut in range(len(data) + 1):
        reply = whole(streamed_reply([data[:cut], data[cut:]], PRELUDE_TYPE))
        assert (reply.status, reply.body) == (201, b"body \0\0")
        assert reply.headers == (
            ("Content-Type", "application/json"),
            ("X-A", "b"),
            ("X-B", "1"),
            ("X-B", "2"),
            ("Set-Cookie", "c=d"),
        )


def test_nothing_behind_the_prelude_is_read_before_it_is_asked_for():
    read = []

    def pieces():
        for piece in (b"{}", b"\0" * 8, b"one", b"two"):
            read.append(piece)
            yield piece

    reply = streamed_reply(pieces(), PRELUDE_TYPE)
    assert read == [b"{}", b"\0" * 8]
    assert next(iter(reply.body)) == b"one"
    assert read[-1] == b"one"


def test_a_body_that_is_cut_can_t_be_joined():
    def pieces():
        yield b"half"
        raise Cut

    with pytest.raises(Malformed, match="cut"):
        whole(streamed_reply(pieces(), "text/plain"))
