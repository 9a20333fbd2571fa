"""AWS event stream framing: given bytes, expect messages, wherever the bytes are split; proved against botocore."""

from __future__ import annotations

import base64
import json
import struct
import uuid
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdallm.aws.eventstream import encode_frame, encode_header, encode_message
from lambdallm.llm.wire.eventstream import MAX_HEADER_BYTES, EventStreamDecoder, FramingError, decode_headers
from lambdallm.llm.wire.framing import MAX_FRAME_BYTES
from recorded import CORPUS, needs_corpus

HELLO = encode_message({":event-type": "greeting"}, b"hello")


def decode(*pieces: bytes) -> tuple[list[tuple[dict, bytes]], FramingError | None]:
    decoder = EventStreamDecoder()
    messages = [message for piece in pieces for message in decoder.feed(piece)]
    decoder.close()
    return [(dict(headers), payload) for headers, payload in messages], decoder.error


def each_byte(stream: bytes) -> list[bytes]:
    return [stream[i : i + 1] for i in range(len(stream))]


def with_lengths(total: int, headers: int) -> bytes:
    """A prelude with a good checksum, whatever it claims."""
    lengths = struct.pack(">II", total, headers)
    return lengths + struct.pack(">I", zlib.crc32(lengths))


def test_a_message_as_the_specification_draws_it() -> None:
    """The example of the Smithy specification's test suite: one string header, a JSON payload."""
    stream = bytes.fromhex(
        "0000003d 00000020 07fd8396 0c636f6e74656e742d74797065 07 0010 6170706c69636174696f6e2f6a736f6e"
        "7b27666f6f273a27626172277d 8d9c08b1".replace(" ", "")
    )
    assert decode(stream) == ([({"content-type": "application/json"}, b"{'foo':'bar'}")], None)
    assert encode_message({"content-type": "application/json"}, b"{'foo':'bar'}") == stream


def test_an_empty_message() -> None:
    assert decode(encode_message({}, b"")) == ([({}, b"")], None)


@pytest.mark.parametrize(
    ("kind", "body", "value"),
    [
        (0, b"", True),
        (1, b"", False),
        (2, b"\xff", -1),
        (3, b"\xff\xfe", -2),
        (4, struct.pack(">i", -3), -3),
        (5, struct.pack(">q", 2**40), 2**40),
        (6, b"\x00\x02\x00\xff", b"\x00\xff"),
        (7, b"\x00\x03" + "é!".encode(), "é!"),
        (8, struct.pack(">q", 1_700_000_000_123), 1_700_000_000_123),
        (9, uuid.UUID(int=7).bytes, uuid.UUID(int=7).bytes),
    ],
)
def test_every_type_of_header(kind: int, body: bytes, value: object) -> None:
    block = b"\x01h" + bytes((kind,)) + body
    stream = encode_frame(block, b"")
    assert decode(*each_byte(stream)) == ([({"h": value}, b"")], None)


def test_messages_come_as_soon_as_they_are_whole() -> None:
    decoder = EventStreamDecoder()
    assert decoder.feed(HELLO[:-1]) == []
    assert decoder.feed(HELLO[-1:] + HELLO[:5]) == [({":event-type": "greeting"}, b"hello")]
    assert decoder.feed(HELLO[5:]) == [({":event-type": "greeting"}, b"hello")]
    decoder.close()
    assert decoder.error is None


@pytest.mark.parametrize("length", [1, 11, 12, 13, len(HELLO) - 1])
def test_a_message_cut_short_is_an_error_at_the_end(length: int) -> None:
    messages, error = decode(HELLO, HELLO[:length])
    assert len(messages) == 1
    assert error is not None
    assert str(length) in str(error)


@pytest.mark.parametrize("place", range(len(HELLO)))
def test_any_byte_changed_is_noticed_and_the_messages_before_are_kept(place: int) -> None:
    broken = bytearray(HELLO)
    broken[place] ^= 0x10
    messages, error = decode(HELLO + bytes(broken) + HELLO)
    assert messages == [({":event-type": "greeting"}, b"hello")]
    assert error is not None


