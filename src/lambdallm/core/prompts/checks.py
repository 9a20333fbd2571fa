"""What a prompt refuses, and in which words: imported by the first thing that is out of the ordinary."""

from __future__ import annotations

from ...llm.errors import CallerError, ConfigurationError, PromptError
from ..template import variables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    from ..prompt import Prompt

    E = TypeVar("E", bound=CallerError)


def placed(error: E, *path: str | int) -> E:
    """The error, told where in the prompt its fault is."""
    error.data_path = path
    return error


def no_text(field: str, given: object) -> PromptError:
    """The error for a template that is none."""
    return placed(PromptError(f"A {field} is text, not {given!r:.60}.", fix="Pass a string with {variables}."), field)


def no_mapping(field: str, given: object) -> PromptError:
    """The error for types or defaults that are not given by the names of variables."""
    fix = "Give a dictionary: {'variable': …}."
    return placed(PromptError(f"{field} is {given!r:.60}, which names no variables.", fix=fix), field)


def unknown_variable(prompt: Prompt, field: str, name: str) -> PromptError:
    """The error for a type or a default of what is no variable."""
    fix = f"Its variables are {', '.join(prompt.variables) or 'none'}; correct {field} or the template."
    return placed(PromptError(f"{prompt.label} has no variable {name!r}.", fix=fix), field, name)


def check_placeholders(prompt: Prompt) -> None:
    """Raise `PromptError` for a placeholder that has another use in the prompt."""
    turns = [turn.template for turn in prompt.turns if hasattr(turn, "template")]
    taken = [name for each in (prompt.template, prompt.system_prompt or "", *turns) for name in variables(each)]
    for name in prompt.placeholders:
        if name in taken:
            what = f"{prompt.label} has {name!r} as the place of a conversation, and elsewhere too."
            raise placed(PromptError(what, fix="Give one of them another name."), "messages")
        taken.append(name)


def check_type(label: str, name: str, value: Any, kind: Any, path: tuple[str | int, ...]) -> None:
    """Raise `PromptError` for a value that is not of its variable's type, naming the place inside it."""
    from .inputs import misfit
    from .type_names import kind_name

    if (found := misfit(value, kind)) is not None:
        fix = f"Pass a value of type {kind_name(kind)}."
        raise placed(PromptError(f"{label}: {name + found[0]!r} {found[1]}.", fix=fix), *path, name)


def check_numbers(prompt: Prompt) -> None:
    """Raise `ConfigurationError` for limits that are none; `None` leaves one to the provider."""
    from ...llm.options import check_options

    for field in ("max_tokens", "temperature"):
        try:
            check_options({field: getattr(prompt, field)})
        except ConfigurationError as error:
            raise placed(error, field) from None


def check_identity(prompt: Any) -> None:
    """Raise `ConfigurationError` for a name, version, labels or model that are no words."""
    if prompt.name is not None and (not isinstance(prompt.name, str) or not prompt.name):
        raise placed(ConfigurationError(f"name is {prompt.name!r}.", fix="Give text, or leave it out."), "name")
    if prompt.model is not None and (not isinstance(prompt.model, str) or not prompt.model):
        fix = "Name a model, such as 'openai/gpt-4o-mini' or 'local'."
        raise placed(ConfigurationError(f"model is {prompt.model!r}.", fix=fix), "model")
    if not isinstance(prompt.version, str):
        fix = "Give text; in YAML quote it: version: '1.10'."
        raise placed(ConfigurationError(f"version is {prompt.version!r}.", fix=fix), "version")
    if not isinstance(prompt.labels, tuple) or not all(isinstance(one, str) and one for one in prompt.labels):
        raise placed(ConfigurationError(f"labels is {prompt.labels!r}.", fix="Give a list of words."), "labels")


def no_context(given: object) -> ConfigurationError:
    """The error for what can't be asked."""
    fix = "Pass what @handler gives your function as its second argument."
    return ConfigurationError(f"A prompt is invoked with a context, not {given!r:.60}.", fix=fix)


def no_stream(prompt: Prompt) -> ConfigurationError:
    """The error for a shape that is to be streamed."""
    fix = "Use invoke, or StructuredExtractor(…).stream for partial objects."
    return ConfigurationError(f"{prompt.label} has an output_schema, which a stream of text can't keep.", fix=fix)


def check_whole(prompt: Prompt) -> None:
    """Raise what only asking would: `ConfigurationError` for an output_schema that is none."""
    try:
        _ = prompt.json_schema
    except ConfigurationError as error:
        raise placed(error, "output_schema", *error.data_path) from None
