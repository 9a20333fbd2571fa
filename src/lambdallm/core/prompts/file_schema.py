"""The JSON Schema of a prompt's file (draft 2020-12), for editors and for whoever checks files without Python."""

from __future__ import annotations

from .turns import ROLES
from .type_names import NAMES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_TEXT = {"type": "string"}
_SHAPE = "Fields with their types, `{sentiment: [positive, negative], score: float}`, or a JSON Schema."
_TYPE_WORDS = [*list(NAMES)[:13], "list[str]", "str | None"]


def file_schema() -> dict[str, Any]:
    """The schema; every field's `description` is what an editor shows."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A prompt",
        "type": "object",
        "properties": _fields(),
        "anyOf": [{"required": ["template"]}, {"required": ["messages"]}],
        "additionalProperties": False,
    }


def _fields() -> dict[str, Any]:
    return {
        "$schema": _said("Which schema this file follows; for editors alone.", **_TEXT),
        "template": _said("The question, with {variables}; {{ and }} are braces.", **_TEXT),
        "system_prompt": _optional("What the model is told before everything else; a template too.", **_TEXT),
        "input_schema": _mapping("The type of each variable: a name of one, the words allowed, or a schema.", _TYPE),
        "output_schema": _optional(_SHAPE, type="object"),
        "defaults": _mapping("Values of the variables that are not given.", {}),
        "messages": _list("Turns before the template's, or '{history}' where a conversation is put in.", _TURN),
        "examples": _list("Questions and the answers wanted, which the model is shown.", _EXAMPLE),
        "model": _optional("The model, such as openai/gpt-4o-mini; else the handler's.", **_TEXT),
        "max_tokens": _optional("The most tokens of an answer.", type="integer", minimum=1, default=1024),
        "temperature": _optional("How freely the model chooses its words.", type="number", default=0.7),
        "name": _optional("Its name, to metrics and registries; else the file's.", type="string", minLength=1),
        "version": _said("MAJOR.MINOR.PATCH, quoted.", **_TEXT, default="1.0.0", examples=["1.0.0", "1.1.0-rc.1"]),
        "labels": _list("Words that lead to this version, such as production.", {"type": "string", "minLength": 1}),
    }


def _said(description: str, **keywords: Any) -> dict[str, Any]:
    return {"description": description, **keywords}


def _optional(description: str, **keywords: Any) -> dict[str, Any]:
    """A field that may be `null`, as `to_dict` writes one that is not set."""
    return _said(description, **{**keywords, "type": [keywords["type"], "null"]})


def _mapping(description: str, kind: dict[str, Any]) -> dict[str, Any]:
    return _optional(description, type="object", additionalProperties=kind)


def _list(description: str, item: dict[str, Any]) -> dict[str, Any]:
    return _optional(description, type="array", items=item)


_TYPE = {
    "anyOf": [
        {"type": "string", "examples": _TYPE_WORDS},
        {"type": "array", "minItems": 1, "description": "The words allowed, or [type] for a list."},
        {"type": "object", "description": "Fields with their types, or a JSON Schema."},
    ]
}
_MESSAGE = {
    "type": "object",
    "properties": {"role": {"enum": list(ROLES)}, "content": {**_TEXT, "description": "A template."}},
    "required": ["role", "content"],
    "additionalProperties": False,
}
_TURN = {
    "anyOf": [
        _MESSAGE,
        {**_TEXT, "pattern": r"^\{\w+\}$", "description": "The place of a conversation."},
        {"type": "object", "additionalProperties": {"type": "null"}, "minProperties": 1, "maxProperties": 1},
    ]
}
_EXAMPLE = {
    "anyOf": [
        {
            "type": "object",
            "properties": {
                "input": {"description": "The variables, or the value of the only one."},
                "output": {"description": "The answer: text, or what fits the output_schema."},
            },
            "required": ["input", "output"],
            "additionalProperties": False,
        },
        {"type": "array", "minItems": 2, "maxItems": 2, "description": "Variables and answer."},
        {"type": "object", "required": ["role", "content"], "description": "A message, shown as it is."},
    ]
}
