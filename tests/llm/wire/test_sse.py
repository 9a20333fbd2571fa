"""Server-sent events: given bytes, expect events, wherever the bytes are split."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdallm.llm.wire.framing import MAX_FRAME_BYTES, FramingError
from lambdallm.llm.wire.sse import SseDecoder


def decode(*pieces: bytes) -> list[tuple[str, bytes]]:
    decoder = SseDecoder()
    return [event for piece in pieces for event in decoder.feed(piece)] + decoder.close()


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        (b"data: one\n\ndata: two\n\n", [("", b"one"), ("", b"two")]),
        (b"data:one\n\n", [("", b"one")]),
        (b"data:  one\n\n", [("", b" one")]),
        (b"data: one\r\n\r\ndata: two\r\n\r\n", [("", b"one"), ("", b"two")]),
        (b"data: one\r\rdata: two\r\r", [("", b"one"), ("", b"two")]),
        (b"data: a\ndata: b\n\n", [("", b"a\nb")]),
        (b"event: error\ndata: {}\n\n", [("error", b"{}")]),
        (b"data: {}\nevent: error\n\n", [("error", b"{}")]),
        (b"event: ping\n\n", [("ping", b"")]),
        (b": keep-alive\n\ndata: one\n\n", [("", b"one")]),
        (b": keep-alive\ndata: one\nid: 7\nretry: 10\n\n", [("", b"one")]),
        (b"\xef\xbb\xbfdata: one\n\n", [("", b"one")]),
        (b"data: one\n\n\n\ndata: two\n\n", [("", b"one"), ("", b"two")]),
        (b"data\n\n", [("", b"")]),
        (b"data: the end is missing", [("", b"the end is missing")]),
        (b"data: the empty line is missing\n", [("", b"the empty line is missing")]),
        (b"", []),
        (b"\n\n\n", []),
    ],
)
def test_events(stream: bytes, events: list[tuple[str, bytes]]) -> None:
    assert decode(stream) == events
    assert decode(*(stream[i : i + 1] for i in range(len(stream)))) == events


def test_crlf_split_between_two_reads_is_one_line_end() -> None:
    assert decode(b"data: a\r", b"\ndata: b\r", b"\n\r", b"\n") == [("", b"a\nb")]


def test_an_event_is_given_as_soon_as_it_is_complete() -> None:
    decoder = SseDecoder()
    assert decoder.feed(b"data: one\n") == []
    assert decoder.feed(b"\ndata: tw") == [("", b"one")]
    assert decoder.feed(b"o\n\n") == [("", b"two")]


@pytest.mark.parametrize("json", [b'{\r\n  "error": {"message": "data: x"}\r\n}', b'[{"error": 1}]'])
def test_json_that_stands_alone_is_an_event_where_it_is_asked_for(json: bytes) -> None:
    stream = b"data: one\r\n\r\n" + json
    plain, bare = SseDecoder(), SseDecoder(bare_json=True)
    assert plain.feed(stream) + plain.close() == [("", b"one")]
    assert bare.feed(stream) + bare.close() == [("", b"one"), ("", json.replace(b"\r", b""))]


def test_an_event_without_end_does_not_fill_the_memory() -> None:
    decoder = SseDecoder()
    decoder.feed(b"x" * MAX_FRAME_BYTES)
    with pytest.raises(FramingError):
        decoder.feed(b"x")


LINES = st.sampled_from(
    [
        b"data: one",
        b"data:two",
        b"data",
        b"event: x",
        b": comment",
        b"id: 1",
        b"retry: 3",
        b"nonsense",
        b"",
        b"\xff\xfe",
    ]
)
ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])


@given(st.lists(st.tuples(LINES, ENDS), max_size=30), st.booleans(), st.data())
def test_where_the_bytes_are_split_changes_nothing(
    lines: list[tuple[bytes, bytes]], mark: bool, data: st.DataObject
) -> None:
    stream = (b"\xef\xbb\xbf" if mark else b"") + b"".join(line + end for line, end in lines)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=10)))
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert decode(*pieces) == decode(stream)


@given(st.lists(st.tuples(LINES, ENDS), max_size=30))
def test_all_line_ends_mean_the_same(lines: list[tuple[bytes, bytes]]) -> None:
    """CR before an empty LF-ended line would read as CRLF, so each stream keeps to one kind."""
    feeds = [b"".join(line + end for line, _ in lines) for end in (b"\n", b"\r\n", b"\r")]
    assert decode(feeds[0]) == decode(feeds[1]) == decode(feeds[2])
