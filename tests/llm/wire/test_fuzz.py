"""No input makes a decoder raise anything but our errors, hang, or hold much more than it was given: all codecs.

The stated bound of memory: 32 times the input and 2 MB, beyond what parsing its JSON takes; a frame is at most 24 MiB.
"""

from __future__ import annotations

import json
import time
import tracemalloc
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambdallm.llm.errors import CallerError, LLMError
from lambdallm.llm.result import Err
from lambdallm.llm.streaming.accumulator import Accumulator
from lambdallm.llm.types import ChatMessage, ChatRequest
from wire_fuzz import bodies, codecs, dumped, events, objects, values

ALL = pytest.mark.parametrize("codec", codecs().values(), ids=codecs().keys())
STREAMED = pytest.mark.parametrize(
    "codec",
    [codec for codec in codecs().values() if hasattr(codec, "StreamDecoder")],
    ids=[name for name, codec in codecs().items() if hasattr(codec, "StreamDecoder")],
)
DIALECTS = pytest.mark.parametrize(
    "codec",
    [codec for codec in codecs().values() if hasattr(codec, "StreamEncoder")],
    ids=[name for name, codec in codecs().items() if hasattr(codec, "StreamEncoder")],
)
often = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
TIMES, SPARE = 32, 2 * 1024 * 1024
REQUEST = ChatRequest("m", (ChatMessage("user", "Hi"),))


@ALL
@often
@given(body=bodies(), status=st.sampled_from([200, 201, 400, 401, 404, 429, 500, 529]))
def test_any_answer_is_read_or_is_an_error(codec: Any, body: bytes, status: int) -> None:
    result = codec.decode_response(200, (), body)
    assert not isinstance(result, Err) or isinstance(result.error, LLMError)
    assert isinstance(codec.decode_error(status, (("retry-after", "soon"),), body), LLMError)


@STREAMED
@often
@given(pieces=st.lists(events(), max_size=8), cut=st.integers(1, 50))
def test_any_stream_is_read_or_is_an_error(codec: Any, pieces: list[bytes], cut: int) -> None:
    body = b"".join(pieces)
    whole, parts = codec.StreamDecoder(), codec.StreamDecoder()
    chunks = [*whole.feed(body), *whole.close()]
    split = [chunk for at in range(0, len(body), cut) for chunk in parts.feed(body[at : at + cut])] + parts.close()
    for decoder in (whole, parts):
        assert decoder.error is None or isinstance(decoder.error, LLMError)
    assert _told(chunks) == _told(split)
    assert str(whole.error) == str(parts.error)


def _told(chunks: list[Any]) -> Any:
    accumulator = Accumulator()
    accumulator.add(chunks)
    return accumulator.completion()


@DIALECTS
@often
@given(body=bodies())
def test_any_request_is_read_or_is_the_callers_error(codec: Any, body: bytes) -> None:
    try:
        request = codec.decode_request(body, model="m", stream=False)
    except CallerError:
        return
    assert isinstance(request, ChatRequest)


@DIALECTS
@often
@given(whole=objects(values()), pieces=st.lists(events(), max_size=6))
def test_whatever_was_read_can_be_written(codec: Any, whole: Any, pieces: list[bytes]) -> None:
    """What any codec reads, however odd, every dialect says in valid JSON."""
    for other in codecs().values():
        if "chat" not in other.PATHS:
            continue
        result = other.decode_response(200, (), dumped(whole))
        if isinstance(result, Err):
            codec.encode_error(result.error)
        else:
            json.loads(codec.encode_response(result.value, REQUEST, id="x", created=1))
        decoder = other.StreamDecoder()
        encoder = codec.StreamEncoder(REQUEST, id="x", created=1)
        written = encoder.feed([*decoder.feed(b"".join(pieces)), *decoder.close()])
        written += encoder.close() if decoder.error is None else encoder.fail(decoder.error)
        assert written


BULKY = {
    "an endless line": b"data: " + b"x" * 400_000,
    "endless blank lines": b"\n" * 100_000,
    "many small events": b'data: {"x":1}\n\n' * 12_000,
    "many lines of one event": b"data: 1\n" * 40_000,
    "deep JSON": b"data: " + b"[" * 100_000 + b"\n\n",
    "deep objects": b'data: {"choices":' + b'{"a":' * 40_000 + b"\n\n",
    "a deep line": b'{"a":' * 40_000 + b"\n",
    "one long text": b'data: {"choices":[{"index":0,"delta":{"content":"' + b"a" * 400_000 + b'"}}]}\n\n',
    "bytes": bytes(range(256)) * 1_500,
    "an event stream's header": b"\x00\xff\xff\xff" * 100_000,
    "many indexes": b"".join(
        b'data: {"choices":[{"index":%d,"delta":{"tool_calls":[{"index":%d}]}}]}\n\n' % (n, n * 10**6)
        for n in range(20_000)
    ),
}


@STREAMED
@pytest.mark.parametrize("kind", BULKY)
def test_bulk_takes_bounded_time_and_memory(codec: Any, kind: str) -> None:
    data = BULKY[kind]
    decoder = codec.StreamDecoder()
    begun = time.process_time()
    tracemalloc.start()
    try:
        for at in range(0, len(data), 4096):
            decoder.feed(data[at : at + 4096])
        decoder.close()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < TIMES * len(data) + SPARE
    assert time.process_time() - begun < 20
