"""What one protocol said and no field of ours holds, kept so that it goes back to that protocol and to no other.

The rules every codec follows:

- A decoder puts the fields it does not model under its protocol's name, as in
  `metadata["anthropic_messages"] = {"caller": …}`. Inside, the key `form` is for notes about how a thing was written
  (which field reasoning came in), not what it means.
- An encoder merges what stands under its own protocol's name, without `form`, and nothing of another protocol's:
  `left_out` says what that loses.
- Any other key of `metadata` comes from a person who asked for it by name, and is the encoder's to merge or refuse.
  `cache_control` is such a name that several protocols have words for.
- A thought whose `signature` or `encrypted` a decoder read carries its protocol's name in `metadata`, if only with
  `{}`: no other protocol can verify it (`proved_elsewhere`). With no protocol's name on it, a person vouches for it.
- `ProviderPart.protocol` and `ChatRequest.dialect` tell whose words a block, a hosted tool or `extra` are in.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ..types import ChatRequest, Metadata

PROTOCOLS = (
    "openai_chat", "openai_responses", "openai_completions", "anthropic_messages", "gemini", "bedrock_converse",
    "bedrock_invoke", "cohere", "ollama", "thinking_tags",
)  # fmt: skip
"""The names that `metadata`, `protocol` and `dialect` use. The last is no protocol: `thinking/tags` notes under it."""

FORM = "form"


def own_fields(metadata: Metadata, protocol: str) -> dict[str, Any]:
    """The fields of a protocol's own that go back as they came."""
    kept = metadata.get(protocol)
    return {key: value for key, value in kept.items() if key != FORM} if isinstance(kept, dict) else {}


def form(metadata: Metadata, protocol: str) -> Mapping[str, Any]:
    """A protocol's notes on how a thing was written."""
    kept = metadata.get(protocol)
    noted = kept.get(FORM) if isinstance(kept, dict) else None
    return noted if isinstance(noted, dict) else {}


def proved_elsewhere(metadata: Metadata, protocol: str) -> str | None:
    """The other protocol whose proof a thought carries; `None` for this one's, and where nobody says whose it is."""
    return None if protocol in metadata else next((other for other in PROTOCOLS if other in metadata), None)


def asked_fields(metadata: Metadata) -> dict[str, Any]:
    """The fields that a person asked for by name: no protocol's notes."""
    return {key: value for key, value in metadata.items() if key not in PROTOCOLS}


def left_out(metadata: Metadata, protocol: str, where: str, warnings: list[str]) -> None:
    """Warn of each field that only another protocol has."""
    if metadata:
        for other in PROTOCOLS:
            if other != protocol and other in metadata and (lost := own_fields(metadata, other)):
                warnings.append(f"{', '.join(map(repr, lost))} of {where} left out: only {other} has it")


def extra_of(request: ChatRequest, protocol: str, warnings: list[str]) -> Mapping[str, Any]:
    """The settings to merge into a body of this protocol; a warning for each that is in another protocol's words."""
    if request.dialect in (None, protocol):
        return request.extra
    warnings.extend(f"{name!r} left out: only {request.dialect} has it" for name in request.extra)
    return {}
