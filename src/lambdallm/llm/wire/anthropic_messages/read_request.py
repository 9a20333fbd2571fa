"""A client's request: the body of a Messages call as a `ChatRequest`.

What our values have no field for (`service_tier`, `container`, `mcp_servers`, effort without thinking, a setting of
next year) is in `extra`, and comes back into the body where this protocol's encoder writes it. `anthropic_version` is
the endpoint's affair and is dropped. Beta features named in a header never come here.

Source: Messages API reference, "Create a Message", body parameters.
"""

from __future__ import annotations

import json

from ...errors import InvalidRequestError
from ...types import ChatRequest, PromptCache, ProviderPart, ResponseFormat, Thinking, ToolChoice, ToolDefinition
from .expect import checked, malformed, objects, optional, required, shown
from .read_content import decode_messages, decode_system
from .response import MARK, rest_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Literal

    from ...types import Metadata

_SETTINGS: dict[str, type] = {"temperature": float, "top_p": float, "top_k": int}
_READ = frozenset(
    ("model", "messages", "system", "max_tokens", "stop_sequences", "stream", "metadata", "tools", "tool_choice",
     "thinking", "output_config", "output_format", "anthropic_version", *_SETTINGS)
)  # fmt: skip
_EFFORTS: tuple[Any, ...] = ("low", "medium", "high", "xhigh", "max")
_MODES: dict[str, Literal["auto", "none", "required", "tool"]] = {
    "auto": "auto", "any": "required", "tool": "tool", "none": "none",
}  # fmt: skip
_OWN_TOOL = (None, "custom")
"""The types of a tool that the client runs and describes itself."""

_TOOL_FIELDS = frozenset(("type", "name", "description", "input_schema", "strict", "cache_control"))


def decode_request(body: bytes, *, model: str | None = None, stream: bool | None = None) -> ChatRequest:
    """What a client asks for; `model` and `stream` where its URL says them. Raises `InvalidRequestError`."""
    return read_request(body, model, stream, counting=False)


def read_request(body: bytes, model: str | None, stream: bool | None, *, counting: bool) -> ChatRequest:
    """The same; a request for `counting` its tokens has no `max_tokens`."""
    try:
        return _request(_object(body), model, stream, counting=counting)
    except RecursionError:
        raise InvalidRequestError("The request body is nested too deeply.") from None


def _object(body: bytes) -> dict[str, Any]:
    try:
        asked = json.loads(body.decode(), parse_constant=_no_constant)
    except ValueError as problem:
        raise InvalidRequestError(f"The request body is not valid JSON: {problem}") from None
    if not isinstance(asked, dict):
        raise InvalidRequestError(f"The request body should be an object, not {shown(asked)}")
    return asked


def _no_constant(word: str) -> None:
    raise ValueError(f"{word} is no number")


def _request(asked: dict[str, Any], model: str | None, stream: bool | None, *, counting: bool) -> ChatRequest:
    extra = dict(rest_of(asked, _READ))
    turns = required(asked, "messages", list, "")
    if not turns:
        raise malformed("messages", "at least one message is required")
    limit = optional(asked, "max_tokens", int, "") if counting else required(asked, "max_tokens", int, "")
    output = dict(optional(asked, "output_config", dict, "") or {})
    fields = {
        "response_format": _response_format(asked, output),
        "thinking": _thinking(asked, output, extra),
        "user": _user(asked, extra),
        "prompt_cache": _prompt_cache(extra),
        **_choice(asked),
        **{name: optional(asked, name, kind, "") for name, kind in _SETTINGS.items()},
    }
    if output := {name: value for name, value in output.items() if value is not None}:
        extra["output_config"] = output
    return ChatRequest(
        model or required(asked, "model", str, ""),
        (*decode_system(asked.get("system"), "system"), *decode_messages(turns, "messages")),
        tools=_tools(asked),
        max_tokens=_limit(limit),
        stop=_stop(asked),
        stream=bool(optional(asked, "stream", bool, "")) if stream is None else stream,
        extra=extra,
        dialect=MARK,
        **fields,
    )


def _limit(value: int | None) -> int | None:
    if value is not None and value < 0:
        raise malformed("max_tokens", f"Input should be greater than or equal to 0, not {value}")
    return value


def _stop(asked: dict[str, Any]) -> tuple[str, ...]:
    words = optional(asked, "stop_sequences", list, "") or ()
    return tuple(checked(word, str, f"stop_sequences.{index}") for index, word in enumerate(words))


