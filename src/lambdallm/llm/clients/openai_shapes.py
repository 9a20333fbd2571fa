"""The JSON an in-process provider answers with, in OpenAI's shapes: chunks folded into a completion, vectors listed."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    Json = dict[str, Any]


def completion(chunks: Iterable[Json]) -> Json:
    """A whole `chat.completion` from the chunks of its stream, so that a provider writes only the stream."""
    head: Json = {}
    message: Json = {"role": "assistant", "content": None}
    choice: Json = {"index": 0, "message": message, "finish_reason": None}
    for chunk in chunks:
        head |= {name: value for name, value in chunk.items() if name not in ("choices", "object")}
        for piece in chunk.get("choices") or ():
            _fold(message, piece.get("delta") or {})
            choice["finish_reason"] = piece.get("finish_reason") or choice["finish_reason"]
            if piece.get("logprobs"):
                choice.setdefault("logprobs", {"content": []})["content"] += piece["logprobs"].get("content") or []
    return {"object": "chat.completion", **head, "choices": [choice]}


def _fold(message: Json, delta: Json) -> None:
    for name, value in delta.items():
        if name == "tool_calls":
            for call in value:
                _fold_call(message.setdefault("tool_calls", []), call)
        elif name != "role" and value is not None:
            message[name] = (message.get(name) or "") + value


def _fold_call(calls: list[Json], piece: Json) -> None:
    """Join a piece of a tool call to the call it names by `index`."""
    index = piece.get("index", 0)
    while len(calls) <= index:
        calls.append({"id": None, "type": "function", "function": {"name": "", "arguments": ""}})
    call, function = calls[index], piece.get("function") or {}
    call["id"] = piece.get("id") or call["id"]
    call["function"]["name"] += function.get("name") or ""
    call["function"]["arguments"] += function.get("arguments") or ""


def embeddings(model: str, vectors: Sequence[Sequence[float]], tokens: int, *, base64: bool = False) -> Json:
    """An embeddings answer; with `base64`, each vector as little-endian 32-bit floats."""
    data = [
        {"object": "embedding", "index": index, "embedding": _packed(vector) if base64 else list(vector)}
        for index, vector in enumerate(vectors)
    ]
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "model": model, "data": data, "usage": usage}


def _packed(vector: Sequence[float]) -> str:
    from binascii import b2a_base64
    from struct import pack

    return b2a_base64(pack(f"<{len(vector)}f", *vector), newline=False).decode()


def models(*ids: str, owner: str) -> Json:
    """The list of models."""
    return {
        "object": "list",
        "data": [{"id": name, "object": "model", "created": 0, "owned_by": owner} for name in ids],
    }
