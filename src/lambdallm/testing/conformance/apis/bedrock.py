"""Bedrock's own APIs, as botocore tells them; bodies of InvokeModel that a vendor's SDK reads, as that tells them."""

from __future__ import annotations

from ..sdk import Api, Sdk
from . import anthropic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..sdk import Path

_STREAM_ERROR = "EventStreamError"
"""What botocore raises for every exception inside a stream."""

_CONVERSE_USAGE: dict[str, tuple[Path, ...]] = {
    "input": (("inputTokens",),),
    "output": (("outputTokens",),),
    "cached": (("cacheReadInputTokens",),),
    "cache_write": (("cacheWriteInputTokens",),),
    "total": (("totalTokens",),),
}


_BOTOCORE = Sdk(
    usage=_CONVERSE_USAGE,
    usage_fields=(*(path[0] for (path,) in _CONVERSE_USAGE.values()), "cacheDetails"),
    exceptions_by_type=True,
    stream_exception=_STREAM_ERROR,
    cited_block="citationsContent",
    cited_piece="citation",
    cited_note=("bedrock_converse", "content"),
    not_in_streams=("toolUse",),
    identified=False,
)


_MESSAGES = anthropic.APIS[("*", "messages")].sdk.replace(exceptions_by_type=True, stream_exception=_STREAM_ERROR)
"""Anthropic's SDK reads the message; the error is botocore's."""

_UNREAD = Sdk(usage={}, exceptions_by_type=True, stream_exception=_STREAM_ERROR, identified=False)
"""Bodies that no SDK reads: what is known of them is their frames."""

_TITAN_VECTORS = Sdk(
    usage={"input": (("inputTextTokenCount",),)},
    shown_usage=lambda _native: None,
    exceptions_by_type=True,
    identified=False,
)

_BODIES = (
    ("anthropic.", "anthropic"), ("amazon.nova", "nova"), ("amazon.titan", "titan"), ("meta.llama", "llama"),
    ("mistral.", "mistral"), ("cohere.command-r", "cohere"), ("cohere.", "cohere_text"), ("deepseek.", "deepseek"),
    ("ai21.j2", "ai21_text"), ("ai21.", "chat"), ("openai.", "chat"), ("qwen.", "chat"), ("writer.", "chat"),
)  # fmt: skip
"""What a model's id contains, and the body it speaks. Imported models answer as Llama does, or in the chat form, which
is read wherever it comes."""

_INVOKE = Api(
    "bedrock_invoke.llama",
    _UNREAD,
    by_model=(
        ("titan-embed", Api("bedrock_invoke.titan_embeddings", _TITAN_VECTORS, "embeddings")),
        ("cohere.embed", Api("bedrock_invoke.cohere_embeddings", _UNREAD, "embeddings")),
        ("multimodal-embeddings", Api("bedrock_invoke.nova_embeddings", _UNREAD, "embeddings")),
        *(
            (mark, Api(f"bedrock_invoke.{body}", _MESSAGES if body == "anthropic" else _UNREAD))
            for mark, body in _BODIES
        ),
    ),
)

APIS = {
    ("*", "converse"): Api("bedrock_converse", _BOTOCORE),
    ("*", "invoke_model"): _INVOKE,
}
