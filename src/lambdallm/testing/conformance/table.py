"""Which codec reads which API, and in which words its vendor's SDK tells the outcome. One row makes an API known."""

from __future__ import annotations

from .apis import anthropic, bedrock, cohere, embeddings, gemini, ollama, openai, responses

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .sdk import Api

_VENDORS = (openai, anthropic, bedrock, embeddings, cohere, ollama, responses, gemini)

APIS: dict[tuple[str, str], Api] = {key: api for vendor in _VENDORS for key, api in vendor.APIS.items()}
"""By provider and API. A row for `*` serves every provider that has none of its own."""


def find(provider: str, api: str) -> Api | None:
    """The row for an API, `None` when there is none."""
    return APIS.get((provider, api)) or APIS.get(("*", api))
