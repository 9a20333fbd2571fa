"""How many tokens a text or a conversation has: counted exactly, by the provider, or estimated.

from lambdallm.llm.pricing.tokens import EstimatingCounter

EstimatingCounter().count_messages([ChatMessage("user", "What is the capital of Norway?")], "gpt-4o")
"""

from __future__ import annotations

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


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return __all__
