"""Messages of ours as Gemini's `contents` and `systemInstruction`.

System and developer messages become the one instruction the protocol has; one between two turns moves there, with a
warning. Neighbouring messages of one role are one turn, since all results of one turn's calls must come together;
where the request came in this protocol they stay as they were.

Sources: Gemini API reference, `Content`; "Function calling", parallel calls; "Thought signatures", "FAQs".
"""

from __future__ import annotations

from ..notes import asked_fields, left_out, own_fields
from .fields import MARK
from .parts import encode_part

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from ...types import ChatMessage
    from .parts import Context

_ROLES = {"user": "user", "tool": "user", "assistant": "model"}


def encode_messages(
    messages: Iterable[ChatMessage], context: Context
) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
    """The system instruction, where there is one, and the contents."""
    system: dict[str, Any] = {"parts": []}
    contents: list[dict[str, Any]] = []
    last = ""
    for place, message in enumerate(messages):
        where = f"messages[{place}]"
        parts = [body for part in message.parts for body in encode_part(part, context, where)]
        own = _own(message, context, where)
        if message.role in ("system", "developer"):
            if contents and parts:
                context.warn(f"{where}: a system message between turns was moved to the front")
            system = system | own | {"parts": system["parts"] + parts}
        elif parts and last == message.role and not context.exact:
            contents[-1]["parts"] += parts
        elif parts or context.exact:
            contents.append({"role": _ROLES[message.role], "parts": parts} | own)
            last = message.role
    _place_signatures(contents, context)
    return _instruction(system, contents, context), contents


def _own(message: ChatMessage, context: Context, where: str) -> dict[str, Any]:
    """The fields of a turn of its own, with a warning for what it can't say."""
    if message.name is not None:
        context.warn(f"'name' of {where} left out: the protocol has no names")
    for key in asked_fields(message.metadata):
        context.warn(f"{key!r} of {where} left out: the protocol has no such field")
    left_out(message.metadata, MARK, where, context.warnings)
    return own_fields(message.metadata, MARK)


def _instruction(system: dict[str, Any], contents: list[dict[str, Any]], context: Context) -> dict[str, Any] | None:
    """The instruction; for a model that knows none, its parts at the head of the first turn."""
    if not system["parts"]:
        return None
    if context.facts.get("system_instruction", True):
        return system
    context.warn("the system message was put at the head of the first turn: the model has no place of its own for it")
    if contents and contents[0]["role"] == "user":
        contents[0]["parts"][:0] = system["parts"]
    else:
        contents.insert(0, {"role": "user", "parts": system["parts"]})
    return None


def _place_signatures(contents: list[dict[str, Any]], context: Context) -> None:
    """Sign the first call of each turn that has none, where the model would refuse it: another model made it."""
    placeholder = context.facts.get("signature_placeholder")
    for turn in contents if placeholder else ():
        calls = [part for part in turn["parts"] if "functionCall" in part]
        if calls and not any("thoughtSignature" in part for part in calls):
            calls[0]["thoughtSignature"] = placeholder
