"""A prompt as plain data and back, and what makes two prompts equal."""

from __future__ import annotations

from ...llm.errors import ConfigurationError
from .checks import placed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ..prompt import Prompt

FIELDS = (
    "template", "input_schema", "output_schema", "system_prompt", "model", "max_tokens", "temperature", "name",
    "version", "messages", "examples", "defaults", "labels",
)  # fmt: skip
"""What a prompt's dictionary may have; `$schema` is for editors, and read over."""


def data_of(prompt: Prompt) -> dict[str, Any]:
    """Everything a prompt was made of, fit for JSON. Raises `ConfigurationError` for a type no file has a word for."""
    made = prompt._made_of()
    made["model"] = None if prompt.model is None else str(prompt.model)
    made["input_schema"] = _types(prompt)
    made["output_schema"] = _shape(prompt.output_schema)
    made["messages"] = [_turn(turn) for turn in prompt.turns]
    made["examples"] = [_example(one) for one in prompt.examples]
    made["defaults"] = {name: _plain(value, name) for name, value in prompt.defaults.items()}
    made["labels"] = list(prompt.labels)
    for field in FIELDS[9:]:
        if not made[field]:
            del made[field]
    if made["template"] is None:
        del made["template"]
    return made


def _types(prompt: Prompt) -> dict[str, Any] | None:
    if prompt.input_schema is None:
        return None
    from .type_names import kind_data

    return {name: kind_data(kind) for name, kind in prompt._kinds.items()}


def _shape(shape: Any) -> Any:
    """The shorthand with types by their names; JSON Schema where something in it has none. A type keeps its name."""
    if shape is None:
        return None
    from ...llm.structured.output_model import json_schema_of, output_model
    from .type_names import is_plain, listed

    if hasattr(type(shape), "keys"):
        data = listed(shape)
        return data if is_plain(data) else json_schema_of(shape)
    model = output_model(shape)
    named = {} if model.name == "answer" else {"title": model.name}
    return {**named, **json_schema_of(shape)}


def _turn(turn: Any) -> Any:
    from ..template import escape

    if hasattr(turn, "is_placeholder"):
        return f"{{{turn.name}}}"
    if hasattr(turn, "template"):
        return {"role": turn.role, "content": turn.template}
    return {**_message(turn), "content": escape(_message(turn)["content"])}


def _example(one: Any) -> dict[str, Any]:
    if not hasattr(one, "output"):
        return _message(one)
    return {"input": _plain(one.input, "an example's input"), "output": _plain(one.output, "an example's output")}


def _message(message: Any) -> dict[str, Any]:
    if not isinstance(message.content, str):
        fix = "Use text alone in prompts that are written into files."
        raise ConfigurationError(f"A message of the role {message.role!r} has parts that are no text.", fix=fix)
    return {"role": message.role, "content": message.content}


def _plain(value: Any, name: str) -> Any:
    from .values import as_json

    try:
        return as_json(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"The value of {name!r} is no JSON: {error}.", fix="Give plain data.") from error


def identity(prompt: Prompt) -> tuple[Any, ...]:
    """What two equal prompts share: all they were made of, names of types read as the types."""
    made = prompt._made_of()
    made["input_schema"] = None if prompt.input_schema is None else prompt._kinds
    if isinstance(made["output_schema"], dict):
        from .type_names import listed

        made["output_schema"] = listed(made["output_schema"])
    return type(prompt), made


def checked(data: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a prompt's dictionary. Raises `ConfigurationError` naming the field that is none."""
    given: Any = data
    if not hasattr(type(given), "keys"):
        raise ConfigurationError(f"A prompt is described by fields and values, not {given!r:.60}.", fix="Give a dict.")
    arguments = {str(name): value for name, value in data.items() if name != "$schema"}
    for field in arguments:
        if field not in FIELDS:
            from ...llm.catalog.definition import suggestion

            raise placed(ConfigurationError(f"A prompt has no field {field!r}.", fix=suggestion(field, FIELDS)), field)
    if not arguments.get("messages") and "template" not in arguments:
        raise ConfigurationError("The prompt has no template.", fix="Add the field 'template', or 'messages'.")
    for field, kinds, words in _KINDS:
        if arguments.get(field) is not None and not isinstance(arguments[field], kinds):
            raise placed(ConfigurationError(f"{field} is {arguments[field]!r:.60}.", fix=f"Give {words}."), field)
    return {field: value for field, value in arguments.items() if value is not None or field not in FIELDS[8:]}


_KINDS: tuple[tuple[str, type | tuple[type, ...], str], ...] = (
    ("input_schema", dict, "a type for each variable"), ("output_schema", dict, "fields with their types, or a schema"),
    ("system_prompt", str, "text"), ("model", str, "the name of a model, such as 'openai/gpt-4o-mini'"),
    ("messages", list, "a list of turns"), ("examples", list, "a list of pairs"),
    ("defaults", dict, "a value for each variable"), ("labels", (list, tuple), "a list of words"),
)  # fmt: skip
