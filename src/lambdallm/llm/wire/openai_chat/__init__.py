"""The OpenAI chat protocol (`POST …/chat/completions`), which most providers speak in some dialect.

What a provider declares in its catalog entry, as `facts`; every one has a default, so an empty entry speaks OpenAI's
own protocol of the days before it had dialects:

| fact | value | meaning |
|---|---|---|
| `max_tokens_param` | `"max_tokens"` | the name of the limit; OpenAI's newer models want `max_completion_tokens` |
| `param_names` | `{}` | other settings under other names: `{"seed": "random_seed"}` |
| `unsupported` | `[]` | settings (fields of `ChatRequest`) that it refuses: asking for one raises |
| `ignored` | `[]` | settings that it ignores: left out, with a warning |
| `supports` | `[]` | settings beyond the protocol that it takes: `["top_k"]` |
| `stream_usage` | `true` | ask for usage in streams with `stream_options` |
| `system_role` | none | `"developer"` or `"system"`: the one name it has for both roles |
| `json_schema` | `true` | answers can be bound to a schema; `false`: only to JSON |
| `flat_content` | `false` | content must be one text, not a list, where it is all text |
| `reasoning_field` | where it came in | where earlier reasoning goes back: a field's name, `"reasoning_details"`, `"thinking"` (a content chunk), or null for nowhere |
| `thinking_param` | the one asked with, else `"reasoning_effort"` | how thinking is asked for: that, `"reasoning"`, `"thinking"`, `"enable_thinking"`, `"chat_template_kwargs"`, or null for not at all |
| `efforts` | none | efforts it knows, and its words for them: `{"minimal": "low", "low": "low"}` |
| `document_part` | `"file"` | how documents are sent: that, or `"document_url"` |
| `file_urls` | `false` | a document may be a URL |
| `tool_result_parts` | `["text"]` | what a tool's result may hold: `"image"`, `"audio"`, `"document"` too |
| `tool_result_name` | `false` | a tool's result carries the tool's name |
| `cache_mark` | none | the word for a mark for the prompt cache: `"cache_control"`, or `"prompt_cache_breakpoint"`, which only content can have; elsewhere marks are left out, with a warning |
| `cache_places` | all | where `prompt_cache` puts marks by itself: some of `"tools"`, `"system"`, `"messages"` |
| `cache_ttls` | `{}` | how long prompts are kept, each with what asks for it, in each `mark` or in the `body`: `{"24h": {"body": {"prompt_cache_retention": "24h"}}}` |
| `cache_key` | none | the field that says which requests belong together: `"prompt_cache_key"` |
| `cache_key_header` | none | the header that does |

The protocol is also one that clients speak to us: `decode_request`, `encode_response`, `encode_error` and
`StreamEncoder` are a server's side of it, imported by the first that is used.

Source: OpenAI, "Chat Completions: Create chat completion"; the providers' own pages are named in the modules.
"""  # noqa: E501 - a table's row is one line

from __future__ import annotations

from ..failures import decode_error
from .request import encode_request
from .response import decode_response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...errors import LambdaLLMError
    from ...types import ChatRequest, Completion
    from ..codec import Decoder, EncodedError, Encoder

PATHS = {"chat": "/chat/completions", "stream": "/chat/completions"}
STREAM_TYPE = "text/event-stream"


def StreamDecoder() -> Decoder:
    """A fresh decoder for one stream. Its module is imported by the first one: whole answers do without."""
    from .stream import StreamDecoder as Fresh

    return Fresh()


def decode_request(body: bytes, *, model: str | None = None, stream: bool | None = None) -> ChatRequest:
    """What a client asks for; see `codec.Dialect`."""
    from .asked import decode_request as decode

    return decode(body, model=model, stream=stream)


def encode_response(answer: Completion, request: ChatRequest, *, id: str, created: int) -> bytes:
    """A whole answer to a client's request; see `codec.Dialect`."""
    from .answer import encode_response as encode

    return encode(answer, request, id=id, created=created)


def encode_error(error: LambdaLLMError) -> EncodedError:
    """An error as OpenAI's server would answer it; see `openai_error_told`."""
    from ..openai_error_told import encode_error as encode

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
