"""The stored form: every answer comes back equal, and nothing that is not one ever comes back."""

import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdallm.llm.caching.entry import CacheEntry, decode_entry, encode_entry
from lambdallm.llm.result import Ok
from lambdallm.llm.routing.decision import RoutingDecision
from lambdallm.llm.streaming.accumulator import Accumulator, as_chunks
from lambdallm.llm.types import (
    AudioPart,
    ChatMessage,
    Choice,
    Completion,
    DocumentPart,
    ImagePart,
    ProviderPart,
    ReasoningPart,
    RefusalPart,
    StreamChunk,
    TextPart,
    ToolCall,
    ToolCallDelta,
    ToolResult,
    Usage,
)
from lambdallm.testing.conformance.decode import _codec, _response, pieces
from lambdallm.testing.conformance.table import find
from recorded import recordings

EVERYTHING = Completion(
    (
        Choice(
            ChatMessage(
                "assistant",
                (
                    ReasoningPart(
                        "hm", signature="s=", encrypted="e", id="r", metadata={"summary": ["a", {"b": None}]}
                    ),
                    TextPart("Zürich 東京 \ud800 \x00", citations=({"start": 1},), metadata={"$": "TextPart"}),
                    RefusalPart("no"),
                    ImagePart(data=bytes(range(256)), media_type="image/png"),
                    ImagePart(url="https://x"),
                    AudioPart(b"", "audio/wav"),
                    DocumentPart(file_id="f", name="n"),
                    ToolCall.from_json("1", "f", '{"a": [1, 2.5, 1e300, null, true]}', {"index": 0}),
                    ToolCall("2", "g", None, "no json"),
                    ToolResult("1", (TextPart("r"),), is_error=True),
                    ProviderPart("web_search_call", {"action": {"q": ("a", "b")}}, "openai_responses"),
                ),
                name="n",
                metadata={"choices": {0: {"$ref": 1}}, "pairs": [(1, 2)]},
            ),
            "tool_calls",
            "tool_use",
            1,
            {"logprobs": {"content": [{"token": "a", "logprob": -0.1}]}},
        ),
        Choice(ChatMessage("assistant", "plain"), "stop"),
    ),
    usage=Usage(9, 8, 7, 6, 5, {"n": 1}, (1, 2)),
    model="m",
    id="i",
    provider="p",
    cost_usd=0.25,
    warnings=("w",),
    metadata={"created": 1},
)
CHUNKS = (
    StreamChunk("H", metadata={"id": "i"}),
    StreamChunk(tool_calls=(ToolCallDelta(0, "1", "f", '{"a"'),), block=2),
    StreamChunk(part=ReasoningPart(signature="s")),
    StreamChunk(finish_reason="stop", usage=Usage(1, 1)),
)


@pytest.mark.parametrize("compress_over", [None, 0])
def test_an_entry_comes_back_equal(compress_over):
    for entry in (CacheEntry(EVERYTHING), CacheEntry(EVERYTHING, CHUNKS), CacheEntry(Completion(()), ())):
        back = decode_entry(encode_entry(entry, compress_over=compress_over))
        assert back == entry
        assert repr(back) == repr(entry)


def test_it_is_json_after_a_version_a_form_and_a_checksum():
    data = encode_entry(CacheEntry(Completion((Choice(ChatMessage("assistant", "Hi"), "stop"),))))
    version, form, checksum, body = data.split(b" ", 3)
    assert (version, form) == (b"v1", b"j")
    assert int(checksum, 16) == zlib.crc32(body)
    message = {"$": "ChatMessage", "role": "assistant", "content": "Hi"}
    assert json.loads(body) == {
        "$": "CacheEntry",
        "completion": {"$": "Completion", "choices": [{"$": "Choice", "message": message, "finish_reason": "stop"}]},
    }


def test_long_text_is_compressed_where_that_is_asked_for():
    entry = CacheEntry(Completion((Choice(ChatMessage("assistant", "word " * 10_000), "stop"),)))
    assert len(encode_entry(entry, compress_over=2048)) < 2_000 < len(encode_entry(entry))
    assert decode_entry(encode_entry(entry, compress_over=2048)) == entry


