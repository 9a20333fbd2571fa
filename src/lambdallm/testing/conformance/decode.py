"""One recorded exchange, decoded by our codec and told in the words of the corpus."""

from __future__ import annotations

import base64
import importlib
import json
import random

from lambdallm.llm.errors import LLMError
from lambdallm.llm.result import Err
from lambdallm.llm.streaming.accumulator import Accumulator
from lambdallm.llm.wire.bedrock_invoke.frames import Payloads

from .table import find
from .tell import tell_completion, tell_count, tell_embeddings, tell_error, tell_frames

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, Literal, TypeAlias

    from lambdallm.llm.types import Completion, StreamChunk
    from lambdallm.llm.wire.codec import Codec
    from lambdallm.transport.types import Headers

    from .sdk import Api, Sdk

    Split: TypeAlias = Literal["whole", "bytes"] | int

_LONGEST_PIECE = 64
_WIRE = "lambdallm.llm.wire"
_CUT = ("The stream broke off", "The stream ended")


class Unsupported(LookupError):
    """No codec reads the exchange's API yet."""


def decode_exchange(exchange: dict[str, Any], *, split: Split = "whole") -> dict[str, Any]:
    """What the response of an exchange means, in the shape of the corpus's `expected`.

    `split` says how a streamed body reaches the decoder: at once, byte by byte, or in random pieces from a seed.
    Raises `Unsupported` for an API that no codec reads.
    """
    row = find(exchange["provider"], exchange["api"])
    api = row.for_model(exchange.get("model") or "") if row is not None else None
    codec = _codec(api.codec) if api is not None else None
    if api is None or codec is None:
        raise Unsupported(f"no codec reads {exchange['provider']}/{exchange['api']} yet")
    status, headers, body = _response(exchange["response"])
    if not 200 <= status < 300:
        return tell_error(codec.decode_error(status, headers, body), api.sdk, text=_text_of(body))
    if (exchange.get("expected") or {}).get("kind") == "frames":
        return _decode_frames(codec, api, body, split)
    if exchange.get("stream") and not _is_whole(codec, body):
        return _decode_stream(codec, api, body, split)
    return _decode_whole(codec, api, status, headers, body)


def _codec(name: str) -> Codec | None:
    """The codec's module; `None` while it is not written. Any other failure to import is a failure."""
    try:
        module: Any = importlib.import_module(f"{_WIRE}.{name}")
    except ModuleNotFoundError as missing:
        if missing.name != f"{_WIRE}.{name}":
            raise
        return None
    codec: Codec = module
    return codec


def _response(response: dict[str, Any]) -> tuple[int, Headers, bytes]:
    encoded = response.get("body_b64")
    body = base64.b64decode(encoded) if encoded is not None else (response.get("body") or "").encode()
    return response["status"], tuple((response.get("headers") or {}).items()), body


def _is_whole(codec: Any, body: bytes) -> bool:
    """Whether an object came where events were asked for: an answer, or an error, that was not streamed after all."""
    return getattr(codec, "STREAM_TYPE", "") == "text/event-stream" and body.lstrip()[:1] == b"{"


def _decode_whole(codec: Codec, api: Api, status: int, headers: Headers, body: bytes) -> dict[str, Any]:
    result = codec.decode_response(status, headers, body)
    if not isinstance(result, Err):
        return _TELL[api.tells](result.value, api.sdk)
    if (inside := _error_inside(body)) is not None:
        return {"kind": "error_in_200", "error": inside}
    partial = result.error.partial
    if partial is not None and _is_reason(partial, api.sdk):
        return tell_completion(partial, api.sdk)
    return tell_error(result.error, api.sdk)


_TELL: dict[str, Callable[[Any, Sdk], dict[str, Any]]] = {
    "chat": tell_completion,
    "embeddings": tell_embeddings,
    "count_tokens": lambda count, _sdk: tell_count(count),
}


def _text_of(body: bytes) -> str | None:
    """The text of a body that is no JSON."""
    text = body.decode("utf-8", "replace").strip()
    try:
        json.loads(text)
    except ValueError:
        return text
    except RecursionError:
        pass
    return None


def _error_inside(body: bytes) -> Any:
    """The error object as it was sent."""
    try:
        answer = json.loads(body)
    except ValueError:
        return None
    return answer.get("error") if isinstance(answer, dict) else None


def _decode_stream(codec: Codec, api: Api, body: bytes, split: Split) -> dict[str, Any]:
    completion, error = read_stream(codec, pieces(body, split), first_identity=api.sdk.first_identity)
    told = tell_completion(completion, api.sdk, stream=True)
    silent = error is None or _is_reason(completion, api.sdk) or _is_cut(error)
    return told if error is None or silent else tell_error(error, api.sdk, partial=told)


def _is_reason(completion: Completion, sdk: Sdk) -> bool:
    """Whether what failed is a finish reason like any other to the SDK."""
    return sdk.errors_as_reasons and completion.finish_reason == "error"


def _is_cut(error: LLMError) -> bool:
    """Whether all that is wrong is a missing end, which no SDK notices: to them an answer is what has come."""
    return error.message.startswith(_CUT) and error.__cause__ is None


def _decode_frames(codec: Codec, api: Api, body: bytes, split: Split) -> dict[str, Any]:
    """A stream that no SDK reads beyond its frames, once the codec has read it to its end."""
    _, error = read_stream(codec, pieces(body, split))
    if error is not None:
        return tell_error(error, api.sdk)
    payloads = Payloads()
    return tell_frames([payload for piece in pieces(body, split) for payload in payloads.feed(piece)])


def read_stream(
    codec: Codec, body: Iterator[bytes], *, first_identity: bool = False
) -> tuple[Completion, LLMError | None]:
    """What a streamed body adds up to, and the error that ended it."""
    decoder = codec.StreamDecoder()
    chunks = [chunk for piece in body for chunk in decoder.feed(piece)] + decoder.close()
    accumulator = Accumulator()
    accumulator.add(chunks)
    completion = accumulator.completion()
    if first_identity:
        completion = completion.replace(id=_first(chunks, "id"), model=_first(chunks, "model"))
    return completion, decoder.error


def _first(chunks: list[StreamChunk], key: str) -> str | None:
    return next((chunk.metadata[key] for chunk in chunks if key in chunk.metadata), None)


def pieces(body: bytes, split: Split) -> Iterator[bytes]:
    """A body as it may arrive: at once, byte by byte, or in random pieces from a seed."""
    if split == "whole":
        yield body
        return
    source = random.Random(split)
    start = 0
    while start < len(body):
        end = start + (1 if split == "bytes" else source.randint(1, _LONGEST_PIECE))
        yield body[start:end]
        start = end
