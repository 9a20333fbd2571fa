"""Results that come in pieces are followed to their end."""

import asyncio

import pytest

from lambdallm.llm.types import StreamChunk
from lambdallm.middleware.streamed import followed, is_stream, status_of, text_of
from lambdallm.runtime.response import Response

from .worlds import Awaiting, Place


class Watch:
    """What is seen of a stream, and how it ended."""

    def __init__(self):
        self.seen, self.ends = [], []

    def ended(self, reason):
        yield from ()
        self.ends.append(type(reason).__name__)


def pieces(*items):
    """Items in turn; an error among them is raised."""
    for item in items:
        if isinstance(item, Exception):
            raise item
        yield item


async def awaited_pieces(*items):
    for item in pieces(*items):
        yield item


@pytest.fixture(params=["read", "awaited"])
def read(request):
    """Reads so many pieces of a followed stream, then leaves."""

    def blocking(watch, *items, upto=99):
        stream = followed(pieces(*items), Place(False).world, watch.ended, watch.seen.append)
        got = [piece for piece, _ in zip(stream, range(upto), strict=False)]
        stream.close()
        return got

    def awaiting(watch, *items, upto=99):
        async def reading():
            stream = followed(awaited_pieces(*items), Awaiting(Place(False).world), watch.ended, watch.seen.append)
            got = []
            async for piece in stream:
                got.append(piece)
                if len(got) == upto:
                    break
            await stream.aclose()
            return got

        return asyncio.run(reading())

    return blocking if request.param == "read" else awaiting


def test_to_the_end(read):
    watch = Watch()
    assert read(watch, "a", "b") == ["a", "b"]
    assert (watch.seen, watch.ends) == (["a", "b"], ["NoneType"])


def test_to_an_error(read):
    watch = Watch()
    with pytest.raises(KeyError):
        read(watch, "a", KeyError("x"))
    assert watch.ends == ["KeyError"]


def test_to_where_the_reader_leaves(read):
    watch = Watch()
    assert read(watch, "a", "b", upto=1) == ["a"]
    assert watch.ends == ["GeneratorExit"]


def test_the_text_alone():
    chunks = [StreamChunk(delta="Hel"), StreamChunk(), "lo", {"n": 1}]
    watch = Watch()
    stream = followed(iter(chunks), Place(False).world, watch.ended)
    assert "".join(stream.texts()) == 'Hello{"n": 1}'

    async def awaiting():
        stream = followed(awaited_pieces(*chunks), Awaiting(Place(False).world), watch.ended)
        return [text async for text in stream.texts()]

    assert asyncio.run(awaiting()) == ["Hel", "lo", '{"n": 1}']
    assert [text_of(chunk) for chunk in chunks] == ["Hel", "", "lo", '{"n": 1}']


@pytest.mark.parametrize(
    ("result", "streams", "status"),
    [
        ("text", False, None),
        (None, False, None),
        ({"statusCode": 201}, False, 201),
        ({"status": 201}, False, None),
        (Response(None, 204), False, 204),
        (iter("ab"), True, None),
        (["a"], False, None),
    ],
)
def test_what_a_result_is(result, streams, status):
    assert (is_stream(result), status_of(result)) == (streams, status)


@pytest.mark.parametrize("awaiting", [False, True])
def test_who_leaves_before_the_first_piece_closes_the_stream_too(awaiting):
    watch, closed = Watch(), []

    class Unread:
        def __next__(self):
            raise AssertionError("nobody reads it")

        def close(self):
            closed.append("closed")

    class AwaitedUnread:
        def __aiter__(self):
            return self

        async def aclose(self):
            closed.append("closed")

    async def leave():
        stream = followed(AwaitedUnread(), Awaiting(Place(False).world), watch.ended)
        await stream.aclose()
        await stream.aclose()
        assert [piece async for piece in stream] == []

    if awaiting:
        asyncio.run(leave())
    else:
        stream = followed(Unread(), Place(False).world, watch.ended)
        stream.close()
        stream.close()
        assert list(stream) == []
    assert (closed, watch.ends) == (["closed"], ["GeneratorExit"])
