"""The ways to ask for a structure, and which of them suit a model.

| mode       | what is sent                                                                         |
|------------|--------------------------------------------------------------------------------------|
| `native`   | the schema as the answer's format; the provider keeps the model to it                |
| `tool`     | one tool whose parameters are the schema, and the demand to call it                  |
| `json`     | the demand for JSON as the answer's format, the schema in the system prompt          |
| `prompted` | the schema in the system prompt alone                                                |

`auto` takes the first that the model's facts promise, then those they do not deny, and goes on to the next where a
provider refuses one.
"""

from __future__ import annotations

import json

from ..._value import Value
from ..clients.behind import answering
from ..errors import ConfigurationError, InvalidRequestError, UnsupportedParameterError
from ..types import ResponseFormat, ToolChoice, ToolDefinition
from .dialect import UNKNOWN, common, dialect_of, written

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from typing import Any, Literal

    from ..clients.behind import Behind
    from ..errors import LLMError
    from .dialect import Dialect
    from .output_model import OutputModel

    Mode = Literal["native", "tool", "json", "prompted"]
    AskedMode = Mode | Literal["auto"]

MODES: tuple[Mode, ...] = ("native", "tool", "json", "prompted")

_RULE = "Answer with JSON alone, no other text, matching this JSON Schema:\n"


class Ask(Value):
    """One way to ask: options of the call, the tool to be called, and what the system prompt is to say."""

    mode: Mode
    options: Mapping[str, Any]
    tool: ToolDefinition | None = None
    words: str = ""
    warnings: tuple[str, ...] = ()


class Known(Value):
    """What is known of the model that will answer, or of all that may; `None` where nothing is."""

    native: bool | None
    tools: bool | None
    dialect: Dialect
    declared: tuple[Mode, ...] = ()

    def denies(self, mode: Mode) -> bool:
        """Whether the facts say that the model can't be asked this way."""
        return {"native": self.native, "tool": self.tools, "json": self.dialect.json}.get(mode, True) is False

    def takes(self, mode: Mode) -> bool:
        """Whether the model may be asked this way, as far as is known."""
        return mode in self.declared if self.declared else not self.denies(mode)


def known_of(client: Any, model: str | None) -> Known:
    """What is known of those that may answer a client's call: what all of them can be asked.

    A client of ours has its model's facts. Any other may declare `structured_modes`, the modes it takes, the best one
    first; one that hands its calls on has `behind` (see `HandsOnProtocol`).
    """
    declared = _declared(client)
    if declared:
        return Known("native" in declared or None, "tool" in declared or None, UNKNOWN, declared)
    each = [_known(end) for end in answering(client, model)]
    return each[0] if len(each) == 1 else _of_all(each)


def _declared(client: Any) -> tuple[Mode, ...]:
    declared = tuple(getattr(client, "structured_modes", None) or ())
    for mode in declared:
        checked_mode(mode)
    return declared


def _known(end: Behind) -> Known:
    """What is known of one; whose calls are its own (no target, or no wire protocol) is told in words."""
    declared, target = _declared(end.client), end.target
    if target is None or not target.wire:
        native = end.facts.get("json_schema", "native" in declared or None)
        tools = end.facts.get("tools", "tool" in declared or None)
        can: tuple[tuple[Mode, Any], ...] = (("native", native), ("tool", tools), ("prompted", True))
        return Known(native, tools, UNKNOWN, declared or tuple(mode for mode, said in can if said))
    native = target.model.json_schema
    native = target.facts.get("json_schema") if native is None else native
    tools = False if "tools" in target.facts.get("unsupported", ()) else target.model.tools
    return Known(native, tools, dialect_of(target.wire, target.facts), declared)


def _of_all(each: list[Known]) -> Known:
    """What several can be asked alike."""
    declared: tuple[Mode, ...] = ()
    if any(known.declared for known in each):
        declared = tuple(mode for mode in MODES if all(known.takes(mode) for known in each)) or ("prompted",)
    native, tools = _agreed([known.native for known in each]), _agreed([known.tools for known in each])
    return Known(native, tools, common([known.dialect for known in each]), declared)


