"""The turns of a prompt: what a conversation is made of, and the conversation that values make of it.

    system prompt · system turns at the beginning · examples · the other turns · the template, as a user's turn

A turn's content is a template. A placeholder is filled by a conversation: a session, messages, or nothing. A
`ChatMessage` says what it says, braces included.
"""

from __future__ import annotations

from ..._value import Value
from ...llm.errors import ConfigurationError, PromptError
from ...llm.types import AudioPart, ChatMessage, DocumentPart, ImagePart, TextPart
from ..template import filled, pieces
from .checks import placed
from .values import reached, text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any, ClassVar

    from ...llm.types import Part, Role
    from ..prompt import Prompt

ROLES = ("system", "developer", "user", "assistant")
_MEDIA = (ImagePart, DocumentPart, AudioPart)


class Turn(Value):
    """One turn, whose `template` is filled in."""

    role: Role
    template: str


class Placeholder(Value):
    """The place of a conversation, under a name of its own."""

    is_placeholder: ClassVar[bool] = True

    name: str


def read_turns(given: Iterable[Any]) -> tuple[Turn | Placeholder | ChatMessage, ...]:
    """The turns that `messages` gives. Raises `PromptError` naming the one that is none."""
    if isinstance(given, str) or hasattr(type(given), "keys") or not hasattr(type(given), "__iter__"):
        raise placed(_no_turn(given), "messages")
    turns = []
    for at, one in enumerate(given):
        try:
            turns.append(_turn(one))
        except PromptError as error:
            error.data_path = ("messages", at, *error.data_path)
            raise
    return tuple(turns)


def _turn(given: Any) -> Turn | Placeholder | ChatMessage:
    if isinstance(given, (Turn, Placeholder, ChatMessage)):
        return given
    if isinstance(given, str):
        return _placeholder(given)
    if not hasattr(type(given), "keys"):
        raise _no_turn(given)
    if len(given) == 1 and None in given.values():
        return _placeholder(f"{{{next(iter(given))}}}")
    role, content = given.get("role"), given.get("content")
    if given.keys() != {"role", "content"} or not isinstance(content, str):
        raise _no_turn(given)
    if role not in ROLES:
        raise placed(PromptError(f"A message has the role {role!r}.", fix=f"Use one of {', '.join(ROLES)}."), "role")
    return Turn(role, content)


def _placeholder(text: str) -> Placeholder:
    """`{history}`, and nothing around it. In YAML it may stand without quotes, where it reads as a mapping."""
    found = pieces(text)
    if len(found) == 1 and type(found[0]) is tuple and len(found[0]) == 1:
        return Placeholder(str(found[0][0]))
    raise _no_turn(text)


def _no_turn(given: object) -> PromptError:
    fix = "Give {'role': …, 'content': 'a template'}, or '{history}' for a conversation."
    return PromptError(f"{given!r:.80} is no message of a prompt.", fix=fix)


def conversation(
    prompt: Prompt, values: Mapping[str, Any], history: Sequence[ChatMessage] = ()
) -> tuple[ChatMessage, ...]:
    """The whole conversation. `values` fit the prompt, its defaults among them. Raises `PromptError`."""
    turns: list[Any] = [Turn("system", prompt.system_prompt)] if prompt.system_prompt else []
    turns += prompt.turns
    if prompt.template or not prompt.turns:
        turns.append(Turn("user", prompt.template))
    values, turns = _with_history(turns, values, history)
    begin = next((at for at, turn in enumerate(turns) if _role(turn) not in ("system", "developer")), len(turns))
    turns[begin:begin] = _examples(prompt)
    return tuple(message for turn in turns for message in _said(turn, values, prompt.label))


def _with_history(
    turns: list[Any], values: Mapping[str, Any], history: Sequence[ChatMessage]
) -> tuple[Mapping[str, Any], list[Any]]:
    """The values or the turns, with what was said before in its place."""
    if not history:
        return values, turns
    for turn in turns:
        if isinstance(turn, Placeholder) and values.get(turn.name) is None:
            return {**values, turn.name: history}, turns
    last = max((at for at, turn in enumerate(turns) if _role(turn) == "user"), default=len(turns))
    return values, [*turns[:last], *history, *turns[last:]]


def _role(turn: Any) -> str:
    return "" if isinstance(turn, Placeholder) else str(turn.role)


def _said(turn: Any, values: Mapping[str, Any], label: str) -> tuple[ChatMessage, ...]:
    if isinstance(turn, ChatMessage):
        return (turn,)
    if isinstance(turn, Placeholder):
        return _inserted(turn.name, values.get(turn.name), label)
    content = (
        user_content(turn.template, values, label) if turn.role == "user" else filled(turn.template, values, label)
    )
    return (ChatMessage(turn.role, content),) if content or turn.role not in ("system", "developer") else ()


def _inserted(name: str, given: Any, label: str) -> tuple[ChatMessage, ...]:
    """The messages of a session, of a list, or of one text."""
    from ...llm.coerce import messages_of

    if given is None:
        return ()
    held = getattr(given, "messages", None)
    try:
        return messages_of(given if held is None or hasattr(type(given), "keys") else held)
    except (ConfigurationError, TypeError) as reason:
        fix = "Pass a session, or a list of messages."
        raise PromptError(f"{label}: {name!r} is {given!r:.80}, no conversation.", fix=fix) from reason


def _examples(prompt: Prompt) -> list[ChatMessage]:
    from .examples import said

    return said(prompt) if prompt.examples else []


def user_content(template: str, values: Mapping[str, Any], label: str) -> str | tuple[Part, ...]:
    """A user's turn: text, or parts where a variable is an image, a document, a sound, or a list of them."""
    parts: list[Part] = []
    texts: list[str] = []
    for piece in pieces(template):
        if type(piece) is str:
            texts.append(piece)
            continue
        path: Any = piece
        value = reached(path, values, label)
        media = value if _are_media(value) else (value,) if isinstance(value, _MEDIA) else None
        if media is None:
            texts.append(text_of(value, path, label))
        else:
            parts += (*_as_part(texts), *media)
            texts.clear()
    return (*parts, *_as_part(texts)) if parts else "".join(texts)


def _are_media(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and bool(value) and all(isinstance(each, _MEDIA) for each in value)


def _as_part(texts: list[str]) -> tuple[TextPart, ...]:
    """The texts before or after a picture; white space alone is none."""
    text = "".join(texts)
    return (TextPart(text),) if text.strip() else ()
