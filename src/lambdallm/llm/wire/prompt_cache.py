"""What a request asks of its provider's prompt cache: marks, lifetimes, keys. Imported by the first that asks.

A mark says "keep the request up to here": `cache_control` in the metadata of a part, a message or a tool, which each
codec writes in its protocol's word. `with_prompt_cache` puts marks at the places that a request's `prompt_cache` names,
and says the rest in the fields that the provider's entry declares. It knows no protocol; the facts are:

| fact | meaning |
|---|---|
| `cache_mark` | the word for a mark; without one the provider finds what to keep by itself |
| `cache_places` | the places worth a mark, of `tools`, `system` and `messages`; none: the model takes none |
| `cache_ttls` | how long it keeps prompts, each with the fields that ask for it: `mark` in every mark, or `body` |
| `cache_key` | the field of the body that says which requests belong together |
| `cache_key_header` | the header that does |

Never in silence: a lifetime that the provider does not have, and marks for a model that takes none, are warnings. A
`resource` that a protocol can't name is an error, since the model would not see what is in it. A `key` only helps to
find what is kept, so it goes to those who ask for one and to no other.
"""

from __future__ import annotations

from ..errors import UnsupportedParameterError
from ..types import (
    AudioPart,
    DocumentPart,
    ImagePart,
    ProviderPart,
    RefusalPart,
    TextPart,
    ToolCall,
    ToolDefinition,
    ToolResult,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, TypeAlias

    from ...transport.types import Headers
    from ..types import ChatMessage, ChatRequest, Part, PromptCache
    from .codec import Facts

    Fields: TypeAlias = dict[str, Any]

CACHE = "cache_control"
"""A mark's name in metadata, whatever the protocol calls it."""

_POINT = "cachePoint"
"""Converse's own word, which may stand in metadata too."""

MOST_MARKS = 4
"""The most that a request may have, with every provider that takes marks."""

_PLACES = ("system", "messages", "tools")
"""By worth, where marks are short: one at the end of the system's words also keeps the tools before them."""

_SYSTEM = ("system", "developer")
_CONTENT = (TextPart, RefusalPart, ImagePart, AudioPart, DocumentPart, ToolCall, ToolResult)
"""The parts that can carry a mark: not thoughts, and no provider's own blocks."""


def with_prompt_cache(
    request: ChatRequest, cache: PromptCache, facts: Facts, warnings: list[str]
) -> tuple[ChatRequest, Fields, Headers]:
    """The request with marks, and what its body and its headers have to say.

    Raises `UnsupportedParameterError` for a `resource`, for more marks than there may be, and for a key that no header
    can hold. A codec that can name a resource takes it out before.
    """
    if cache.resource is not None:
        raise UnsupportedParameterError(
            f"prompt_cache.resource={cache.resource!r} is a cache that this provider can't read.",
            fix="Send its content in the messages, or call the provider that keeps it.",
            param="prompt_cache.resource",
        )
    lifetime = _lifetime(cache, facts, warnings)
    if facts.get("cache_mark"):
        request = _marked(request, cache, facts, lifetime.get("mark", {}), warnings)
    name = facts.get("cache_key")
    body = {**lifetime.get("body", {}), **({name: cache.key} if name and cache.key is not None else {})}
    return request, body, _key_header(cache.key, facts)


def without_controls(request: ChatRequest, warnings: list[str]) -> None:
    """Warn of, or refuse, what a protocol without a word for a prompt cache can't do about one."""
    if request.prompt_cache is not None:
        with_prompt_cache(request, request.prompt_cache, {}, warnings)


def _lifetime(cache: PromptCache, facts: Facts, warnings: list[str]) -> Fields:
    """The fields that ask for a lifetime; those of the provider's usual one are none."""
    if cache.ttl is None:
        return {}
    known: Fields = facts.get("cache_ttls", {})
    if cache.ttl not in known:
        words = f"it has {', '.join(map(repr, known))}" if known else "it decides that itself"
        warnings.append(f"'prompt_cache.ttl': {cache.ttl!r} left out: this provider has no such lifetime, {words}")
    fields: Fields = known.get(cache.ttl, {})
    return fields


def _key_header(key: str | None, facts: Facts) -> Headers:
    name = facts.get("cache_key_header")
    if key is None or not name:
        return ()
    if not (key.isascii() and key.isprintable()):
        fix = "Use printable ASCII characters."
        raise UnsupportedParameterError(f"prompt_cache.key={key!r} can't stand in the header {name!r}.", fix=fix)
    return ((name, key),)


def _marked(
    request: ChatRequest, cache: PromptCache, facts: Facts, lifetime: Fields, warnings: list[str]
) -> ChatRequest:
    """The request with a mark at the end of each place that has none yet, as long as there may be more."""
    places = facts.get("cache_places", _PLACES)
    if not places and cache.breakpoints:
        warnings.append("'prompt_cache' left out: this model takes no marks for a prompt cache")
    count = sum(_marks_of(request))
    if count > MOST_MARKS:
        raise UnsupportedParameterError(
            f"{count} parts of the request are marked for the prompt cache; {MOST_MARKS} may be.",
            fix="Mark fewer: what comes before a mark is kept with it.",
            param="prompt_cache",
        )
    bare, mark = request, {"type": "ephemeral", **lifetime}
    for place in _PLACES:
        if place in cache.breakpoints and place in places:
            marked = _MARKERS[place](request, mark)
            if marked is not request and count == MOST_MARKS:
                warnings.append(f"'prompt_cache': no mark for the {place!r}, {MOST_MARKS} parts are marked already")
            elif marked is not request:
                request, count = marked, count + 1
    if lifetime and request is bare:
        warnings.append(f"'prompt_cache.ttl': {cache.ttl!r} left out: no place is marked for it")
    return request


def _marks_of(request: ChatRequest) -> Iterator[bool]:
    for tool in request.tools:
        yield _is_marked(tool)
    for message in request.messages:
        yield CACHE in message.metadata
        for part in message.parts:
            yield _is_marked(part)
            if isinstance(part, ToolResult) and not isinstance(part.content, str):
                yield from map(_is_marked, part.content)


def _is_marked(part: Part | ToolDefinition) -> bool:
    if isinstance(part, ProviderPart):
        return part.type == _POINT or CACHE in part.value
    return CACHE in part.metadata or _POINT in part.metadata


def _mark_tools(request: ChatRequest, mark: Fields) -> ChatRequest:
    """Mark the last tool that is described here: a provider's own tools are its own affair."""
    at = next((n for n in range(len(request.tools) - 1, -1, -1) if isinstance(request.tools[n], ToolDefinition)), None)
    if at is None or any(map(_is_marked, request.tools[at:])):
        return request
    tools: Any = request.tools
    return request.replace(tools=(*tools[:at], _with(tools[at], mark), *tools[at + 1 :]))


def _mark_system(request: ChatRequest, mark: Fields) -> ChatRequest:
    """Mark the last of the system's words before the first turn."""
    turns = (n for n, message in enumerate(request.messages) if message.role not in _SYSTEM)
    return _mark_last(request, range(next(turns, len(request.messages))), mark)


def _mark_messages(request: ChatRequest, mark: Fields) -> ChatRequest:
    """Mark the end of the conversation so far, where its next request goes on."""
    turns = [n for n, message in enumerate(request.messages) if message.role not in _SYSTEM]
    return _mark_last(request, turns, mark)


def _mark_last(request: ChatRequest, places: range | list[int], mark: Fields) -> ChatRequest:
    """Mark the last part that can carry a mark, of the messages at some places."""
    for place in reversed(places):
        message = request.messages[place]
        marked = _mark_message(message, mark)
        if marked is message:
            return request
        if marked is not None:
            return request.replace(messages=(*request.messages[:place], marked, *request.messages[place + 1 :]))
    return request


def _mark_message(message: ChatMessage, mark: Fields) -> ChatMessage | None:
    """A message with its last part marked; itself where that is so already, `None` where no part can be."""
    parts = message.parts
    if CACHE in message.metadata:
        return message
    for at in range(len(parts) - 1, -1, -1):
        if _is_marked(parts[at]):
            return message
        if isinstance(parts[at], _CONTENT) and getattr(parts[at], "text", None) != "":
            return message.replace(content=(*parts[:at], _with(parts[at], mark), *parts[at + 1 :]))
    return None


def _with(part: Any, mark: Fields) -> Any:
    return part.replace(metadata={**part.metadata, CACHE: mark})


_MARKERS: dict[str, Callable[[ChatRequest, Fields], ChatRequest]] = {
    "tools": _mark_tools,
    "system": _mark_system,
    "messages": _mark_messages,
}
