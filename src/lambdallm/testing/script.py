"""Run a flow against a script: no network, no clock, no waiting. What a policy decides is what the log shows."""

from __future__ import annotations

from ..llm.flow import Clock, Close, Emit, Environment, Now, Open, Opened, Read, Send, Sleep
from ..llm.result import Err, Ok
from ..transport.types import HttpResponse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, TypeAlias, TypeVar

    from ..llm.errors import LLMError
    from ..llm.flow import Effect, Flow

    T = TypeVar("T")
    Reply: TypeAlias = HttpResponse | tuple[int, Sequence[bytes | LLMError]] | LLMError


class Script:
    """A world for flows: `replies` answer its requests in order, time passes only when the flow sleeps.

    A reply is an `HttpResponse`, a status with the pieces of a streamed body, or an error. `effects` is the log;
    `emitted` is what reached the reader.

        script = Script([HttpResponse(429), HttpResponse(200, body=b"{}")])
        script.run(chat(request, target, CallSettings()))
        assert [effect.seconds for effect in script.of(Sleep)] == [1.0]
    """

    def __init__(self, replies: Sequence[Reply] = (), environ: Mapping[str, str] | None = None) -> None:
        self._replies = list(replies)
        self._environ = dict(environ or {})
        self._pieces: list[bytes | LLMError] = []
        self.clock = Clock(1_000.0, 1_700_000_000.0)
        self.effects: list[Effect] = []
        self.emitted: list[Any] = []

    def run(self, flow: Flow[T]) -> T:
        """The flow's value. Raises `AssertionError` when it sends more than the script answers."""
        outcome: Any = None
        try:
            while True:
                effect = flow.send(outcome)
                self.effects.append(effect)
                outcome = self._outcome(effect)
        except StopIteration as stop:
            value: T = stop.value
            return value

    def of(self, kind: type[T]) -> list[T]:
        """The effects of one kind, in order."""
        return [effect for effect in self.effects if isinstance(effect, kind)]

    def _outcome(self, effect: Effect) -> Any:
        match effect:
            case Send() | Open():
                return self._reply(effect)
            case Read():
                piece = self._pieces.pop(0) if self._pieces else b""
                return Ok(piece) if isinstance(piece, bytes) else Err(piece)
            case Emit():
                self.emitted.extend(effect.items)
            case Sleep():
                passed = self.clock
                self.clock = Clock(passed.monotonic + effect.seconds, passed.wall + effect.seconds)
            case Now():
                return self.clock
            case Environment():
                return self._environ
            case Close():
                self._pieces = []
        return None

    def _reply(self, effect: Send | Open) -> Any:
        assert self._replies, f"The script has no answer left for {effect.request!r}."
        reply = self._replies.pop(0)
        if isinstance(reply, Exception):
            return Err(reply)
        if isinstance(effect, Send):
            return Ok(reply)
        if isinstance(reply, HttpResponse):
            reply = (reply.status, [reply.body])
        self._pieces = list(reply[1])
        return Ok(Opened(reply[0], (), self))