def _user(asked: dict[str, Any], extra: dict[str, Any]) -> str | None:
    """`metadata.user_id`; the rest of the metadata stays as it is."""
    metadata = optional(asked, "metadata", dict, "") or {}
    if rest := rest_of(metadata, frozenset(("user_id",))):
        extra["metadata"] = dict(rest)
    user: str | None = optional(metadata, "user_id", str, "metadata")
    return user


def _prompt_cache(extra: dict[str, Any]) -> PromptCache | None:
    """The mark on the whole request, which the API puts on its last part; one that says more stays as it is."""
    marker = extra.get("cache_control")
    if not isinstance(marker, dict) or marker.get("type") != "ephemeral" or marker.keys() - {"type", "ttl"}:
        return None
    ttl = marker.get("ttl")
    if ttl is not None and not isinstance(ttl, str):
        return None
    del extra["cache_control"]
    return PromptCache(ttl, breakpoints=("messages",))


def _thinking(asked: dict[str, Any], output: dict[str, Any], extra: dict[str, Any]) -> Thinking | None:
    """Thinking, with the effort taken out of `output`. Effort alone asks for no thinking and stays where it is.

    A type that is neither on nor off stays in `extra`.
    """
    thinking = optional(asked, "thinking", dict, "")
    effort = optional(output, "effort", str, "output_config")
    if thinking is None:
        return None
    kind = required(thinking, "type", str, "thinking")
    notes = _notes(thinking, "type", "budget_tokens")
    if kind == "disabled":
        return Thinking(False, metadata=notes)
    if kind not in ("enabled", "adaptive"):
        extra["thinking"] = thinking
        return None
    budget = required(thinking, "budget_tokens", int, "thinking") if kind == "enabled" else None
    if effort not in _EFFORTS:
        return Thinking(True, None, budget, notes)
    return Thinking(True, output.pop("effort"), budget, notes)


def _response_format(asked: dict[str, Any], output: dict[str, Any]) -> ResponseFormat | None:
    """The schema asked for, taken out of `output`; `output_format` is the name it had before."""
    path = "output_config.format" if output.get("format") is not None else "output_format"
    wanted = optional(output, "format", dict, "output_config") or optional(asked, "output_format", dict, "")
    if wanted is None:
        return None
    kind = required(wanted, "type", str, path)
    if kind != "json_schema":
        raise malformed(f"{path}.type", f"Input should be 'json_schema', not {shown(kind)}")
    output.pop("format", None)
    schema = required(wanted, "schema", dict, path)
    return ResponseFormat("json_schema", schema, metadata=_notes(wanted, "type", "schema"))


def _choice(asked: dict[str, Any]) -> dict[str, Any]:
    """`tool_choice`, which also says whether calls may be parallel."""
    choice = optional(asked, "tool_choice", dict, "")
    if choice is None:
        return {}
    kind = required(choice, "type", str, "tool_choice")
    if kind not in _MODES:
        raise malformed("tool_choice.type", f"Input should be 'auto', 'any', 'tool' or 'none', not {shown(kind)}")
    name = required(choice, "name", str, "tool_choice") if kind == "tool" else None
    single = optional(choice, "disable_parallel_tool_use", bool, "tool_choice")
    notes = _notes(choice, "type", "name", "disable_parallel_tool_use")
    return {
        "tool_choice": ToolChoice(_MODES[kind], name, notes),
        "parallel_tool_calls": None if single is None else not single,
    }


def _tools(asked: dict[str, Any]) -> tuple[ToolDefinition | ProviderPart, ...]:
    return tuple(_tool(tool, path) for tool, path in objects(optional(asked, "tools", list, "") or [], "tools"))


def _tool(tool: dict[str, Any], path: str) -> ToolDefinition | ProviderPart:
    kind = optional(tool, "type", str, path)
    if kind not in _OWN_TOOL:
        return ProviderPart(kind, tool, MARK)
    marker = optional(tool, "cache_control", dict, path)
    return ToolDefinition(
        required(tool, "name", str, path),
        optional(tool, "description", str, path) or "",
        required(tool, "input_schema", dict, path),
        optional(tool, "strict", bool, path),
        {**_notes(tool, *_TOOL_FIELDS), **({} if marker is None else {"cache_control": marker})},
    )


def _notes(record: dict[str, Any], *known: str) -> Metadata:
    rest = rest_of(record, frozenset(known))
    return {MARK: dict(rest)} if rest else {}
