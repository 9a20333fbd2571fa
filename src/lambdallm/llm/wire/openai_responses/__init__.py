"""The OpenAI Responses protocol (`POST …/responses`), as OpenAI, Azure, OpenRouter, Bedrock, DeepSeek and xAI speak it.

Requests are written in `request` (their items in `messages`, content in `content`), whole answers read in `response`
(their items in `items`), streams in `stream`. In the other direction requests are read in `incoming`, answers written
in `reply` and `stream_encoder`. What a provider declares in its catalog entry, as `facts`, all of it optional:

| fact | value | meaning |
|---|---|---|
| `unsupported` | `[]` | settings (fields of `ChatRequest`) that it refuses: asking for one raises |
| `ignored` | `[]` | settings that it ignores: left out, with a warning |
| `supports` | `[]` | settings beyond the protocol that it takes: `["stop", "thinking.budget_tokens"]` |
| `param_names` | `{}` | settings under other names: `{"max_tokens": "max_completion_tokens"}` |
| `system_role` | none | `"developer"` or `"system"`: the one name it has for both roles |
| `instructions` | `false` | system text that comes first goes to `instructions` instead of `input` |
| `json_schema` | `true` | answers can be bound to a schema; `false`: only to JSON |
| `efforts` | none | efforts it knows, and its words for them: `{"minimal": "low", "low": "low"}` |
| `summary` | none | the summary of thoughts to ask for where thinking is asked for: `"auto"`, `"detailed"` |
| `store` | none | whether answers are stored, where the request does not say: `false` for accounts that keep nothing |
| `encrypted_reasoning` | by need | ask for encrypted reasoning: `true` always, `false` never |
| `reasoning_back` | none | `"content"`: thoughts that are not this protocol's go back as a reasoning item's text |
| `tool_result_parts` | `["text", "image", "document"]` | what a tool's result may hold |
| `cache_mark` | none | `"prompt_cache_breakpoint"`: given content can be marked for the prompt cache |
| `cache_places` | all | where `prompt_cache` puts marks by itself: some of `"system"`, `"messages"` |
| `cache_ttls` | `{}` | how long prompts are kept, each with what asks for it, in each `mark` or in the `body` |
| `cache_key` | `"prompt_cache_key"` | the field that says which requests belong together |

**Thoughts of earlier turns.** OpenAI wants a thought back together with the calls that followed from it. Where it
stores answers (the default), the item's id is enough. With `store: false` in `extra` or by fact, the item must carry
encrypted content: so a request then asks for it (`include: ["reasoning.encrypted_content"]`) if it asks for thinking,
or if its messages hold some already. Models that do not think refuse that `include`, hence not always. A request
decoded from this protocol is sent with what it includes and nothing more.

**Thoughts of other protocols** in an answer to a client show their text as a summary; signatures and other proof
travel in `encrypted_content`, sealed (see `envelope`), and are restored when the conversation comes back.

**Strictness.** To this protocol a tool without `strict` is strict, and OpenAI rewrites its schema so that every
optional field must be given. A tool of ours that says nothing is therefore sent with `strict: false`.
"""

from __future__ import annotations

from ..failures import decode_error
from .request import encode_request
from .response import decode_response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...errors import LambdaLLMError
    from ...types import ChatRequest, Completion
    from ..codec import Decoder, EncodedError, Encoder

PATHS = {"chat": "/responses", "stream": "/responses"}
STREAM_TYPE = "text/event-stream"


def StreamDecoder() -> Decoder:
    """A fresh decoder for one stream. Its module is imported by the first one: whole answers do without."""
    from .stream import StreamDecoder as Fresh

    return Fresh()


def decode_request(body: bytes, *, model: str | None = None, stream: bool | None = None) -> ChatRequest:
    """What a client asks for. Raises `InvalidRequestError` whose `param` is the path to what is malformed."""
    from .incoming import decode_request

    return decode_request(body, model=model, stream=stream)


def encode_response(answer: Completion, request: ChatRequest, *, id: str, created: int) -> bytes:
    """A whole answer to a client's request: the response object, with the request's settings echoed."""
    from .reply import encode_response

    return encode_response(answer, request, id=id, created=created)


def encode_error(error: LambdaLLMError) -> EncodedError:
    """An error as OpenAI's server would answer it, so that its SDKs raise the matching class."""
    from ..openai_error_told import encode_error

    return encode_error(error)


def StreamEncoder(request: ChatRequest, *, id: str, created: int) -> Encoder:
    """A fresh encoder for one streamed answer."""
    from .stream_encoder import StreamEncoder as Fresh

    return Fresh(request, id=id, created=created)


__all__ = [
    "PATHS", "STREAM_TYPE", "StreamDecoder", "StreamEncoder", "decode_error", "decode_request", "decode_response",
    "encode_error", "encode_request", "encode_response",
]  # fmt: skip
