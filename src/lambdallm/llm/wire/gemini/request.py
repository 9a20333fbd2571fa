"""A chat request as the body of a generateContent call. The facts read here are listed in `gemini`.

Sources: Gemini API reference, `GenerateContentRequest`, `GenerationConfig`, `ToolConfig`; Vertex AI, "Function
calling"; "Thinking" (budgets of 2.5, levels of 3); "OpenAI compatibility" (budgets by effort).
"""

from __future__ import annotations

from ...errors import UnsupportedParameterError
from ...types import ProviderPart
from ..body import body_writer
from ..codec import Encoded
from ..notes import asked_fields, extra_of, form, left_out, own_fields
from .contents import encode_messages
from .fields import MARK, camel, camelled
from .parts import Context

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Literal, TypeAlias

    from ...types import ChatRequest, Metadata, PromptCache, ResponseFormat, Thinking, ToolChoice, ToolDefinition
    from ..codec import Facts

    Effort: TypeAlias = Literal["minimal", "low", "medium", "high"]

SETTINGS = {
    "max_tokens": "maxOutputTokens", "temperature": "temperature", "top_p": "topP", "top_k": "topK",
    "stop": "stopSequences", "seed": "seed", "presence_penalty": "presencePenalty",
    "frequency_penalty": "frequencyPenalty", "n": "candidateCount",
}  # fmt: skip
"""Settings by their names in `generationConfig`."""

MODES = {"auto": "AUTO", "none": "NONE", "required": "ANY", "tool": "ANY"}
_PARAMETERS = (
    *SETTINGS, "tools", "tool_choice", "parallel_tool_calls", "logprobs", "response_format", "thinking", "user",
)  # fmt: skip

_WORDS = ("minimal", "low", "medium", "high", "xhigh", "max")
_LEVELS: tuple[Effort, ...] = ("minimal", "low", "medium", "high")
_BUDGETS = {"minimal": 1024, "low": 1024, "medium": 8192, "high": 24576, "xhigh": 24576, "max": 24576}
_MERGED = ("generationConfig", "toolConfig")
"""Objects that the request's own fields and `extra` fill together."""


def encode_request(request: ChatRequest, facts: Facts) -> Encoded:
    """The request's body.

    Raises `UnsupportedParameterError` naming the first parameter that the protocol or the model can't take. `user`
    steers nothing and is left out with a warning; a schema's `strict` and `name` have no counterpart, since answers
    always match the schema.
    """
    warnings: list[str] = []
    return Encoded(_json(body_of(request, facts, warnings)), warnings=tuple(warnings))


def body_of(request: ChatRequest, facts: Facts, warnings: list[str]) -> dict[str, Any]:
    """The request's body as an object."""
    kept: dict[str, Any] = {}
    if request.prompt_cache is not None:
        kept = _prompt_cache(request, request.prompt_cache, warnings)
    asked = _asked(request, facts, warnings)
    exact = request.dialect == MARK
    system, contents = encode_messages(request.messages, Context(facts, warnings, exact=exact))
    body: dict[str, Any] = {"contents": contents, **kept}
    if system is not None:
        body["systemInstruction"] = system
    if "tools" in asked:
        body["tools"] = _tools(asked["tools"], facts, warnings)
    if config := _tool_config(asked, facts, warnings):
        body["toolConfig"] = {"functionCallingConfig": config}
    if settings := _generation_config(asked, facts, warnings, exact=exact):
        body["generationConfig"] = settings
    return _with_extra(body, extra_of(request, MARK, warnings))


def _prompt_cache(request: ChatRequest, cache: PromptCache, warnings: list[str]) -> dict[str, Any]:
    """The cache to go on from, by name. Without one the API keeps prompts by itself, for as long as it likes."""
    from ..prompt_cache import without_controls

    without_controls(request.replace(prompt_cache=cache.replace(resource=None)), warnings)
    return {"cachedContent": cache.resource} if cache.resource is not None else {}


