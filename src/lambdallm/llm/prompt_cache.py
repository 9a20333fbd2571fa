"""Asking for a provider's prompt cache: as an option of a call, or by marking what is worth keeping.

    client.complete(messages, prompt_cache=True)
    client.complete(messages, prompt_cache=PromptCache(ttl="1h", key="handbook"))
    client.complete([cached(ChatMessage("system", handbook), ttl="1h"), question])

How a provider is asked is for the codecs to know (`wire/prompt_cache`). Caches that are made, listed and deleted by
name (Gemini's `cachedContents`) are an API of their own; here one is only named.
"""

from __future__ import annotations

from .errors import ConfigurationError
from .types import ChatMessage, PromptCache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    from .types import (
        AudioPart,
        DocumentPart,
        ImagePart,
        RefusalPart,
        TextPart,
        ToolCall,
        ToolDefinition,
        ToolResult,
    )

    Markable = TypeVar(
        "Markable",
        ChatMessage,
        TextPart,
        RefusalPart,
        ImagePart,
        AudioPart,
        DocumentPart,
        ToolCall,
        ToolResult,
        ToolDefinition,
    )

_PLACES = ("tools", "system", "messages")


def cached(thing: Markable, ttl: str | None = None) -> Markable:
    """A part, tool or message with a mark: a provider that takes marks keeps the request up to its end.

    A request may have four. A longer `ttl` has to come before a shorter one. Where prompts are kept without marks it
    says nothing; where one has no place the answer's `warnings` say so. Raises `ConfigurationError` for a message
    without content to mark.
    """
    mark = {"type": "ephemeral", **({"ttl": ttl} if ttl else {})}
    if not isinstance(thing, ChatMessage):
        return thing.replace(metadata={**thing.metadata, "cache_control": mark})
    *before, last = thing.parts or (None,)
    if last is None or not hasattr(last, "metadata"):
        raise ConfigurationError(f"{thing!r} has no part to mark.", fix="Mark a message that has content.")
    return thing.replace(content=(*before, last.replace(metadata={**last.metadata, "cache_control": mark})))


def prompt_cache_of(given: Any) -> PromptCache | None:
    """What `prompt_cache=` means: `True` for the usual, `False` for nothing, a lifetime, or a `PromptCache`.

    Raises `ConfigurationError` for anything else, and for breakpoints there are none of.
    """
    if isinstance(given, bool):
        return PromptCache() if given else None
    if isinstance(given, str) and given:
        return PromptCache(ttl=given)
    if not isinstance(given, PromptCache):
        raise ConfigurationError(f"prompt_cache is {given!r}.", fix="Use True, a lifetime like '1h', or a PromptCache.")
    if any(place not in _PLACES for place in given.breakpoints):
        fix = f"Use a tuple of {', '.join(map(repr, _PLACES))}."
        raise ConfigurationError(f"The breakpoints of prompt_cache are {given.breakpoints!r}.", fix=fix)
    return given
