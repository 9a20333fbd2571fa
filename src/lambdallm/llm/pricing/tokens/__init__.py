"""How many tokens a text or a conversation has: counted exactly, by the provider, or estimated.

from lambdallm.llm.pricing.tokens import EstimatingCounter

EstimatingCounter().count_messages([ChatMessage("user", "What is the capital of Norway?")], "gpt-4o")
"""

from __future__ import annotations

from ...._door import door

_HOMES = {
    "BestCounter": "registry",
    "EstimatingCounter": "estimate",
    "HuggingFaceCounter": "huggingface",
    "ProviderTokenCounter": "provider",
    "TiktokenCounter": "tiktoken_counter",
    "TokenCounterRegistry": "registry",
    "at_least": "bound",
    "fetch_encodings": "encodings",
}

__all__ = [
    "BestCounter",
    "EstimatingCounter",
    "HuggingFaceCounter",
    "ProviderTokenCounter",
    "TiktokenCounter",
    "TokenCounterRegistry",
    "at_least",
    "fetch_encodings",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .bound import at_least
    from .encodings import fetch_encodings
    from .estimate import EstimatingCounter
    from .huggingface import HuggingFaceCounter
    from .provider import ProviderTokenCounter
    from .registry import BestCounter, TokenCounterRegistry
    from .tiktoken_counter import TiktokenCounter

__getattr__, __dir__ = door(__name__, _HOMES)
