"""The deterministic provider: it answers with what it was told, so that tests and demos need no model.

`echo/echo` says the last user message again, word by word when streamed; asked for a structure it gives the smallest
value the schema allows; made to call a tool (`tool_choice`) it calls it with the smallest arguments. A token is a word.
`echo/error-429` and its kin answer every request with that HTTP status. Texts that share words have similar embeddings.
"""

from __future__ import annotations

import json

from . import openai_shapes
from .in_process import InProcessTransport, refuse
from .schema_example import example

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from .in_process import Ask

    Json = dict[str, Any]

MODEL = "echo"
_DEFAULT_DIMENSIONS = 64


class EchoTransport(InProcessTransport):
    """Answers OpenAI's chat, embeddings and models requests; no thread, no clock, no network."""

    blocks = False

    def answer(self, ask: Ask) -> dict[str, Any]:
        """A whole answer; the same request always gets the same one."""
        if ask.path == "/models":
            return openai_shapes.models(MODEL, owner="lambdallm")
        _check_model(ask.body)
        if ask.path == "/embeddings":
            return _embeddings(ask.body)
        with_usage = ask.body | {"stream_options": {"include_usage": True}}
        return openai_shapes.completion(self.stream(ask.replace(body=with_usage)))

    def stream(self, ask: Ask) -> Iterator[dict[str, Any]]:
        """The chunks of a chat completion, a word each."""
        if ask.path != "/chat/completions":
            refuse(404, f"The echo provider has no {ask.path!r}.", code="unknown_url")
        _check_model(ask.body)
        return _chunks(ask.body)


def _check_model(body: Json) -> None:
    """Refuse by the model's name: an unknown one, or one that asks for an error."""
    model = str(body.get("model") or MODEL)
    kind, _, status = model.partition("-")
    if kind == "error" and status.isdecimal() and 400 <= int(status) <= 599:
        headers = (("retry-after", "1"),) if status == "429" else ()
        refuse(
            int(status), f"The model {model!r} always answers HTTP {status}.",
            kind=_KINDS.get(int(status), "server_error" if int(status) >= 500 else "invalid_request_error"),
            headers=headers,
        )  # fmt: skip
    if model not in (MODEL, "default"):
        refuse(
            404, f"The model {model!r} does not exist; there are {MODEL!r} and 'error-<status>'.",
            code="model_not_found", param="model",
        )  # fmt: skip


_KINDS = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error"}


def _chunks(body: Json) -> Iterator[Json]:
    messages = body.get("messages")
    if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages) or not messages:
        refuse(400, "'messages' must be a list of at least one message.", param="messages")
    words, finish = _words(_said(body, messages)), "stop"
    call = _forced_call(body)
    limit = body.get("max_completion_tokens") or body.get("max_tokens")
    if limit is not None and len(words) > limit and not call:
        words, finish = words[:limit], "length"
    return _events(messages, [] if call else words, call, "tool_calls" if call else finish, body)


def _events(messages: list[Json], words: list[str], call: Json | None, finish: str, body: Json) -> Iterator[Json]:
    head = {"id": _digest(messages), "object": "chat.completion.chunk", "created": 0, "model": MODEL}
    deltas: list[Json] = [{"role": "assistant", "content": ""}, *({"content": word} for word in words)]
    deltas += [{"tool_calls": [call]}] if call else []
    for delta in deltas:
        yield {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    yield {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]}
    if (body.get("stream_options") or {}).get("include_usage"):
        read = sum(len(_words(_text(message))) for message in messages)
        written = len(_words(call["function"]["arguments"])) if call else len(words)
        usage = {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}
        yield {**head, "choices": [], "usage": usage}


def _said(body: Json, messages: list[Json]) -> str:
    """The answer's text: a structure when one is asked for, else the last user message."""
    wanted = body.get("response_format") or {}
    if wanted.get("type") == "json_schema":
        return json.dumps(_example(wanted.get("json_schema", {}).get("schema", {}), "response_format"))
    last = next((m for m in reversed(messages) if m.get("role") == "user"), messages[-1])
    text = _text(last)
    return json.dumps({"echo": text}) if wanted.get("type") == "json_object" else text


def _forced_call(body: Json) -> Json | None:
    """The call of the tool that `tool_choice` demands."""
    choice, tools = body.get("tool_choice"), body.get("tools") or []
    name = choice.get("function", {}).get("name") if isinstance(choice, dict) else None
    if not tools or (choice != "required" and name is None):
        return None
    function = next((t["function"] for t in tools if name in (None, t["function"]["name"])), None)
    if function is None:
        refuse(400, f"'tool_choice' names {name!r}, which is not among 'tools'.", param="tool_choice")
    arguments = json.dumps(_example(function.get("parameters") or {"type": "object"}, "tools"))
    called = {"name": function["name"], "arguments": arguments}
    return {"index": 0, "id": "call_echo", "type": "function", "function": called}


def _example(schema: Any, param: str) -> Any:
    try:
        return example(schema)
    except ValueError as error:
        refuse(400, str(error), param=param)


def _text(message: Json) -> str:
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content if isinstance(part, dict))


def _words(text: str) -> list[str]:
    """The text cut before the space in front of each word, so that joining the pieces gives it back."""
    import re

    return re.findall(r"\s*\S+(?:\s+$)?|^\s+$", text)


def _digest(messages: list[Json]) -> str:
    from hashlib import sha256

    return f"chatcmpl-{sha256(json.dumps(messages, sort_keys=True).encode()).hexdigest()[:24]}"


def _embeddings(body: Json) -> Json:
    given = body.get("input")
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) and text for text in texts):
        refuse(400, "'input' must be a text or a list of texts, none of them empty.", param="input")
    dimensions = body.get("dimensions") or _DEFAULT_DIMENSIONS
    vectors = [_vector(text, dimensions) for text in texts]
    tokens = sum(len(text.split()) for text in texts)
    return openai_shapes.embeddings(MODEL, vectors, tokens, base64=body.get("encoding_format") == "base64")


def _vector(text: str, dimensions: int) -> list[float]:
    """The sum of a pseudo-random vector for each word, of length one."""
    total = [0.0] * dimensions
    for word in text.lower().split() or [text]:
        for index, value in enumerate(_noise(word, dimensions)):
            total[index] += value - 127.5
    length = sum(value * value for value in total) ** 0.5
    return [value / length for value in total]


def _noise(word: str, dimensions: int) -> bytes:
    from hashlib import shake_128

    return shake_128(word.encode()).digest(dimensions)
