"""A request in the protocol of its target: it passes through as it came, but for the model's name and the key.

Of what comes back only usage is read, and a stream's bytes are the provider's own. Where a stream has to be ended
here (its time is up, its provider breaks off), what has come is decoded then, so that its end fits to it.
"""

from __future__ import annotations

from ...llm.call import prepared
from ...llm.errors import StreamError
from ...llm.flow import NOW, Emit, Open, Read, Send
from ...llm.pipeline import broken_off, error_body
from ...llm.result import Err, Ok
from ...llm.retry import RetryPolicy, retried
from ...llm.wire.codec import Encoded
from ..body import with_model, with_usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ...llm.call import CallSettings, Prepared
    from ...llm.catalog.resolve import Target
    from ...llm.errors import LambdaLLMError
    from ...llm.flow import Flow
    from ...llm.result import Result
    from ...llm.streaming.record import StreamRecord
    from ...llm.types import Completion
    from ...transport.types import Headers
    from ..protocols import Protocol
    from ..serving import Served
    from .chat import Call

    Attempt = Callable[[CallSettings, StreamRecord], Flow[Result[Any, Any]]]

_IN_OTHER_WORDS = {"model_in_body": True, "stream_in_body": True, "beta_in_body": False, "thinking_tags": None}
"""Facts that say that a target speaks its protocol in a way of its own, with the values that say it doesn't."""
_TAIL_BYTES = 8192
_USAGE = (b'"usage":{', b'"usage": {', b'"usageMetadata"')
_FORWARDED = ("anthropic-version", "anthropic-beta")


def passes(served: Served, protocol: Protocol) -> bool:
    """Whether requests in a protocol go to a model as they are."""
    target = served.target
    if not served.direct or target is None or (served.settings.wire or target.wire) != protocol.name:
        return False
    return all(target.facts.get(name, usual) == usual for name, usual in _IN_OTHER_WORDS.items())


def whole(call: Call) -> Flow[Result[tuple[bytes, Completion], LambdaLLMError]]:
    """The answer's bytes as they came, and what they say."""
    from ...llm.call import labelled
    from ...llm.streaming.record import StreamRecord

    target = _target(call)
    body = _body_for(call, target)

    def attempt(settings: CallSettings, _: StreamRecord) -> Flow[Result[Any, Any]]:
        return (yield from answered_whole((yield from _prepared(call, "chat", body, settings))))

    result = yield from _guarded(call, attempt, StreamRecord(target))
    if isinstance(result, Err):
        return Err(result.error.located(target.provider.name, target.model.id))
    raw, completion = result.value
    return Ok((raw, labelled(completion, target)))


def _guarded(call: Call, attempt: Attempt, record: StreamRecord) -> Flow[Result[Any, Any]]:
    """An attempt within what stands around its model's calls: breaker, key, retries."""
    first = getattr(call.served, "first", None)
    if first is not None:
        result: Result[Any, Any] = yield from first.around(attempt, (), record, call.deadline)
        return result
    settings = call.served.settings.replace(deadline=call.deadline)
    policy = RetryPolicy(settings.max_retries, call.deadline)
    return (yield from retried(lambda: attempt(settings, record), policy, emitted=record.has_begun))


def _body_for(call: Call, target: Target) -> bytes:
    return with_model(call.asked, target.model.id) if call.protocol.model_in_body else call.asked.body


def _target(call: Call) -> Target:
    target = call.served.target
    assert target is not None, "what passes has one target"
    return target


def _prepared(call: Call, operation: str, body: bytes, settings: CallSettings) -> Flow[Prepared]:
    headers = _forwarded(call)
    encoded = Encoded(body, headers)
    return (yield from prepared(operation, call.protocol.name, lambda _: encoded, _target(call), settings))


def _forwarded(call: Call) -> Headers:
    """The protocol's own headers, as the client sent them."""
    if call.protocol.name != "anthropic_messages":
        return ()
    sent = [(name, value) for name in _FORWARDED if (value := call.request.headers.get(name))]
    if not any(name == "anthropic-version" for name, _ in sent):
        sent.append(("anthropic-version", "2023-06-01"))
    return tuple(sent)


def answered_whole(ready: Prepared) -> Flow[Result[Any, Any]]:
    """A whole answer: its bytes, and what they decode to."""
    reply = yield Send(ready.request, ready.timeouts, ready.target.provider.transport)
    if isinstance(reply, Err):
        return reply
    response = reply.value
    if response.status >= 300:
        return Err(ready.codec.decode_error(response.status, response.headers, response.body))
    decoded = ready.codec.decode_response(response.status, response.headers, response.body)
    return decoded if isinstance(decoded, Err) else Ok((response.body, decoded.value))