def _asked(request: ChatRequest, facts: Facts, warnings: list[str]) -> dict[str, Any]:
    """The parameters that were given, less those the model ignores."""
    given = {name: getattr(request, name) for name in _PARAMETERS}
    given = {name: value for name, value in given.items() if value is not None and value != ()}
    ignored, refused = facts.get("ignored", ()), facts.get("unsupported", ())
    for name in list(given):
        if name in ignored:
            warnings.append(f"{name!r} was left out: the model ignores it")
            del given[name]
        elif name in refused or (name == "parallel_tool_calls" and given[name] is False):
            raise _unsupported(name, given[name])
        elif name == "user":
            warnings.append("'user' was left out: the protocol has no such field")
    return given


def _unsupported(name: str, value: object) -> UnsupportedParameterError:
    return UnsupportedParameterError(f"{name}={value!r} can't be asked of this model.", param=name)


def _generation_config(asked: Mapping[str, Any], facts: Facts, warnings: list[str], *, exact: bool) -> dict[str, Any]:
    config: dict[str, Any] = {SETTINGS[name]: value for name, value in asked.items() if name in SETTINGS}
    if (logprobs := asked.get("logprobs")) is not None:
        config |= {"responseLogprobs": True} | ({"logprobs": logprobs} if logprobs else {})
    if "response_format" in asked:
        config |= _format(asked["response_format"], facts, warnings)
    if "thinking" in asked and (thinking := _thinking(asked["thinking"], facts, warnings, exact=exact)):
        config["thinkingConfig"] = thinking
    return config


def _format(asked: ResponseFormat, facts: Facts, warnings: list[str]) -> dict[str, Any]:
    more = _more(asked.metadata, "response_format", warnings)
    if asked.type == "text":
        return more
    body: dict[str, Any] = {"responseMimeType": "application/json"}
    if asked.type == "json_schema" and asked.schema is not None:
        if not facts.get("json_schema", True):
            raise _unsupported("response_format", asked.type)
        schema = dict(asked.schema)
        if asked.description:
            schema.setdefault("description", asked.description)
        body |= _schema(schema, ("responseJsonSchema", "responseSchema"), asked.metadata, facts, warnings)
    return body | more


def _schema(
    schema: Mapping[str, Any], names: tuple[str, str], metadata: Metadata, facts: Facts, warnings: list[str]
) -> dict[str, Any]:
    """A schema under the name, and in the words, that the model knows; else as the client wrote it."""
    kind = facts.get("schemas") or form(metadata, MARK).get("schemas", "json")
    if kind != "openapi":
        return {names[0]: schema}
    from .schema import to_openapi

    return {names[1]: to_openapi(schema, names[1], warnings)}


def _more(metadata: Metadata, where: str, warnings: list[str]) -> dict[str, Any]:
    """What metadata adds: this protocol's own fields and those asked for by name."""
    left_out(metadata, MARK, where, warnings)
    return own_fields(metadata, MARK) | camelled(asked_fields(metadata))


def _thinking(asked: Thinking, facts: Facts, warnings: list[str], *, exact: bool) -> dict[str, Any]:
    """How much to think, in the form the model takes; thoughts are shown unless the request says otherwise."""
    forms = facts.get("thinking", ("budget", "level"))
    off = not asked.enabled or asked.effort == "none"
    more = _more(asked.metadata, "thinking", warnings)
    if off:
        return _no_thinking(asked, forms, facts, warnings) | more
    if not forms:
        raise _unsupported("thinking", asked)
    shown = {} if exact else {"includeThoughts": True}
    return _amount(asked, forms, facts, warnings) | shown | more


def _no_thinking(asked: Thinking, forms: Any, facts: Facts, warnings: list[str]) -> dict[str, Any]:
    """No tokens to think with; the least level for a model that only has levels; nothing where it never thinks."""
    if not forms:
        return {}
    levels = facts.get("thinking_levels", _LEVELS)
    if not facts.get("thinking_off", True) or ("budget" not in forms and "minimal" not in levels):
        raise _unsupported("thinking", asked)
    if "budget" in forms:
        return {"thinkingBudget": 0}
    warnings.append("thinking became 'minimal': the model can't be kept from it")
    return {"thinkingLevel": "MINIMAL"}


