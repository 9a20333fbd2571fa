"""The protocols that clients speak to the gateway, and what of each is no codec's business: ids, headers, marks.

The codecs themselves are `llm/wire`'s; that of text completions towards clients is `text_completions`.
"""

from __future__ import annotations

from .._value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..llm.types import ChatRequest


class Protocol(Value):
    """A protocol of chat. `ends` are the marks of which a stream that has ended well has one near its end.

    `id_prefix` begins the ids of answers that have none, `id_header` is the header that says a request's id.
    """

    name: str
    id_prefix: str
    id_header: str = "x-request-id"
    ends: tuple[bytes, ...] = ()
    model_in_body: bool = True

    @property
    def dialect(self) -> Any:
        """Its codec towards clients (see `llm/wire/codec.Dialect`), imported by the first request in it."""
        if self.name == "openai_completions":
            from . import text_completions

            return text_completions
        from ..llm.call import codec_named

        return codec_named(self.name)


PROTOCOLS = {
    each.name: each
    for each in (
        Protocol("openai_chat", "chatcmpl-", ends=(b"[DONE]", b'"finish_reason":"', b'"finish_reason": "')),
        Protocol("openai_completions", "cmpl-", ends=(b"[DONE]", b'"finish_reason":"', b'"finish_reason": "')),
        Protocol("openai_responses", "resp_", ends=(b"response.completed", b"response.incomplete", b"response.failed")),
        Protocol("anthropic_messages", "msg_", "request-id", ends=(b"message_stop",)),
        Protocol("gemini", "", ends=(b'"finishReason"',), model_in_body=False),
    )
}


def spoken(path: str, headers: Any) -> Protocol:
    """The protocol of a request that no route tells: by the headers that only one protocol's clients send."""
    if "anthropic-version" in headers:
        return PROTOCOLS["anthropic_messages"]
    if path.startswith("/v1beta/") or "x-goog-api-key" in headers:
        return PROTOCOLS["gemini"]
    return PROTOCOLS["openai_chat"]


_HARMLESS: dict[str, frozenset[str]] = {
    "openai_chat": frozenset(
        ("stream_options", "metadata", "service_tier", "safety_identifier", "prompt_cache_key", "prediction",
         "prompt_cache_retention")
    ),
    "openai_completions": frozenset(("stream_options",)),
    "openai_responses": frozenset(
        ("metadata", "service_tier", "safety_identifier", "prompt_cache_key", "prompt_cache_retention", "include",
         "stream_options", "client_metadata")
    ),
    "anthropic_messages": frozenset(("metadata", "service_tier", "inference_geo")),
    "gemini": frozenset(("safetySettings", "labels", "serviceTier")),
}  # fmt: skip
"""Settings that change nothing in what an answer says: a provider without a word for one is told nothing of it."""

_USUAL: dict[str, tuple[Any, ...]] = {
    "store": (False, None), "truncation": ("disabled",), "modalities": (["text"],), "background": (False, None),
    "verbosity": ("medium",), "logit_bias": ({},), "functions": ([],),
}  # fmt: skip
"""Settings that say nothing with these values."""


def check_sayable(request: ChatRequest, wire: str) -> None:
    """Raise `UnsupportedParameterError` for the first setting that only the client's protocol has a word for.

    What changes nothing in the answer is left out instead, and told as a warning.
    """
    if request.dialect in (None, wire) or not request.extra:
        return
    harmless = _HARMLESS.get(str(request.dialect), frozenset())
    for name, value in request.extra.items():
        if value is None or name in harmless or value in _USUAL.get(name, ()) or _only_usual(name, value):
            continue
        from ..llm.errors import UnsupportedParameterError

        message = f"{name!r} can't be sent: the model that answers speaks another protocol, which has no such word."
        raise UnsupportedParameterError(message, param=name)


_TEXT_ALONE = {"responseModalities": (["TEXT"], ["text"]), "responseMimeType": ("text/plain",)}


def _only_usual(name: str, value: Any) -> bool:
    """Whether the rest of Gemini's settings says nothing but what is usual."""
    if name != "generationConfig" or not isinstance(value, dict):
        return False
    return all(each in _TEXT_ALONE.get(key, ()) for key, each in value.items())