def _agreed(said: list[bool | None]) -> bool | None:
    """What all say; no where one says no, unknown where one does not know."""
    return False if False in said else None if None in said else True


def checked_mode(mode: str) -> AskedMode:
    """The mode. Raises `ConfigurationError` for a word that is none."""
    if mode == "auto" or mode in MODES:
        return mode  # type: ignore[return-value]  # one of the words, by the line above
    raise ConfigurationError(f"mode is {mode!r}.", fix=f"Use 'auto', {', '.join(map(repr, MODES))}.")


def asks(model: OutputModel, mode: AskedMode, known: Known, refused: Collection[str] = ()) -> tuple[Ask, ...]:
    """The ways to ask, in order: the one that was forced, or all that suit and were not `refused` before."""
    fitted = written(model.schema, known.dialect)
    modes = (mode,) if mode != "auto" else known.declared or _suitable(known, fitted is not None or known.dialect.full)
    left = tuple(each for each in modes if each not in refused) if mode == "auto" else modes
    made = (_ASKS[each](model, known, fitted).replace(warnings=_warned(each, mode, known)) for each in left or modes)
    return tuple(made)


def _suitable(known: Known, fits: bool) -> tuple[Mode, ...]:
    """What the facts promise, then what they leave open."""
    native = fits and known.native is not False
    order: tuple[tuple[Mode, bool], ...] = (
        ("native", native and known.native is True),
        ("tool", known.tools is True),
        ("native", native and known.native is None and known.dialect.native),
        ("tool", known.tools is None and not known.dialect.native),
        ("json", known.dialect.json),
        ("prompted", True),
    )
    return tuple(mode for mode, suits in order if suits)


def _warned(mode: Mode, asked: AskedMode, known: Known) -> tuple[str, ...]:
    if asked == "auto" or not known.denies(mode):
        return ()
    return (f"mode {mode!r} was forced, though the model's facts deny it",)


def _strict(known: Known, fitted: Mapping[str, Any] | None) -> bool | None:
    return True if known.native and known.dialect.strict and fitted is not None else None


def _native(model: OutputModel, known: Known, fitted: Mapping[str, Any] | None) -> Ask:
    """The schema as the format; in words too, where it is not known whether the model hears of it otherwise."""
    schema = model.schema if fitted is None else fitted
    form = ResponseFormat("json_schema", schema, model.name, model.description, _strict(known, fitted))
    words = "" if known.native else _words(model)
    return Ask("native", {"response_format": form}, words=words)


def _tool(model: OutputModel, known: Known, fitted: Mapping[str, Any] | None) -> Ask:
    strict = _strict(known, fitted) if known.dialect.strict_tools else None
    parameters = fitted if strict and fitted is not None else model.schema
    told = model.description or "Give the answer."
    tool = ToolDefinition(model.name, told, parameters, strict)
    return Ask("tool", {"tool_choice": ToolChoice("tool", tool.name)}, tool)


def _json(model: OutputModel, _known: Known, _fitted: object) -> Ask:
    return Ask("json", {"response_format": ResponseFormat("json")}, words=_words(model))


def _prompted(model: OutputModel, _known: Known, _fitted: object) -> Ask:
    return Ask("prompted", {}, words=_words(model))


def _words(model: OutputModel) -> str:
    return _RULE + json.dumps(model.schema, ensure_ascii=False, default=str)


_ASKS = {"native": _native, "tool": _tool, "json": _json, "prompted": _prompted}

_ABOUT = ("format", "schema", "output_config", "outputconfig", "structured", "tool", "function", "strict")
"""What a refusal names that is about the way of asking."""


def refuses_the_mode(error: LLMError) -> bool:
    """Whether a provider, or our own encoder, refused the way of asking rather than the question."""
    if not isinstance(error, InvalidRequestError):
        return False
    if isinstance(error, UnsupportedParameterError) and error.param is not None:
        return error.param.startswith(("response_format", "tool", "tools"))
    words = f"{error.param or ''} {error.code or ''} {error.message}".lower()
    return any(word in words for word in _ABOUT)
