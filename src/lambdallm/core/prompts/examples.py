"""Examples: pairs of variables and the answer wanted, shown to the model as turns before the question.

    examples=[({"text": "I love it"}, {"sentiment": "positive"}), …]

A pair is a tuple, or a mapping `{"input": …, "output": …}` as files have it. A value that is no mapping stands for the
only variable. What is given as a message (`{"role": …, "content": …}`, `ChatMessage`) is shown as it is. Inputs are
checked against the variables and their types, answers against the shape, when the prompt is made.
"""

from __future__ import annotations

from ..._value import Value
from ...llm.errors import ConfigurationError, PromptError
from ...llm.types import ChatMessage
from ..template import check_names, variables
from .checks import placed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from ..prompt import Prompt


class Example(Value):
    """What the variables of the question are, and the answer wanted: text, or what fits the shape."""

    input: Mapping[str, Any]
    output: Any

    __hash__ = None  # type: ignore[assignment]  # its mapping can't be hashed


def read_examples(prompt: Prompt, given: Iterable[Any]) -> tuple[Example | ChatMessage, ...]:
    """The examples of a prompt, checked. Raises `PromptError` naming the first that does not fit."""
    if isinstance(given, str) or hasattr(type(given), "keys") or not hasattr(type(given), "__iter__"):
        raise placed(_no_example(given), "examples")
    wanted = variables(prompt.question)
    examples = []
    for at, one in enumerate(given):
        try:
            examples.append(_checked(prompt, _example(one, wanted), wanted))
        except (PromptError, ConfigurationError) as error:
            error.data_path = ("examples", at, *error.data_path)
            raise
    return tuple(examples)


def _example(given: Any, wanted: list[str]) -> Example | ChatMessage:
    if isinstance(given, (Example, ChatMessage)):
        return given
    if isinstance(given, (tuple, list)) and len(given) == 2:
        return Example(_input(given[0], wanted), given[1])
    if not hasattr(type(given), "keys"):
        raise _no_example(given)
    if given.keys() == {"input", "output"}:
        return Example(_input(given["input"], wanted), given["output"])
    if given.keys() == {"role", "content"} and isinstance(given["content"], str):
        return ChatMessage(given["role"], given["content"])
    if "role" in given:
        from ...llm.coerce import messages_of

        return messages_of((given,))[0]
    raise _no_example(given)


def _input(given: Any, wanted: list[str]) -> Mapping[str, Any]:
    if hasattr(type(given), "keys"):
        return dict(given)
    if len(wanted) == 1:
        return {wanted[0]: given}
    raise PromptError(f"The input of an example is {given!r:.60}.", fix="Name its variables: {'variable': value}.")


def _no_example(given: Any) -> PromptError:
    fix = "Give pairs, ({'variable': value}, answer), or {'input': …, 'output': …}."
    return PromptError(f"{given!r:.60} is no example.", fix=fix)


def _checked(prompt: Prompt, example: Example | ChatMessage, wanted: list[str]) -> Example | ChatMessage:
    if isinstance(example, Example):
        check_names(wanted, example.input, f"{prompt.label}, in an example,", prompt._optional)
        prompt._check_types(example.input, "input")
        _answer(prompt, example)
        _asked(prompt, example)
    return example


def said(prompt: Prompt) -> list[ChatMessage]:
    """The examples as turns."""
    messages: list[ChatMessage] = []
    for one in prompt.examples:
        messages += (_asked(prompt, one), _answer(prompt, one)) if isinstance(one, Example) else (one,)
    return messages


def _asked(prompt: Prompt, example: Example) -> ChatMessage:
    from .turns import user_content

    content = user_content(prompt.question, {**prompt.defaults, **example.input}, prompt.label)
    return ChatMessage("user", content)


def _answer(prompt: Prompt, example: Example) -> ChatMessage:
    """The answer as the model would give it. Raises `PromptError` for one that is not of the shape."""
    if prompt.shape is not None:
        return ChatMessage("assistant", _shaped(prompt.shape, example.output))
    if not isinstance(example.output, str):
        fix = "Give the text of the answer, or give the prompt an output_schema."
        raise placed(PromptError(f"The output of an example is {example.output!r:.60}.", fix=fix), "output")
    return ChatMessage("assistant", example.output)


def _shaped(shape: Any, output: Any) -> str:
    import json

    from ...llm.structured.output_model import WRAPPER, output_model
    from .values import as_json

    model = output_model(shape)
    try:
        data = as_json(output)
    except (TypeError, ValueError, RecursionError) as reason:
        raise placed(
            PromptError(f"The output of an example is no JSON: {reason}.", fix="Give plain data."), "output"
        ) from None
    _, wrong = model.build(data)
    if wrong:
        fix = "Correct the example, or the output_schema."
        raise placed(PromptError(f"The output of an example does not fit: {'; '.join(wrong)}.", fix=fix), "output")
    return json.dumps({WRAPPER: data} if model.wrapped else data, ensure_ascii=False)
