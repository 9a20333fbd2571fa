"""Conversations written as one prompt, the way a model was taught to read them.

A `Template` is a model's published chat template as a table; each codec has its own. Text alone can be written so:
tools, and parts that are no text, raise `UnsupportedParameterError`.

A template's own marks in what people say would let them speak in another's name, so each is broken by a space after
its first letter, with a warning.
"""

from __future__ import annotations

from ...._value import Value
from ...errors import UnsupportedParameterError
from ...types import DocumentPart, ImagePart, ProviderPart, ReasoningPart, RefusalPart, TextPart
from ..notes import asked_fields, left_out
from .settings import MARK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any, TypeAlias

    from ...types import ChatMessage, Part
    from ..codec import Facts

    Turn: TypeAlias = tuple[str, str]
    Pieces: TypeAlias = list[str | None]


class Template(Value):
    """What stands around each turn; `%s` is its text.

    `answer` asks for the model's own turn, and `begun` for one that the last message has begun (`None` where it can't
    be). A model without a system role reads `system` at the head of the first user's turn, `in_user`. A single message
    of a user's is `alone`. `image` stands for a picture. `marks` are the words with a meaning to the model. `trimmed`
    texts have no blanks around them; `forget` ends what an earlier answer said before its own text.
    """

    user: str
    assistant: str
    answer: str
    begun: str | None
    system: str = "%s\n\n"
    in_user: bool = False
    begin: str = ""
    alone: str | None = None
    image: str = ""
    marks: tuple[str, ...] = ()
    trimmed: bool = False
    forget: str = ""


_ROLES = {"developer": "system", "tool": "user"}
_BETWEEN = "\n\n"
"""What stands between two messages of one turn."""

PLAIN = Template(user="%s", assistant="%s", answer="", begun="%s", system="%s\n\n", alone="%s")
"""The texts as they are, for models that were taught no conversation and for prompts already written."""


def template_of(facts: Facts, templates: Mapping[str, Template], usual: str) -> Template:
    """The template that the entry names, else the usual one. Raises `UnsupportedParameterError` naming those known."""
    name = facts.get("template", usual)
    found = PLAIN if name == "plain" else templates.get(name)
    if found is None:
        known = ", ".join((*templates, "plain"))
        raise UnsupportedParameterError(
            f"No template is called {name!r}.", fix=f"Name one of {known}.", param="template"
        )
    return found


def write_prompt(
    messages: Iterable[ChatMessage], template: Template, warnings: list[str], images: list[ImagePart] | None = None
) -> str:
    """The prompt for a conversation. Pictures go to `images`, where that is given and the template has a place."""
    turns = _turns(messages, template, warnings, images)
    if template.alone is not None and len(turns) == 1 and turns[0][0] == "user":
        return template.begin + template.alone % turns[0][1]
    return template.begin + "".join(_written(turns, template)) + _close(turns, template)


def text_of(message: ChatMessage, where: str, warnings: list[str]) -> str:
    """A message's text. Raises `UnsupportedParameterError` for what is none."""
    return "".join(piece or "" for piece in _pieces(message, where, PLAIN, warnings, None))


def _turns(
    messages: Iterable[ChatMessage], template: Template, warnings: list[str], images: list[ImagePart] | None
) -> list[Turn]:
    """Roles and their texts; neighbours of one role are one turn."""
    turns: list[tuple[str, str, Pieces]] = []
    for place, message in enumerate(messages):
        where, role = f"messages[{place}]", _ROLES.get(message.role, message.role)
        pieces = _pieces(message, where, template, warnings, images)
        if not any(piece != "" for piece in pieces):
            continue
        if template.in_user and role == "system" and any(earlier != "system" for earlier, _, _ in turns):
            warnings.append(moved_to_the_front(where))
        if turns and turns[-1][0] == role:
            turns[-1][2].extend((_BETWEEN, *pieces))
        else:
            turns.append((role, where, pieces))
    texts = [(role, _spoken(pieces, where, template, warnings)) for role, where, pieces in turns]
    return _with_system_in_user(texts, template) if template.in_user else texts


