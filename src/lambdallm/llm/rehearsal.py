"""Rehearsing a call: everything that a first call of a model does, but for sending it.

A snapshot is taken once and restored many times, so what is loaded before it is loaded for all. A rehearsal encodes a
request, signs it, reads an answer that was written down beforehand, and throws it away. Nobody is asked, nothing is
spent, and no key is read: where one is needed, a word stands for it.
"""

from __future__ import annotations

import os

from ..transport.types import HttpResponse
from .drivers.blocking import AT_ONCE, Driver
from .errors import LambdaLLMError
from .flow import Environment, Sleep, Tell

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from ..transport.types import Headers, HttpRequest, Timeouts
    from .catalog.resolve import Target
    from .flow import Flow

_WORD = "rehearsal"
_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")

_ANSWERS = {
    "anthropic_messages": b'{"type":"message","role":"assistant","content":[{"type":"text","text":"Hi"}],'
    b'"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":1}}',
    "bedrock_converse": b'{"output":{"message":{"role":"assistant","content":[{"text":"Hi"}]}},'
    b'"stopReason":"end_turn","usage":{"inputTokens":1,"outputTokens":1,"totalTokens":2}}',
    "cohere_chat": b'{"message":{"role":"assistant","content":[{"type":"text","text":"Hi"}]},'
    b'"finish_reason":"COMPLETE","usage":{"tokens":{"input_tokens":1,"output_tokens":1}}}',
    "gemini": b'{"candidates":[{"content":{"role":"model","parts":[{"text":"Hi"}]},"finishReason":"STOP"}],'
    b'"usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":1,"totalTokenCount":2}}',
    "ollama_chat": b'{"message":{"role":"assistant","content":"Hi"},"done":true,"done_reason":"stop",'
    b'"prompt_eval_count":1,"eval_count":1}',
    "openai_chat": b'{"choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}',
    "openai_responses": b'{"status":"completed","output":[{"type":"message","role":"assistant","content":'
    b'[{"type":"output_text","text":"Hi","annotations":[]}]}],"usage":{"input_tokens":1,"output_tokens":1}}',
}
"""The shortest whole answers, by wire protocol. One without is rehearsed as far as to reading that it is malformed."""


class RehearsalDriver(Driver):
    """Performs the flows of calls to one model without a network, a wait, a key or a listener."""

    def __init__(self, target: Target) -> None:
        super().__init__()
        environ = _with_words(target, os.environ)
        self._stage = _Stage(_ANSWERS.get(target.wire, b"{}"))
        self._perform |= {**AT_ONCE, Environment: lambda _: environ, Sleep: _nothing, Tell: _nothing}

    def rehearse(self, flow: Flow[Any], *, streams: bool = False) -> None:
        """Perform a flow, whatever comes of it."""
        try:
            if streams:
                for _ in self.iterate(flow):
                    continue
            else:
                self.run(flow)
        except LambdaLLMError:
            return  # of an answer that is not this protocol's

    def _transport(self, via: str) -> Any:
        return self._stage


class _Stage:
    """Stands for the network: every request gets the same answer."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer

    def send(self, request: HttpRequest, timeouts: Timeouts) -> HttpResponse:
        return HttpResponse(200, (), self._answer)

    def open(self, request: HttpRequest, timeouts: Timeouts) -> _Silence:
        return _Silence()

    def close(self) -> None:
        return


class _Silence:
    """The stream of an answer that ends at once."""

    status = 200
    headers: Headers = ()

    def __iter__(self) -> Iterator[bytes]:
        return iter(())

    def close(self) -> None:
        return


def _with_words(target: Target, environ: Mapping[str, str]) -> dict[str, str]:
    """The environment, with a word for every key that the provider may want."""
    names = [name for scheme in target.provider.auth for name in scheme.env]
    return {**environ, **dict.fromkeys((*names, *_KEYS), _WORD)}


def _nothing(_effect: object) -> None:
    return None
