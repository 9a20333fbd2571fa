"""How pieces are written: one event or line for each, whatever is in it, and a format that the client wants."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdallm.core.frames import FORMATS, Events, Lines, Raw, Text, format_for
from lambdallm.llm.structured.partial import Partial
from lambdallm.llm.types import StreamChunk, TextPart, Usage
from server_events import events

FACTS = {"finish_reason": "stop"}


class TestEvents:
    def test_a_piece_of_text_and_a_value_are_messages(self):
        stream = Events().piece("Hel") + Events().piece({"step": 1}) + Events().piece([1, None])
        assert stream == b'data: {"text":"Hel"}\n\ndata: {"step":1}\n\ndata: [1,null]\n\n'

    def test_what_ends_them_has_a_name(self):
        form = Events()
        stream = form.done(FACTS) + form.truncated(FACTS) + form.failed({"type": "internal"})
        assert events(stream) == [
            ("done", '{"finish_reason":"stop"}'),
            ("truncated", '{"finish_reason":"stop"}'),
            ("error", '{"type":"internal"}'),
        ]

    @given(
        st.lists(
            st.text(st.characters(exclude_categories=())) | st.sampled_from(["\r", "\n", "\r\n", "\n\n", "\u2028"])
        )
    )
    def test_any_text_survives(self, pieces):
        stream = b"".join(map(Events().piece, pieces))
        assert [json.loads(data)["text"] for _, data in events(stream)] == [piece for piece in pieces if piece]


class TestLines:
    def test_each_piece_is_a_line(self):
        form = Lines()
        stream = form.piece("a\nb") + form.piece({"n": 1}) + form.done(FACTS) + form.truncated({}) + form.failed({})
        assert [json.loads(line) for line in stream.decode().split("\n")[:-1]] == [
            {"text": "a\nb"}, {"n": 1}, {"done": FACTS}, {"truncated": {}}, {"error": {}},
        ]  # fmt: skip

    @given(st.lists(st.text(st.characters(exclude_categories=())), min_size=1))
    def test_any_text_survives(self, pieces):
        stream = b"".join(map(Lines().piece, pieces))
        assert [json.loads(line)["text"] for line in stream.split(b"\n")[:-1]] == [piece for piece in pieces if piece]


class TestText:
    def test_is_as_it_is_and_ends_without_a_word_but_the_notice(self):
        form = Text("\n[cut]\n")
        assert [form.piece("grüß"), form.piece(b"\xff"), form.piece({"a": 1})] == ["grüß".encode(), b"\xff", b'{"a":1}']
        assert [form.done(FACTS), form.truncated(FACTS), form.failed(FACTS)] == [b"", b"\n[cut]\n", b""]
        assert Text(None).truncated(FACTS) == b""

    def test_half_of_a_surrogate_pair_breaks_nothing(self):
        assert Text().piece("\ud83d") == b"?"

    def test_raw_has_no_notice(self):
        assert Raw("cut").truncated(FACTS) == b""


class TestPieces:
    @pytest.mark.parametrize(
        ("piece", "said"),
        [
            (StreamChunk("Hi"), "Hi"),
            (StreamChunk(thinking="Hm"), None),
            (StreamChunk(part=TextPart("cited")), "cited"),
            (StreamChunk("other choice", index=1), None),
            (StreamChunk(usage=Usage(1, 2)), None),
            (Partial(lambda: {"name": "A"}), {"name": "A"}),
            (None, None),
            ("", None),
            (0, 0),
            ({}, {}),
            (TextPart("as an object"), {"text": "as an object", "citations": [], "metadata": {}}),
        ],
    )
    def test_of_a_model_the_text_goes_out_and_of_what_says_nothing_nothing(self, piece, said):
        line = Lines().piece(piece)
        told = {"text": said} if isinstance(said, str) else said
        assert (json.loads(line) if line else None) == told

    def test_bytes_in_json_are_base64(self):
        assert Lines().piece(b"\xff\x00") == b'{"base64":"/wA="}\n'
        assert Lines().piece(b"") == b""

    @pytest.mark.parametrize("piece", [float("nan"), object(), {"a": {1j}}])
    def test_what_json_has_no_word_for_is_an_error(self, piece):
        with pytest.raises((TypeError, ValueError)):
            Events().piece(piece)


@pytest.mark.parametrize(
    ("accept", "first", "format"),
    [
        (None, "text", "text"),
        (None, {"a": 1}, "ndjson"),
        (None, 0, "ndjson"),
        (None, b"bytes", "raw"),
        (None, None, "text"),
        (None, StreamChunk("Hi"), "text"),
        ("*/*", {"a": 1}, "ndjson"),
        ("text/event-stream", "text", "sse"),
        ("TEXT/Event-Stream; charset=utf-8", "text", "sse"),
        ("application/json, text/event-stream", {"a": 1}, "sse"),
        ("application/x-ndjson", "text", "ndjson"),
        ("application/jsonl", "text", "ndjson"),
        ("text/plain", {"a": 1}, "text"),
        ("text/event-stream;q=0.5, application/x-ndjson;q=0.9", "text", "ndjson"),
        ("text/event-stream;q=0, */*", "text", "text"),
        ("text/event-stream;q=much", "text", "sse"),
        ("text/event-stream", b"bytes", "raw"),
        ("application/json", "text", "text"),
    ],
)
def test_the_format_is_the_client_s_wish_or_the_first_piece_s(accept, first, format):
    assert format_for(accept, first) == format


def test_media_types():
    assert {name: kind.media_type for name, kind in FORMATS.items()} == {
        "sse": "text/event-stream",
        "ndjson": "application/x-ndjson",
        "text": "text/plain; charset=utf-8",
        "raw": "application/octet-stream",
    }
