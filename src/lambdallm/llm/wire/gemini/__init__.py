"""The Gemini generateContent protocol, as Google AI Studio and Vertex AI speak it.

The door of the codec. To a provider: requests are written in `request` (messages in `contents`, parts in `parts`,
schemas in `schema`), whole answers are read in `response`, streams in `stream`, errors in `error`. From a client:
requests are read in `inbound`, answers written in `answer`, streams in `answer_stream`, errors in `fault`. What another
protocol proves its thoughts with goes through a client of this one as `carried` says.

What a catalog entry may declare, all of it optional; an empty entry speaks what AI Studio and Vertex both take today:

| fact | default | meaning |
|---|---|---|
| `schemas` | `"json"` | schemas are JSON Schema (`parametersJsonSchema`, `responseJsonSchema`); `"openapi"`: the subset of OpenAPI that older endpoints know (`parameters`, `responseSchema`) |
| `json_schema` | `true` | answers can be bound to a schema; `false`: only to JSON |
| `thinking` | `["budget", "level"]` | how thinking is set: the forms the model takes, the rest becomes its nearest; `[]`: it has no such setting |
| `thinking_levels` | minimal, low, medium, high | the levels it takes; another word becomes the nearest, with a warning |
| `thinking_budgets` | 1024, 1024, 8192, 24576 | tokens by effort, where a word is asked of a model that knows budgets |
| `thinking_off` | `true` | thinking can be turned off |
| `signature_placeholder` | none | the signature for calls that another model made, where calls without one are refused (Gemini 3: `"skip_thought_signature_validator"`) |
| `system_instruction` | `true` | `false`: instructions go at the head of the first turn (Gemma) |
| `tool_result_parts` | `true` | a tool's result may hold images and documents; `false`: they follow it in the same turn |
| `media_resolution` | `false` | an image's `detail` is understood (`mediaResolution` of a part) |
| `validated` | `false` | a tool's `strict` becomes the mode `VALIDATED` |
| `file_urls` | `true` | files may be any URL; `false`: only those of Google's own stores |
| `unsupported` | `[]` | settings (fields of `ChatRequest`) that the model refuses: asking for one raises |
| `ignored` | `[]` | settings to leave out, with a warning |

`count_body` is read by `gemini_count_tokens`. Never in silence: what can't be expressed raises
`UnsupportedParameterError`, what is changed or left out is in `Encoded.warnings`.

Sources: Gemini API reference, "Generating content"; Vertex AI REST reference, `GenerateContentRequest`; "Function
calling", "Thinking", "Thought signatures".
"""  # noqa: E501 - a table's row is one line

from __future__ import annotations

from .request import encode_request
from .response import decode_response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ....transport.types import Headers
    from ...errors import LambdaLLMError, LLMError
    from ...types import ChatRequest, Completion
    from ..codec import Decoder, EncodedError, Encoder

PATHS = {"chat": "/models/{model}:generateContent", "stream": "/models/{model}:streamGenerateContent?alt=sse"}
"""Below an endpoint that ends in the API's version. Vertex's entry gives its own, with project and location."""

STREAM_TYPE = "text/event-stream"


def decode_error(status: int, headers: Headers, body: bytes) -> LLMError:
    """An answer that is not 2xx, whatever its body is."""
    from .error import decode_error as decode

    return decode(status, headers, body)


def StreamDecoder() -> Decoder:
    """A fresh decoder for one stream. Its module is imported by the first one: whole answers do without."""
    from .stream import StreamDecoder as Fresh

    return Fresh()


def decode_request(body: bytes, *, model: str | None = None, stream: bool | None = None) -> ChatRequest:
    """What a client asks for; `model` and `stream` are what the URL says. Raises `InvalidRequestError`."""
    from .inbound import decode_request as decode

    return decode(body, model=model, stream=stream)


def encode_response(answer: Completion, request: ChatRequest, *, id: str, created: int) -> bytes:
    """A whole answer to a client's request."""
    from .answer import encode_response as encode

    return encode(answer, request, id=id, created=created)


def encode_error(error: LambdaLLMError) -> EncodedError:
    """An error as Google's server would answer it."""
    from .fault import encode_error as encode

    return encode(error)


def StreamEncoder(request: ChatRequest, *, id: str, created: int) -> Encoder:
    """A fresh encoder for one streamed answer."""
    from .answer_stream import StreamEncoder as Fresh

    return Fresh(request, id=id, created=created)


__all__ = [
    "PATHS",
    "STREAM_TYPE",
    "StreamDecoder",
    "StreamEncoder",
    "decode_error",
    "decode_request",
    "decode_response",
    "encode_error",
    "encode_request",
    "encode_response",
]
