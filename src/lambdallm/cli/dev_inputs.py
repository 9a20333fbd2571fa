"""What a prompt or a chain wants to be given, as fields of a form; and what was typed there, as Python's values.

Pure: types of variables in, descriptions out.
"""

from __future__ import annotations

import re
from base64 import b64decode

from ..llm.errors import PromptError
from ..llm.structured.type_kinds import bare, enum_values, kind_of
from ..llm.types import AudioPart, DocumentPart, ImagePart

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from ..chains import Chain
    from ..core.prompt import Prompt

    Shape = dict[str, Any]

_WORDS = {"str": "string", "int": "integer", "float": "number", "bool": "boolean"}
_DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+);base64,(.*)", re.DOTALL)
_MEDIA = (ImagePart, DocumentPart, AudioPart)


def prompt_inputs(prompt: Prompt[Any]) -> list[Shape]:
    """A field for each variable of a prompt, in the order of a reader."""
    kinds = prompt.input_schema or {}
    types = {name: prompt._kinds.get(name) for name in kinds}
    fields = [_field(name, types.get(name, str), name in prompt.defaults) for name in prompt.variables]
    for field in fields:
        if field["name"] in prompt.placeholders:
            field |= {"type": "json", "required": False, "description": "A conversation: a list of messages."}
        elif not field["required"]:
            field["default"] = _plain(prompt.defaults[field["name"]])
    return fields


def chain_inputs(chain: Chain) -> list[Shape]:
    """A field for each input of a chain; its type is the one that a step's prompt gives it."""
    kinds: dict[str, Any] = {}
    _find_kinds(chain.steps, kinds)
    needs = chain.needs
    named = dict.fromkeys((*needs.variables, *needs.optional, *(chain.inputs or ())))
    return [_field(name, kinds.get(name, str), name not in needs.variables) for name in named]


def prompt_values(prompt: Prompt[Any], inputs: Mapping[str, Any]) -> Shape:
    """What was typed for a prompt, as its variables take it. What the template does not name any more is left out.

    Raises `PromptError` for what no value can be made of.
    """
    return {name: _value(prompt, name, inputs[name]) for name in prompt.variables if name in inputs}


def edited(prompt: Prompt[Any], changes: Mapping[str, Any]) -> Prompt[Any]:
    """A prompt with another template, system prompt, model, or limits. Types of variables that went go with them."""
    if not changes:
        return prompt
    from ..core.template import variables

    texts = [changes.get("template", prompt.template), changes.get("system_prompt", prompt.system_prompt) or ""]
    texts += [turn.template for turn in prompt.turns if hasattr(turn, "template")]
    named = {name for text in texts for name in variables(text)} | set(prompt.placeholders)
    kept: Shape = {name: _only(getattr(prompt, name), named) for name in ("input_schema", "defaults")}
    examples = {} if named >= set(prompt.variables) else {"examples": ()}
    return prompt.with_options({**kept, **examples, **changes})


def _only(given: Mapping[str, Any] | None, names: set[str]) -> Shape | None:
    return None if given is None else {name: value for name, value in given.items() if name in names}


def _field(name: str, kind: Any, optional: bool) -> Shape:
    word, choices, note = _described(kind)
    shape: Shape = {"name": name, "type": word, "required": not optional, "default": None, "choices": choices}
    return {**shape, "description": note}


def _described(kind: Any) -> tuple[str, list[Any] | None, str | None]:
    """The kind of field for a type: its word, its choices, and what is said of it."""
    if isinstance(kind, (dict, list, tuple)):
        choices = list(kind) if kind and isinstance(kind, (list, tuple)) and all(map(_is_text, kind)) else None
        return ("enum", choices, None) if choices else ("json", None, None)
    inner, notes = bare(kind)
    word, details = kind_of(inner)
    note = notes.get("description")
    if word in ("literal", "enum"):
        return "enum", list(details if word == "literal" else enum_values(details)), note
    if word == "union" and len(rest := [one for one in details if kind_of(one)[0] != "null"]) == 1:
        found, choices, said = _described(rest[0])
        return found, choices, note or said
    if inner in _MEDIA:
        return "string", None, note or f"{_MEDIUM[inner]}: a data: URL, or where it is on the web."
    return _WORDS.get(word, "json"), None, note


_MEDIUM = {ImagePart: "An image", DocumentPart: "A document", AudioPart: "A sound (data: URL)"}


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _value(prompt: Prompt[Any], name: str, given: Any) -> Any:
    """One value. Text for a picture is where it is; data for a class becomes an instance."""
    if name in prompt.placeholders:
        from ..llm.coerce import messages_of

        return messages_of(given or ())
    kind = prompt._kinds.get(name, str)
    if isinstance(kind, (dict, list, tuple)):
        return given
    inner, _ = bare(kind)
    if inner in _MEDIA:
        return _medium(inner, name, given)
    if kind_of(inner)[0] == "float" and type(given) is int:
        return float(given)
    if kind_of(inner)[0] not in ("class", "pydantic"):
        return given
    from ..llm.structured.output_model import validate_against_model

    return validate_against_model(given, inner)


def _medium(kind: Any, name: str, given: Any) -> Any:
    if isinstance(given, str) and (found := _DATA_URL.match(given)):
        return kind(data=b64decode(found[2]), media_type=found[1])
    if isinstance(given, str) and given and kind is not AudioPart:
        return kind(url=given)
    raise PromptError(f"{name!r} is {given!r:.60}.", fix="Give a data: URL, or for images and documents a web address.")


def _find_kinds(nodes: Iterable[Any], kinds: dict[str, Any]) -> None:
    """The types that the prompts of steps give to values."""
    for node in nodes:
        step = getattr(node, "step", node)
        if step is not node and hasattr(node.over, "references"):
            kinds.update((reference.name, list) for reference in node.over.references.values())
        _find_kinds(getattr(step, "steps", ()), kinds)
        if getattr(step, "prompt", None) is not None:
            for name, kind in step.prompt._kinds.items():
                reference = step.references.get(name)
                if reference is not None and not step.inputs.get(reference.name):
                    kinds.setdefault(reference.name, kind)


def _plain(value: Any) -> Any:
    from ..chains.outputs import readable

    return readable(value)
