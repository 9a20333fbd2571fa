"""Newline-delimited JSON: given bytes, expect lines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdallm.llm.wire.framing import MAX_FRAME_BYTES, FramingError
from lambdallm.llm.wire.ndjson import NdjsonDecoder


def decode(*pieces: bytes) -> list[bytes]:
    decoder = NdjsonDecoder()
    return [line for piece in pieces for line in decoder.feed(piece)] + decoder.close()


@pytest.mark.parametrize(
    ("stream", "lines"),
    [
        (b'{"a":1}\n{"b":2}\n', [b'{"a":1}', b'{"b":2}']),
        (b'{"a":1}\r\n\r\n{"b":2}', [b'{"a":1}', b'{"b":2}']),
        (b"\n \n", []),
        (b"", []),
    ],
)
def test_lines(stream: bytes, lines: list[bytes]) -> None:
    assert decode(stream) == lines
    assert decode(*(stream[i : i + 1] for i in range(len(stream)))) == lines


def test_a_line_without_end_does_not_fill_the_memory() -> None:
    decoder = NdjsonDecoder()
    decoder.feed(b"x" * MAX_FRAME_BYTES)
    with pytest.raises(FramingError):
        decoder.feed(b"x")


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=8))
def test_where_the_bytes_are_split_changes_nothing(stream: bytes, cuts: list[int]) -> None:
    ends = sorted(min(cut, len(stream)) for cut in cuts)
    pieces = [stream[a:b] for a, b in zip([0, *ends], [*ends, len(stream)], strict=True)]
    assert decode(*pieces) == decode(stream)
