"""A client's generateContent request as a `ChatRequest`: its settings and tools; the turns are read in `inbound_turns`.

Names may be spelt either way (`safety_settings`), as the API allows. What has no field of ours stays in `extra`, in
the API's spelling, with what remains of `generationConfig` and `toolConfig` as objects there.

Source: Gemini API reference, `GenerateContentRequest`, `GenerationConfig`, `ToolConfig`, `Tool`.
"""

from __future__ import annotations

import json

from ...errors import InvalidRequestError
from ...types import ChatRequest, PromptCache, ProviderPart, ResponseFormat, Thinking, ToolChoice, ToolDefinition
from .fields import MARK
from .inbound_turns import Turns
from .reading import flag, listed, malformed, mapping, number, record, text, whole_number
from .request import SETTINGS
from .response import noted
from .schema import from_openapi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

_READ = ("contents", "systemInstruction", "tools", "model", "stream")
_NUMBERS: dict[str, Callable[[Any, str], Any]] = {
    "max_tokens": whole_number,
    "temperature": number,
    "top_p": number,
    "top_k": whole_number,
    "seed": whole_number,
    "presence_penalty": number,
    "frequency_penalty": number,
    "n": whole_number,
}
_SCHEMAS = ("responseJsonSchema", "_responseJsonSchema", "responseSchema")
_EFFORTS = ("minimal", "low", "medium", "high", "xhigh")
_JSON = "application/json"


def decode_request(body: bytes, *, model: str | None = None, stream: bool | None = None) -> ChatRequest:
    """What a client asks for. Raises `InvalidRequestError` for what is malformed, with the path to it."""
    try:
        said = record(_parsed(body), "$")
        return _request(said, model, stream)
    except RecursionError:
        raise InvalidRequestError("The request is nested too deep.", fix="Flatten it.") from None


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body.decode())
    except ValueError as reason:
        raise InvalidRequestError(f"The request is no JSON: {reason}.", fix="Send JSON in UTF-8.") from None


def _request(said: dict[str, Any], model: str | None, stream: bool | None) -> ChatRequest:
    turns = Turns()
    messages = turns.read(said)
    if not messages:
        raise InvalidRequestError("'contents' is not given.", fix="Send at least one turn.", param="contents")
    settings, config = _settings(record(said.pop("generationConfig", None), "generationConfig"))
    choice, tool_config = _tool_config(record(said.pop("toolConfig", None), "toolConfig"))
    tools = tuple(_tools(listed(said.get("tools"), "tools")))
    extra = {key: value for key, value in said.items() if key not in _READ}
    cached = extra.pop("cachedContent") if isinstance(extra.get("cachedContent"), str) else None
    extra |= {name: rest for name, rest in (("generationConfig", config), ("toolConfig", tool_config)) if rest}
    return ChatRequest(
        _model(said, model),
        messages,
        tools=tools,
        tool_choice=choice,
        prompt_cache=None if cached is None else PromptCache(breakpoints=(), resource=cached),
        stream=bool(stream) if stream is not None else said.get("stream") is True,
        extra=extra,
        dialect=MARK,
        **settings,
    )


def _model(said: dict[str, Any], model: str | None) -> str:
    """The model's id, without the collection that its resource name begins with."""
    name = model or said.get("model")
    if not isinstance(name, str) or not name:
        raise InvalidRequestError("The model is not given.", fix="Name it in the URL.", param="model")
    if name.startswith(("projects/", "publishers/")) and "/models/" in name:
        return name.partition("/models/")[2]
    return name.removeprefix("models/")