def _amount(asked: Thinking, forms: Any, facts: Facts, warnings: list[str]) -> dict[str, Any]:
    effort, budget = asked.effort, asked.budget_tokens
    budgets: Mapping[str, int] = facts.get("thinking_budgets", _BUDGETS)
    if budget is not None and effort is not None:
        lost = "effort" if "budget" in forms else "budget_tokens"
        warnings.append(f"'thinking.{lost}' was left out: the model takes one of effort and budget")
    if budget is not None and "budget" in forms:
        return {"thinkingBudget": budget}
    if effort is None and budget is not None:
        effort = _nearest_effort(budget)
        warnings.append(f"thinking.budget_tokens={budget} became effort {effort!r}: the model takes no budget")
    if effort is None:
        return {}
    if "level" not in forms:
        return {"thinkingBudget": budgets.get(effort, _BUDGETS[effort])}
    return {"thinkingLevel": _level(effort, facts, warnings).upper()}


def _nearest_effort(budget: int) -> Effort:
    return min(_LEVELS, key=lambda word: abs(_BUDGETS[word] - budget))


def _level(effort: str, facts: Facts, warnings: list[str]) -> str:
    """The word, or the nearest that the model has; of two the larger."""
    levels: Any = facts.get("thinking_levels", _LEVELS)
    if effort in levels:
        return effort
    at = _WORDS.index(effort)
    known = [word for word in _WORDS if word in levels]
    nearest = min(reversed(known), key=lambda word: abs(_WORDS.index(word) - at), default=effort)
    warnings.append(f"thinking.effort={effort!r} became {nearest!r}, the nearest the model has")
    return nearest


def _tools(tools: tuple[ToolDefinition | ProviderPart, ...], facts: Facts, warnings: list[str]) -> list[Any]:
    """All functions in one tool, as Vertex wants them, and each hosted tool in its own."""
    functions: list[dict[str, Any]] = []
    hosted: list[dict[str, Any]] = []
    for place, tool in enumerate(tools):
        if not isinstance(tool, ProviderPart):
            functions.append(_function(tool, facts, f"tools[{place}]", warnings))
        elif tool.protocol in ("", MARK):
            name = camel(tool.type)
            hosted.append(dict(tool.value) if name in tool.value else {name: dict(tool.value)})
        else:
            warnings.append(f"tools[{place}]: {tool.type!r} left out: only {tool.protocol} has it")
    return ([{"functionDeclarations": functions}] if functions else []) + hosted


def _function(tool: ToolDefinition, facts: Facts, where: str, warnings: list[str]) -> dict[str, Any]:
    declared: dict[str, Any] = {"name": tool.name}
    if tool.description:
        declared["description"] = tool.description
    if tool.parameters:
        names = ("parametersJsonSchema", "parameters")
        declared |= _schema(tool.parameters, names, tool.metadata, facts, warnings)
    if tool.strict and not facts.get("validated"):
        warnings.append(f"'strict' of {where} left out: the protocol has no such field")
    more = _more(tool.metadata, where, warnings)
    if more.pop("cacheControl", None) is not None:
        warnings.append(f"'cache_control' of {where} left out: the protocol has no such field")
    return declared | more


def _tool_config(asked: Mapping[str, Any], facts: Facts, warnings: list[str]) -> dict[str, Any]:
    choice: ToolChoice | None = asked.get("tool_choice")
    strict = facts.get("validated") and any(getattr(tool, "strict", None) for tool in asked.get("tools", ()))
    if choice is None:
        return {"mode": "VALIDATED"} if strict else {}
    config: dict[str, Any] = {"mode": "VALIDATED" if strict and choice.mode == "auto" else MODES[choice.mode]}
    if choice.mode == "tool":
        config["allowedFunctionNames"] = [choice.name]
    return config | _more(choice.metadata, "tool_choice", warnings)


def _with_extra(body: dict[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    """The body with `extra`; what both fill is merged down to the second level (`generationConfig.thinkingConfig`)."""
    for key, value in extra.items():
        known = body.get(key)
        if key in _MERGED and isinstance(known, dict) and hasattr(value, "keys"):
            body[key] = _merged(known, dict(value))
        else:
            body[key] = value
    return body


def _merged(known: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    both = {key: known[key] | dict(more[key]) for key in more if isinstance(known.get(key), dict) and more[key]}
    return known | more | both


_json = body_writer()