@pytest.mark.parametrize(
    ("prelude", "complaint"),
    [
        (with_lengths(MAX_FRAME_BYTES + 1, 0), "message of"),
        (with_lengths(2**32 - 1, 0), "message of"),
        (with_lengths(MAX_HEADER_BYTES + 17, MAX_HEADER_BYTES + 1), "headers of"),
        (with_lengths(15, 0), "message of 15"),
        (with_lengths(0, 0), "message of 0"),
        (with_lengths(20, 5), "with headers of 5"),
    ],
)
def test_lengths_that_make_no_sense_are_refused_before_anything_is_held(prelude: bytes, complaint: str) -> None:
    decoder = EventStreamDecoder()
    assert decoder.feed(prelude) == []
    assert complaint in str(decoder.error)
    assert decoder.feed(b"x" * 1000) == []
    assert not decoder._held


@pytest.mark.parametrize(
    "block",
    [
        b"\x05ab",
        b"\x01h",
        b"\x01h\x0a",
        b"\x01h\x04\x00",
        b"\x01h\x07\x00",
        b"\x01h\x07\x00\x05ab",
        b"\x01h\x09ab",
        b"\x01\xff\x00",
        b"\x01h\x07\x00\x01\xff",
        b"\x01h\x00\x01h\x01",
    ],
)
def test_broken_headers(block: bytes) -> None:
    with pytest.raises(FramingError):
        decode_headers(block)
    assert decode(encode_frame(block, b""))[1] is not None


def test_what_is_remembered_of_headers_stays_small() -> None:
    decoder = EventStreamDecoder()
    for number in range(1000):
        decoder.feed(encode_message({"number": number, "filler": "x" * (number % 700)}, b""))
    assert len(decoder._known) <= 64
    assert sum(map(len, decoder._known)) <= 64 * 512


values = st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=20) | st.binary(max_size=20)
names = st.text(min_size=1, max_size=20)
plain = st.dictionaries(names, values, max_size=4)
narrow = st.sampled_from(
    [b"\x01n\x02\x80", b"\x02nn\x03\x80\x00", b"\x03nnn\x04\x80\x00\x00\x00", b"\x01t\x08" + b"\x01" * 8]
)
streams = st.lists(st.tuples(plain, st.lists(narrow, max_size=2, unique=True), st.binary(max_size=200)), max_size=4)


def botocores(stream: bytes) -> list[tuple[dict, bytes]]:
    from botocore.eventstream import EventStreamBuffer

    buffer = EventStreamBuffer()
    buffer.add_data(stream)
    return [(message.headers, message.payload) for message in buffer]


@given(streams, st.data())
def test_equal_to_botocore_on_generated_messages(contents: list, data: st.DataObject) -> None:
    names_taken = {"n", "nn", "nnn", "t"}
    blocks = [
        b"".join(encode_header(name, value) for name, value in headers.items() if name not in names_taken)
        + b"".join(more)
        for headers, more, _ in contents
    ]
    stream = b"".join(encode_frame(block, payload) for block, (_, _, payload) in zip(blocks, contents, strict=True))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=5)))
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert decode(*pieces) == (botocores(stream), None)


@given(st.binary(max_size=300))
def test_any_bytes_are_messages_or_an_error(data: bytes) -> None:
    whole, split = decode(data), decode(*each_byte(data))
    assert whole[0] == split[0]
    assert (whole[1] is None) == (split[1] is None)


@settings(max_examples=50)
@given(st.integers(0, 3 * len(HELLO) - 1), st.integers(0, 255))
def test_equal_to_botocore_on_broken_messages(place: int, value: int) -> None:
    broken = bytearray(HELLO * 3)
    broken[place] = value
    messages, error = decode(bytes(broken))
    try:
        theirs = botocores(bytes(broken))
    except Exception:  # noqa: BLE001  # botocore has several, and a struct error besides
        assert error is not None
    else:
        assert messages == theirs


@pytest.mark.corpus
@needs_corpus
def test_equal_to_botocore_on_every_recorded_stream() -> None:
    seen = 0
    for path in CORPUS.glob("bedrock/*/*.json"):
        encoded = json.loads(path.read_bytes())["response"].get("body_b64")
        if encoded:
            stream, seen = base64.b64decode(encoded), seen + 1
            assert decode(stream) == decode(*each_byte(stream)) == (botocores(stream), None)
    assert seen > 0