def test_how_a_router_chose_is_not_kept():
    routed = CacheEntry(EVERYTHING.replace(routing=RoutingDecision("cost", "a/b")))
    assert decode_entry(encode_entry(routed)) == CacheEntry(EVERYTHING)


def test_what_is_no_json_can_t_be_stored():
    for metadata in ({"x": object()}, {"x": {1, 2}}, {"x": RoutingDecision("a", None)}):
        with pytest.raises(TypeError):
            encode_entry(CacheEntry(Completion((), metadata=metadata)))


STORED = [encode_entry(CacheEntry(EVERYTHING, CHUNKS), compress_over=over) for over in (None, 0)]


@given(st.sampled_from(STORED), st.data())
def test_a_changed_byte_is_noticed_wherever_it_is(stored, data):
    at = data.draw(st.integers(0, len(stored) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != stored[at]))
    assert decode_entry(stored[:at] + bytes([other]) + stored[at + 1 :]) is None


@given(st.sampled_from(STORED), st.data())
def test_a_cut_entry_is_none(stored, data):
    assert decode_entry(stored[: data.draw(st.integers(0, len(stored) - 1))]) is None


@given(st.binary())
def test_anything_else_is_none(data):
    assert decode_entry(data) is None


def sealed(text):
    return b"v1 j %08x %b" % (zlib.crc32(text), text)


@pytest.mark.parametrize(
    "text",
    [
        b"1",
        b"[]",
        b"{}",
        b'{"$":"Completion","choices":[]}',
        b'{"$":"Popen","args":"ls"}',
        b'{"$":"CacheEntry"}',
        b'{"$":"CacheEntry","completion":null}',
        b'{"$":"CacheEntry","completion":{"$":"Completion","choices":[]},"more":1}',
        b'{"$":{}}',
        b'{"$b":"x"}',
        b'{"$b":1}',
        b'{"$d":[1]}',
        b"[" * 100_000,
        b"\xff",
    ],
)
def test_a_whole_entry_that_says_something_else_is_none(text):
    assert decode_entry(sealed(text)) is None
    assert decode_entry(sealed(text).replace(b"v1 j", b"v1 z")) is None
    assert decode_entry(sealed(text).replace(b"v1", b"v2")) is None


words = st.text(max_size=8) | st.sampled_from(["$", "$b", "$t", "$d", "$ref"])
metadata = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | words | st.binary(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(words | st.integers(), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(st.dictionaries(words, metadata, max_size=4))
def test_metadata_comes_back_type_for_type(metadata):
    entry = CacheEntry(Completion((), metadata=metadata))
    back = decode_entry(encode_entry(entry))
    assert back == entry
    assert repr(back) == repr(entry)


def recorded(path):
    """A recorded response's codec, and the response."""
    exchange = json.loads(path.read_bytes())
    row = find(exchange["provider"], exchange["api"]).for_model(exchange.get("model") or "")
    return _codec(row.codec), exchange["stream"], *_response(exchange["response"])


def answered(exchange):
    kind = (exchange.get("expected") or {}).get("kind")
    return kind in ("chat", "stream_error") and find(exchange["provider"], exchange["api"]) is not None


@pytest.mark.corpus
@recordings("*/*", holds=answered)
def test_every_recorded_answer_comes_back_equal(path):
    codec, streamed, status, headers, body = recorded(path)
    if streamed:
        decoder = codec.StreamDecoder()
        chunks = [chunk for piece in pieces(body, 7) for chunk in decoder.feed(piece)] + decoder.close()
    else:
        result = codec.decode_response(status, headers, body)
        completion = result.value if isinstance(result, Ok) else result.error.partial
        chunks = as_chunks(completion or Completion(()))
        assert decode_entry(encode_entry(CacheEntry(completion or Completion(())))).completion == (
            completion or Completion(())
        )
    accumulator = Accumulator()
    accumulator.add(chunks)
    entry = CacheEntry(accumulator.completion(), tuple(chunks))
    for compress_over in (None, 0):
        back = decode_entry(encode_entry(entry, compress_over=compress_over))
        assert back == entry
        assert repr(back) == repr(entry)
