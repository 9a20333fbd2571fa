"""LambdaLLM in the codec benchmark: codecs alone, and whole calls over a transport that answers at once.

`main` prints the requests that ours sends, so that the SDKs can be asked for the same.
"""

import json

from codec_answers import SAID, TEXTS
from codec_cases import MOST_TOKENS, PROTOCOLS, QUESTION, SYSTEM, TEMPERATURE, TOOLS, TURNS
from codec_loops import Case, Operation

from lambdallm.llm.call import codec_named
from lambdallm.llm.catalog.resolve import resolve, resolve_embedding
from lambdallm.llm.clients.wire import WireClient
from lambdallm.llm.drivers import Driver
from lambdallm.llm.types import (
    ChatMessage,
    ChatRequest,
    Choice,
    Completion,
    EmbeddingRequest,
    StreamChunk,
    ToolDefinition,
    Usage,
)
from lambdallm.transport.types import HttpResponse

MESSAGES = (
    ChatMessage("system", SYSTEM),
    *(ChatMessage(role, text) for role, text in TURNS),
    ChatMessage("user", QUESTION),
)
_ASKED = {
    "tools": tuple(
        ToolDefinition(
            name,
            described,
            {"type": "object", "properties": {n: {"type": kind} for n, kind in fields.items()}, "required": [*fields]},
        )
        for name, described, fields in TOOLS
    ),
    "max_tokens": MOST_TOKENS,
    "temperature": TEMPERATURE,
}
_TEXTS = (QUESTION[:300],) * TEXTS
_USAGE = Usage(8, 199)
_IDENTITY = {"id": "msg-1", "created": 1762257600}


def operations(case: Case) -> dict[str, Operation]:
    if case.protocol.embeds:
        return _embedding(case)
    return _outbound(case) | _whole(case) | (_inbound(case) if case.protocol.dialect else {})


def main() -> None:
    """Print what ours sends, by protocol and operation."""
    print(json.dumps({protocol.name: _bodies(protocol) for protocol in PROTOCOLS}))


def _bodies(protocol) -> dict[str, object]:
    codec = codec_named(protocol.wire)
    if protocol.embeds:
        target = resolve_embedding(protocol.model)
        asked = {"call": EmbeddingRequest(target.model.id, _TEXTS)}
    else:
        target = resolve(protocol.model)
        asked = {name: _request(target, stream) for name, stream in (("call", False), ("stream_chunk", True))}
    return {name: json.loads(codec.encode_request(request, target.facts).body) for name, request in asked.items()}


def _request(target, stream: bool) -> ChatRequest:
    return ChatRequest(target.model.id, MESSAGES, stream=stream, **_ASKED)


def _outbound(case: Case) -> dict[str, Operation]:
    codec, target = codec_named(case.protocol.wire), resolve(case.protocol.model)
    request, facts, answer = _request(target, False), target.facts, case.answer

    def encode():
        return codec.encode_request(request, facts).body

    def decode():
        return codec.decode_response(200, answer.headers, answer.whole)

    def decode_chunks():
        decoder = codec.StreamDecoder()
        chunks = [chunk for event in answer.events for chunk in decoder.feed(event)]
        return [*chunks, *decoder.close()]

    return {
        "encode": Operation(encode, bytes.decode, QUESTION),
        "decode": Operation(decode, lambda result: result.unwrap().text, SAID),
        "decode_chunk": Operation(decode_chunks, _joined, "".join(case.words), len(answer.events)),
        **_json_alone(case),
    }


def _json_alone(case: Case) -> dict[str, Operation]:
    answer = case.answer

    def whole():
        return json.loads(answer.whole)

    def chunks():
        return [json.loads(payload) for payload in answer.payloads]

    every = Operation(chunks, str, "", len(answer.events) or 1)
    return {"json": Operation(whole, str, ""), "json_chunk": every}


def _whole(case: Case) -> dict[str, Operation]:
    protocol = case.protocol
    client = _client(case, wire=protocol.wire)

    def call():
        return client.chat(MESSAGES, **_ASKED).unwrap().text

    def stream():
        return "".join(chunk.delta for chunk in client.stream(MESSAGES, **_ASKED))

    return {
        "call": Operation(call, str, SAID),
        "stream_chunk": Operation(stream, str, "".join(case.words), len(case.answer.events)),
    }


def _client(case: Case, **options) -> WireClient:
    """Bedrock's requests are signed with the keys of the environment, as boto3 signs them."""
    key = None if case.protocol.model.startswith("bedrock/") else "sk-benchmark"
    return WireClient(case.protocol.model, driver=Driver(_Canned(case.answer)), api_key=key, **options)


def _embedding(case: Case) -> dict[str, Operation]:
    codec, target = codec_named(case.protocol.wire), resolve_embedding(case.protocol.model)
    request, answer = EmbeddingRequest(target.model.id, _TEXTS), case.answer
    client = _client(case)

    def encode():
        return codec.encode_request(request, target.facts).body

    def decode():
        return codec.decode_response(200, answer.headers, answer.whole)

    def call():
        return client.embed(_TEXTS, model=case.protocol.model).unwrap()

    return {
        "encode": Operation(encode, bytes.decode, _TEXTS[0]),
        "decode": Operation(decode, lambda result: str(len(result.unwrap().vectors)), str(TEXTS)),
        "json": _json_alone(case)["json"],
        "call": Operation(call, lambda answer: str(len(answer.vectors)), str(TEXTS)),
    }


def _inbound(case: Case) -> dict[str, Operation]:
    """The other direction. What is answered is a plain answer, as any provider's codec gives it."""
    codec, target = codec_named(case.protocol.wire), resolve(case.protocol.model)
    plain, streamed = _request(target, False), _request(target, True)
    body = codec.encode_request(plain, target.facts).body
    answer = Completion((Choice(ChatMessage("assistant", SAID), "stop", "stop"),), _USAGE, target.model.id, "msg-1")
    chunks = [[StreamChunk(word)] for word in case.words]
    chunks += [[StreamChunk(finish_reason="stop", raw_finish_reason="stop", usage=_USAGE)]]

    def decode_request():
        return codec.decode_request(body, model=target.model.id, stream=False)

    def encode_response():
        return codec.encode_response(answer, plain, **_IDENTITY)

    def encode_chunks():
        encoder = codec.StreamEncoder(streamed, **_IDENTITY)
        pieces = [encoder.feed(chunk) for chunk in chunks]
        return b"".join([*pieces, encoder.close()])

    return {
        "decode_request": Operation(decode_request, lambda request: request.messages[-1].text, QUESTION),
        "encode_response": Operation(encode_response, bytes.decode, SAID),
        "encode_chunk": Operation(encode_chunks, bytes.decode, case.words[-1], len(chunks)),
    }


def _joined(chunks: list[StreamChunk]) -> str:
    return "".join(chunk.delta for chunk in chunks)


class _Canned:
    """A transport without a network: every request has the same answer, a stream comes event by event."""

    def __init__(self, answer) -> None:
        self._response = HttpResponse(200, (("Content-Type", "application/json"), *answer.headers), answer.whole)
        self._stream = _Stream((("Content-Type", answer.stream_type), *answer.headers), answer.events)

    def send(self, request, timeouts) -> HttpResponse:
        return self._response

    def open(self, request, timeouts):
        return self._stream

    def close(self) -> None:
        pass


class _Stream:
    status = 200

    def __init__(self, headers, events) -> None:
        self.headers, self._events = headers, events

    def __iter__(self):
        return iter(self._events)

    def close(self) -> None:
        pass