class Passed:
    """An answer in pieces that pass through."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._adds_usage = _adds_usage(call)
        self._pieces: list[bytes] = []
        self._rest = b""
        self._ended_well = False
        self._target = _target(call)
        self._codec: Any = None

    @property
    def has_begun(self) -> bool:
        """Whether the client has been sent anything."""
        return bool(self._pieces)

    def pieces(self) -> Flow[Result[None, LambdaLLMError]]:
        """Emit its bytes."""
        from ...llm.streaming.record import StreamRecord

        call, target = self._call, self._target
        body = _body_for(call, target)
        if self._adds_usage:
            body = with_usage(body, call.asked)

        def attempt(settings: CallSettings, record: StreamRecord) -> Flow[Result[Any, Any]]:
            return (yield from self._once((yield from _prepared(call, "stream", body, settings)), record))

        result = yield from _guarded(call, attempt, StreamRecord(target))
        if isinstance(result, Err):
            return Err(result.error.located(target.provider.name, target.model.id))
        return Ok(None)

    def _once(self, ready: Prepared, record: StreamRecord) -> Flow[Result[None, Any]]:
        self._codec = ready.codec
        reply = yield Open(ready.request, ready.timeouts, ready.target.provider.transport)
        if isinstance(reply, Err):
            return reply
        opened = reply.value
        if opened.status >= 300:
            return Err(ready.codec.decode_error(opened.status, opened.headers, (yield from error_body(opened.handle))))
        read = Read(opened.handle)
        while True:
            piece = yield read
            if isinstance(piece, Err):
                return Err(broken_off(piece.error, record))
            if not piece.value:
                return (yield from self._ended())
            if record.first_chunk is None:
                record.first_chunk = (yield NOW).monotonic
            self._pieces.append(piece.value)
            if data := self._without_usage(piece.value) if self._adds_usage else piece.value:
                yield Emit((data,))

    def _ended(self) -> Flow[Result[None, Any]]:
        """How it ended: well where its end says so, else as its decoder finds."""
        if self._rest:
            yield Emit((self._rest,))
            self._rest = b""
        if not any(mark in self._tail() for mark in self._call.protocol.ends):
            _, error = self._decoded(b"".join(self._pieces))
            if error is not None:
                return Err(error)
        self._ended_well = True
        return Ok(None)

    def _tail(self) -> bytes:
        tail, place = b"", len(self._pieces)
        while place and len(tail) < _TAIL_BYTES:
            place -= 1
            tail = self._pieces[place] + tail
        return tail

    def _without_usage(self, data: bytes) -> bytes:
        """The bytes without the event that we asked for and the client did not; what is no whole event waits."""
        if not self._rest and data.endswith(b"\n\n") and not _may_be_usage(data):
            return data
        *events, self._rest = (self._rest + data).split(b"\n\n")
        return b"".join(event + b"\n\n" for event in events if not _is_usage_alone(event))

    def completion(self) -> Completion:
        """The answer from what has come: usage alone where it has ended and says it, else all of it."""
        whole = b"".join(self._pieces)
        answer, _ = self._decoded(_events_with_usage(whole))
        if not self._ended_well or answer.usage is None or not answer.usage.output_tokens:
            answer, _ = self._decoded(whole)
        return answer

    def _decoded(self, data: bytes) -> tuple[Completion, Any]:
        from ...llm.streaming.record import StreamRecord

        record = StreamRecord(self._target)
        if self._codec is None:
            return record.completion(), StreamError("The stream has not begun.")
        decoder = self._codec.StreamDecoder()
        record.add(decoder.feed(data))
        record.add(decoder.close())
        return record.completion(), decoder.error

    def _encoder(self) -> Any:
        """An encoder that has said what has come, so that what it says next follows from it."""
        call, dialect = self._call, self._call.protocol.dialect
        request = dialect.decode_request(call.asked.body, model=call.asked.model, stream=True)
        encoder = dialect.StreamEncoder(request, id=call.id, created=call.created)
        decoder = self._codec.StreamDecoder()
        encoder.feed(decoder.feed(b"".join(self._pieces)))
        return encoder

    def cut_short(self, notice: str) -> bytes:
        """The bytes that end it early, with a notice as the last of its text."""
        from .translating import ended_early

        return self._cut() + ended_early(self._encoder(), notice, self.completion())

    def failed(self, error: LambdaLLMError) -> bytes:
        """The bytes that end it with an error."""
        failed: bytes = self._encoder().fail(error)
        return self._cut() + failed

    def _cut(self) -> bytes:
        """What ends the event that the client has a part of: a comment of it, that readers pass over, can't be made."""
        if self._adds_usage or self._tail().endswith((b"\n\n", b"\r\n\r\n")):
            return b""
        return b"\n\n"


def _adds_usage(call: Call) -> bool:
    """Whether usage has to be asked for, since the client has not."""
    if call.gateway.meter is None or call.protocol.name not in ("openai_chat", "openai_completions"):
        return False
    options = call.asked.value.get("stream_options")
    told = isinstance(options, dict) and bool(options.get("include_usage"))
    return not told and bool(_target(call).facts.get("stream_usage", True))


def _is_usage_alone(event: bytes) -> bool:
    return b'"usage"' in event and _may_be_usage(event)


def _may_be_usage(data: bytes) -> bool:
    return b'"choices":[]' in data or b'"choices": []' in data


def _events_with_usage(whole: bytes) -> bytes:
    """The first and the last event that count tokens."""
    places = [place for mark in _USAGE for place in (whole.find(mark), whole.rfind(mark)) if place >= 0]
    if not places:
        return b""
    return b"".join(dict.fromkeys(_event_at(whole, place) for place in (min(places), max(places))))


def _event_at(whole: bytes, place: int) -> bytes:
    blank = b"\r\n\r\n" if b"\r\n\r\n" in whole[:_TAIL_BYTES] else b"\n\n"
    start, end = whole.rfind(blank, 0, place), whole.find(blank, place)
    return whole[0 if start < 0 else start + len(blank) : len(whole) if end < 0 else end + len(blank)]
