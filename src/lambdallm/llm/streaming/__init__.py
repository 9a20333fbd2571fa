"""Streams of chunks: measuring them, reading foreign ones, merging several, relaying them, putting them together.

    with SSEStreamAdapter("openai_chat").adapt(response.iter_bytes()) as stream:   # any library's response
        for text in stream.texts():
            print(text, end="")
    print(stream.completion.usage)

`lambdallm.llm.streaming.sync` has the same names for those who don't await. To read a format of your own, subclass
`AbstractStreamingAdapter`.
"""

from __future__ import annotations

from ..._door import door

_HOMES = {
    "AbstractStreamingAdapter": "adapter",
    "SSEStreamAdapter": "adapter",
    "Accumulator": "accumulator",
    "AsyncChatStream": "stream",
    "AsyncStream": "stream",
    "ChatStream": "stream",
    "Stream": "stream",
    "ParallelStreamAggregator": "parallel",
    "SourceChunk": "merge",
    "StreamingResponse": "response",
    "to_sse": "relay",
}

__all__ = [
    "AbstractStreamingAdapter",
    "Accumulator",
    "AsyncChatStream",
    "AsyncStream",
    "ChatStream",
    "ParallelStreamAggregator",
    "SSEStreamAdapter",
    "SourceChunk",
    "Stream",
    "StreamingResponse",
    "to_sse",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .accumulator import Accumulator
    from .adapter import AbstractStreamingAdapter, SSEStreamAdapter
    from .merge import SourceChunk
    from .parallel import ParallelStreamAggregator
    from .relay import to_sse
    from .response import StreamingResponse
    from .stream import AsyncChatStream, AsyncStream, ChatStream, Stream

__getattr__, __dir__ = door(__name__, _HOMES)
