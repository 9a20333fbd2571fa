"""The documented names for models, and the small request and answer of the provider plug-in interface."""

from __future__ import annotations

from enum import StrEnum

from .._value import Value
from .types import EMPTY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .types import Metadata, Usage


class Model(StrEnum):
    """Well-known models by name; any other is named by a string, `provider/model`."""

    CLAUDE_3_HAIKU = "anthropic.claude-3-haiku-20240307-v1:0"
    CLAUDE_3_SONNET = "anthropic.claude-3-sonnet-20240229-v1:0"
    CLAUDE_3_5_SONNET = "anthropic.claude-3-5-sonnet-20241022-v2:0"
    CLAUDE_3_OPUS = "anthropic.claude-3-opus-20240229-v1:0"
    TITAN_TEXT_EXPRESS = "amazon.titan-text-express-v1"
    TITAN_TEXT_LITE = "amazon.titan-text-lite-v1"
    LLAMA3_8B = "meta.llama3-8b-instruct-v1:0"
    LLAMA3_70B = "meta.llama3-70b-instruct-v1:0"


class ModelConfig(Value):
    """How a provider is to call a model. `timeout_seconds` bounds the whole call."""

    model_id: str
    max_tokens: int = 1024
    temperature: float = 0.7
    system_prompt: str | None = None
    output_schema: Metadata | None = None
    timeout_seconds: float | None = None
    extra: Metadata = EMPTY


class ModelResponse(Value):
    """What a provider answered. `cost_usd` is `None` when unknown, never 0 for that."""

    content: str
    model_id: str
    tokens_in: int = 0
    tokens_out: int = 0
    latency_ms: float = 0.0
    cost_usd: float | None = None
    finish_reason: str | None = None
    usage: Usage | None = None
    metadata: Metadata = EMPTY

    @property
    def total_tokens(self) -> int:
        """Input and output together."""
        return self.tokens_in + self.tokens_out