def _with_system_in_user(turns: list[Turn], template: Template) -> list[Turn]:
    system = _BETWEEN.join(text for role, text in turns if role == "system")
    rest: list[Turn] = []
    for role, text in turns:
        if role == "system":
            continue
        if rest and rest[-1][0] == role:
            rest[-1] = (role, rest[-1][1] + _BETWEEN + text)
        else:
            rest.append((role, text))
    if not system:
        return rest
    if rest and rest[0][0] == "user":
        return [("user", template.system % system + rest[0][1]), *rest[1:]]
    return [("user", system), *rest]


def _written(turns: list[Turn], template: Template) -> Iterable[str]:
    forms = {"system": template.system, "user": template.user, "assistant": template.assistant}
    finished = turns[:-1] if turns and turns[-1][0] == "assistant" else turns
    return (forms[role] % text for role, text in finished)


def _close(turns: list[Turn], template: Template) -> str:
    """What asks for the answer; an assistant's last message is its beginning."""
    if not turns or turns[-1][0] != "assistant":
        return template.answer
    if template.begun is None:
        raise UnsupportedParameterError(
            "This model begins each answer itself.", fix="End the messages with a user's.", param="messages"
        )
    return template.begun % turns[-1][1]


def _pieces(
    message: ChatMessage, where: str, template: Template, warnings: list[str], images: list[ImagePart] | None
) -> Pieces:
    """A message's texts, with `None` where a picture stands."""
    if message.name is not None and message.role != "tool":
        warnings.append(f"'name' of {where} left out: a text has no place for it")
    _warn(message, where, warnings)
    pieces = [_piece(part, where, template, warnings, images) for part in message.parts]
    if None in pieces:
        return pieces
    text = "".join(piece or "" for piece in pieces)
    if message.role == "assistant" and template.forget:
        text = text.rpartition(template.forget)[2].lstrip()
    return [text.strip() if template.trimmed else text]


def _piece(
    part: Part, where: str, template: Template, warnings: list[str], images: list[ImagePart] | None
) -> str | None:
    if not isinstance(part, ProviderPart):
        _warn(part, where, warnings)
    if isinstance(part, (TextPart, RefusalPart)):
        if isinstance(part, TextPart) and part.citations:
            warnings.append(f"citations of {where} left out: a text has no place for them")
        return part.text
    if isinstance(part, DocumentPart) and part.text is not None:
        return f"{part.name}\n\n{part.text}" if part.name else part.text
    if isinstance(part, ImagePart) and images is not None and template.image:
        images.append(part)
        return None
    if isinstance(part, ReasoningPart):
        warnings.append(f"thinking of {where} left out: a text has no place for it")
        return ""
    raise _not_text(where, f"a part of kind {type(part).__name__}")


def _warn(holder: Any, where: str, warnings: list[str]) -> None:
    """Warn of metadata, none of which a text can carry."""
    if holder.metadata:
        left_out(holder.metadata, MARK, where, warnings)
        asked = asked_fields(holder.metadata)
        warnings.extend(f"{name!r} of {where} left out: a text has no such field" for name in asked)


def _spoken(pieces: Pieces, where: str, template: Template, warnings: list[str]) -> str:
    """The pieces of a turn as one text: only what stands between two pictures can make up a mark."""
    runs: list[list[str]] = [[]]
    for piece in pieces:
        if piece is None:
            runs.append([])
        else:
            runs[-1].append(piece)
    return template.image.join(_neutral("".join(run), where, template, warnings) for run in runs)


def _neutral(text: str, where: str, template: Template, warnings: list[str]) -> str:
    found = [mark for mark in template.marks if mark in text]
    for mark in found:
        text = text.replace(mark, f"{mark[0]} {mark[1:]}")
    if found:
        warnings.append(f"{', '.join(map(repr, found))} in {where} broken by a space: it is the model's own mark")
    return text


def moved_to_the_front(where: str) -> str:
    """The warning for a system message between two turns, where the model reads one at the beginning alone."""
    return f"{where}: a system message between turns was moved to the front"


def _not_text(where: str, what: str) -> UnsupportedParameterError:
    return UnsupportedParameterError(
        f"{where} holds {what}; this model reads a prompt of text alone.",
        fix="Leave it out, or choose a model that takes it (through `bedrock_converse`, say).",
        param=where,
    )