def _settings(config: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The settings that have a field of ours, and the rest of `generationConfig`."""
    found: dict[str, Any] = {}
    for ours, read in _NUMBERS.items():
        if (theirs := SETTINGS[ours]) in config:
            found[ours] = read(config.pop(theirs), f"generationConfig.{theirs}")
    if "stopSequences" in config:
        found["stop"] = _stop(config.pop("stopSequences"))
    if config.get("responseLogprobs") is True:
        del config["responseLogprobs"]
        found["logprobs"] = whole_number(config.pop("logprobs", 0), "generationConfig.logprobs")
    if (format := _format(config)) is not None:
        found["response_format"] = format
    if (thinking := _thinking(config)) is not None:
        found["thinking"] = thinking
    return found, config


def _stop(value: Any) -> tuple[str, ...]:
    where = "generationConfig.stopSequences"
    items = [value] if isinstance(value, str) else listed(value, where)
    return tuple(text(item, f"{where}[{place}]") for place, item in enumerate(items))


def _format(config: dict[str, Any]) -> ResponseFormat | None:
    """The form of the answer, taken out of the settings; media types other than JSON stay there."""
    if config.get("responseMimeType", _JSON) != _JSON:
        return None
    name = next((name for name in _SCHEMAS if name in config), None)
    if name is None:
        return ResponseFormat("json") if config.pop("responseMimeType", None) else None
    config.pop("responseMimeType", None)
    schema = config.pop(name)
    if not isinstance(schema, dict):
        raise malformed(f"generationConfig.{name}", schema, "an object")
    if name == "responseSchema":
        return ResponseFormat("json_schema", from_openapi(schema), metadata=noted({}, {"schemas": "openapi"}))
    return ResponseFormat("json_schema", schema)


def _thinking(config: dict[str, Any]) -> Thinking | None:
    """How much to think, taken out of the settings; hiding thoughts alone asks for no more and no less of them."""
    where = "generationConfig.thinkingConfig"
    said = record(config.get("thinkingConfig"), where)
    if not said or (said.keys() == {"includeThoughts"} and not said["includeThoughts"]):
        return None
    del config["thinkingConfig"]
    if "includeThoughts" in said:
        flag(said["includeThoughts"], f"{where}.includeThoughts")
    budget = whole_number(said["thinkingBudget"], f"{where}.thinkingBudget") if "thinkingBudget" in said else None
    level = text(said["thinkingLevel"], f"{where}.thinkingLevel").lower() if "thinkingLevel" in said else None
    if budget is None or budget >= 0:
        said.pop("thinkingBudget", None)
    if level is None or level in _EFFORTS:
        said.pop("thinkingLevel", None)
    effort: Any = level if level in _EFFORTS else None
    return Thinking(budget != 0, effort, budget if budget and budget > 0 else None, noted(said))


def _tool_config(config: dict[str, Any]) -> tuple[ToolChoice | None, dict[str, Any]]:
    """Which function to call, and the rest of `toolConfig`."""
    where = "toolConfig.functionCallingConfig"
    said = record(config.pop("functionCallingConfig", None), where)
    if not said:
        return None, config
    mode = text(said.pop("mode", "AUTO"), f"{where}.mode").upper()
    names = listed(said.get("allowedFunctionNames"), f"{where}.allowedFunctionNames")
    if mode == "ANY" and len(names) == 1:
        del said["allowedFunctionNames"]
        return ToolChoice("tool", text(names[0], f"{where}.allowedFunctionNames[0]"), noted(said)), config
    if mode == "ANY":
        return ToolChoice("required", metadata=noted(said)), config
    if mode == "NONE":
        return ToolChoice("none", metadata=noted(said)), config
    return ToolChoice("auto", metadata=noted(said if mode == "AUTO" else said | {"mode": mode})), config


def _tools(tools: list[Any]) -> Iterator[ToolDefinition | ProviderPart]:
    """Functions and hosted tools; one object may hold several of them."""
    for place, tool in enumerate(tools):
        for kind, value in record(tool, f"tools[{place}]").items():
            where = f"tools[{place}].{kind}"
            if kind != "functionDeclarations":
                yield ProviderPart(kind, {kind: mapping(value, where)}, MARK)
                continue
            for nth, one in enumerate(listed(value, where)):
                yield _function(record(one, f"{where}[{nth}]"), f"{where}[{nth}]")


def _function(said: dict[str, Any], where: str) -> ToolDefinition:
    name = text(said.pop("name", None), f"{where}.name")
    description = text(said.pop("description", ""), f"{where}.description")
    form: dict[str, Any] = {}
    schema = said.pop("parametersJsonSchema", None)
    if schema is None and "parameters" in said:
        schema, form = from_openapi(said.pop("parameters")), {"schemas": "openapi"}
    if schema is not None and not isinstance(schema, dict):
        raise malformed(f"{where}.parameters", schema, "an object")
    return ToolDefinition(name, description, schema or {}, metadata=noted(said, form))
