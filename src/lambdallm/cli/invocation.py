"""One invocation on this machine: the context AWS would give, and what the function's calls to models came to."""

from __future__ import annotations

import time
import uuid

from .._value import Value
from ..core.frames import Text
from ..core.responses import comes_in_pieces
from ..runtime.response import Response
from ..runtime.streams import OnePiece, ResponseStream
from ..testing.mocks import MockLambdaContext

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any, TypeVar

    from ..core.context import LambdaLLMContext
    from ..llm.types import Completion

    N = TypeVar("N", int, float)


class LocalContext(MockLambdaContext):
    """AWS's context with a clock that counts down from `timeout` seconds.

    It takes streams of every source that can stream, keeps the `LambdaLLMContext` of the invocation as `seen`, and
    gives the handler another `model`. `failure_status` is what the handler would have answered with where its error is
    explained instead.
    """

    accepts_stream = True

    def __init__(self, name: str, timeout: float, model: str | None = None, request_id: str | None = None) -> None:
        identity = request_id or str(uuid.uuid4())
        super().__init__(int(timeout * 1000), name, memory_limit_in_mb=1024, aws_request_id=identity)
        self.seen: LambdaLLMContext | None = None
        self.failure_status: int | None = None
        self._model = model

    def on_context(self, context: LambdaLLMContext) -> None:
        """Called by the handler with the context it has made."""
        self.seen = context
        more = {"model": self._model} if self._model else {}
        context.settings = context.settings.replace(response_streaming=_SOURCES, **more)

    def takes_failure(self, status: int) -> bool:
        """Whether the error itself is wanted in the place of the response it would be: it is explained here."""
        if status < 500:
            return False
        self.failure_status = status
        return True

    @property
    def response_headers(self) -> dict[str, str]:
        """The headers that go with any response, such as a new session's id, as far as they are known."""
        return dict(self.seen.response_headers) if self.seen else {}


_SOURCES = ("function_url", "rest", "direct")


class Report(Value):
    """What an invocation took. Times are in milliseconds; sums are `None` where a part of them is unknown."""

    calls: tuple[Completion, ...]
    duration_ms: float
    first_token_ms: float | None = None

    @property
    def tokens_in(self) -> int | None:
        """All input tokens."""
        return _sum([None if call.usage is None else call.usage.input_tokens for call in self.calls])

    @property
    def tokens_out(self) -> int | None:
        """All output tokens."""
        return _sum([None if call.usage is None else call.usage.output_tokens for call in self.calls])

    @property
    def cost_usd(self) -> float | None:
        """US dollars."""
        return _sum([call.cost_usd for call in self.calls])

    @property
    def models(self) -> list[str]:
        """The models that answered, each once."""
        return list(dict.fromkeys(f"{call.provider}/{call.model}" for call in self.calls))

    def to_dict(self) -> dict[str, Any]:
        """The report, fit for JSON."""
        return {
            "calls": [_call(call) for call in self.calls],
            "tokens_in": self.tokens_in,
            "tokens_out": self.tokens_out,
            "cost_usd": self.cost_usd,
            "first_token_ms": _rounded(self.first_token_ms),
            "duration_ms": _rounded(self.duration_ms),
        }


def invoke(
    function: Callable[[Any, Any], Any], event: Any, context: LocalContext, show: Callable[[str], None]
) -> tuple[Any, Report]:
    """Run a function on one event: its result and the report. Pieces of a stream go to `show` as they come."""
    begun = time.perf_counter()
    result, first = function(event, context), None
    result = result.response if isinstance(result, OnePiece) else result
    if (pieces := _pieces(result)) is not None:
        texts = []
        for text in _decoded(pieces):
            first = first or time.perf_counter()
            texts.append(text)
            show(text)
        result = _in_one(result, "".join(texts))
    calls = tuple(context.seen.completions) if context.seen else ()
    first_ms = None if first is None else (first - begun) * 1000
    return result, Report(calls, (time.perf_counter() - begun) * 1000, first_ms)


def _pieces(result: Any) -> Iterable[bytes] | None:
    """What is sent of a result that comes in pieces, also of a function without the decorator."""
    if isinstance(result, ResponseStream):
        return result
    return map(Text().piece, result) if comes_in_pieces(result) and hasattr(result, "__iter__") else None


def _decoded(pieces: Iterable[bytes]) -> Iterator[str]:
    """The text of bytes that may be cut anywhere."""
    from codecs import getincrementaldecoder

    decoder = getincrementaldecoder("utf-8")("replace")
    for piece in pieces:
        if text := decoder.decode(piece):
            yield text
    if rest := decoder.decode(b"", final=True):
        yield rest


def _in_one(stream: Any, text: str) -> Any:
    """A streamed result in one piece: a response as it is sent to HTTP clients, else its text."""
    head = getattr(stream, "head", None)
    return text if head is None else Response(text, head.status, head.headers, head.cookies).for_direct()


def _sum(parts: Iterable[N | None]) -> N | None:
    known = list(parts)
    return None if None in known else sum(known)  # type: ignore[arg-type]  # no None is among them


def _call(call: Completion) -> dict[str, Any]:
    return {
        "provider": call.provider,
        "model": call.model,
        "tokens_in": call.usage.input_tokens if call.usage else None,
        "tokens_out": call.usage.output_tokens if call.usage else None,
        "cost_usd": call.cost_usd,
        "ms": _rounded(call.latency_ms),
        "first_token_ms": _rounded(call.time_to_first_token_ms),
        "finish_reason": call.finish_reason,
        "warnings": list(call.warnings),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
