"""Stand-ins for tests: a provider with scripted answers, the decorator that puts it in charge, and AWS's context."""

from __future__ import annotations

import time
from _thread import allocate_lock
from itertools import count

from .._value import Value
from ..llm.models import ModelResponse
from ..llm.types import Embeddings
from ..providers.base import BaseProvider
from ..providers.registry import stand_in, step_down

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from types import TracebackType
    from typing import Any, TypeAlias, TypeVar

    from ..llm.models import ModelConfig

    Answer: TypeAlias = str | Mapping[str, Any] | list[Any] | ModelResponse | BaseException | Callable[[str], Any]
    F = TypeVar("F", bound=Callable[..., Any])


_numbers = count(1)


class MockCall(Value):
    """A call that a `MockProvider` answered."""

    prompt: str
    config: ModelConfig


class MockProvider(BaseProvider):
    """Answers with what it was given, in order, and keeps the calls in `calls`.

    An answer is text, data (sent as JSON), a `ModelResponse`, an exception (raised), or a function of the prompt. One
    answer serves every call; of several, each serves one, and a call beyond the last fails the test.
    """

    def __init__(self, responses: Sequence[Answer] = ("Mock response",), *, cost_usd: float | None = 0.0) -> None:
        if isinstance(responses, str):
            responses = (responses,)
        self._responses = tuple(responses)
        self._cost_usd = cost_usd
        self.calls: list[MockCall] = []
        self._lock = allocate_lock()

    def invoke(self, prompt: str, config: ModelConfig) -> ModelResponse:
        """The next answer. Raises `AssertionError` when there is none left."""
        with self._lock:
            self.calls.append(MockCall(prompt, config))
            answer = self._next()
        if callable(answer) and not isinstance(answer, type):
            answer = answer(prompt)
        if isinstance(answer, BaseException):
            raise answer
        if isinstance(answer, ModelResponse):
            return answer
        text = answer if isinstance(answer, str) else _json(answer)
        words_in, words_out = len(prompt.split()), len(text.split())
        return ModelResponse(text, config.model_id, words_in, words_out, 0.0, self._cost_usd, "stop")

    def stream(self, prompt: str, config: ModelConfig) -> Iterator[str]:
        """The next answer, word by word."""
        words = self.invoke(prompt, config).content.split(" ")
        yield words[0]
        yield from (f" {word}" for word in words[1:])

    def supports_streaming(self) -> bool:
        """It does."""
        return True

    def supports_schema(self) -> bool:
        """It does, so that prompts reach it as they were written."""
        return True

    def embed(self, texts: Sequence[str], model: str) -> Embeddings:
        """Vectors of 8 numbers: the same text has the same, whatever else is asked."""
        from hashlib import sha256

        vectors = (tuple((byte - 127.5) / 128 for byte in sha256(text.encode()).digest()[:8]) for text in texts)
        return Embeddings(tuple(vectors), model=model, provider=type(self).__name__, cost_usd=self._cost_usd)

    def _next(self) -> Any:
        number = len(self.calls)
        if len(self._responses) == 1:
            return self._responses[0]
        if number > len(self._responses):
            raise AssertionError(f"Call {number} to a mock with {len(self._responses)} responses. Give it more.")
        return self._responses[number - 1]


class mock_model:
    """Put a `MockProvider` in charge of every model, for a test function (`async` ones too) or a `with` block.

    @mock_model(responses=["Test response"])
    def test_my_handler():
        assert my_handler({}, MockLambdaContext())["body"] == "Test response"

    with mock_model(responses=["Hi"]) as model:
        my_handler({}, MockLambdaContext())
    assert model.calls[0].prompt == "Hello"
    """

    def __init__(self, responses: Sequence[Answer] = ("Mock response",), *, cost_usd: float | None = 0.0) -> None:
        self._options: Any = {"responses": responses, "cost_usd": cost_usd}
        self._entered: list[MockProvider] = []

    def __enter__(self) -> MockProvider:
        provider = MockProvider(**self._options)
        self._entered.append(provider)
        stand_in(provider)
        return provider

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        step_down(self._entered.pop())

    def __call__(self, function: F) -> F:
        """The function, run with the mock in charge."""
        from functools import wraps
        from inspect import iscoroutinefunction

        if iscoroutinefunction(function):

            @wraps(function)
            async def awaited(*args: Any, **kwargs: Any) -> Any:
                with self:
                    return await function(*args, **kwargs)

            return awaited  # type: ignore[return-value]  # the same signature, kept by wraps

        @wraps(function)
        def run(*args: Any, **kwargs: Any) -> Any:
            with self:
                return function(*args, **kwargs)

        return run  # type: ignore[return-value]  # the same signature, kept by wraps


class MockLambdaContext:
    """AWS's context object with a real clock: `get_remaining_time_in_millis` counts down from `remaining_time_ms`.

    Each has a request id of its own, as each invocation has. With `accepts_stream` it is a runtime that takes answers
    piece by piece, as LambdaLLM's does.
    """

    accepts_stream = False

    def __init__(
        self,
        remaining_time_ms: int = 30_000,
        function_name: str = "test-function",
        function_version: str = "$LATEST",
        memory_limit_in_mb: int = 128,
        aws_request_id: str | None = None,
        *,
        accepts_stream: bool | None = None,
    ) -> None:
        if accepts_stream is not None:
            self.accepts_stream = accepts_stream
        self.function_name = function_name
        self.function_version = function_version
        self.memory_limit_in_mb = memory_limit_in_mb
        self.aws_request_id = aws_request_id or f"00000000-0000-0000-0000-{next(_numbers):012d}"
        self.invoked_function_arn = f"arn:aws:lambda:us-east-1:000000000000:function:{function_name}"
        self.log_group_name = f"/aws/lambda/{function_name}"
        self.log_stream_name = "test"
        self.identity = None
        self.client_context = None
        self._ends = time.monotonic() + remaining_time_ms / 1000

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the function would be stopped, never below 0."""
        return max(0, int((self._ends - time.monotonic()) * 1000))


def _json(answer: Any) -> str:
    import json

    return json.dumps(answer, ensure_ascii=False)
