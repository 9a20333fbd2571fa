"""A conversation in version 1's form: one `message` to answer, the turns before it, a preamble, results of tools.

Source: API v1 reference, "Chat (v1)", `message`, `preamble`, `chat_history`, `tool_results`.
"""

from __future__ import annotations

import json

from ...types import (
    DocumentPart,
    ProviderPart,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCall,
    ToolResult,
)
from ..cohere_chat.fields import PROTOCOL
from ..cohere_chat.messages import document_text, unsupported
from ..notes import asked_fields, left_out, own_fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from ...types import ChatMessage, Part
    from ..cohere_chat.fields import Record

_ROLES = {"system": "SYSTEM", "developer": "SYSTEM", "user": "USER", "assistant": "CHATBOT", "tool": "TOOL"}
_THINKING = "reasoning of earlier turns left out: this protocol has no place for it"
_TOLD_BY_TEXT = "'is_error' of a tool's result left out: this protocol tells it by the output alone"


class Turns:
    """Writes the turns of one request in order; `documents` are those that stood in users' messages."""

    def __init__(self, warnings: list[str]) -> None:
        self._warnings = warnings
        self._calls: dict[str, ToolCall] = {}
        self.documents: list[Record] = []

    def encode(self, messages: Sequence[ChatMessage]) -> Record:
        """The fields that hold the conversation. Raises where its end leaves nothing to answer."""
        body: Record = {}
        if messages and _ROLES[messages[0].role] == "SYSTEM" and len(messages) > 1:
            body["preamble"] = self._turn(messages[0], 0)["message"]
            messages = messages[1:]
        turns = self._joined([self._turn(message, place) for place, message in enumerate(messages)])
        last = turns.pop() if turns else {"role": ""}
        if last["role"] == "USER":
            body["message"] = last["message"]
        elif last["role"] == "TOOL":
            body |= {"message": "", "tool_results": last["tool_results"]}
        else:
            raise unsupported("messages", "the last one must be the user's or hold the results of tools")
        return body | ({"chat_history": turns} if turns else {})

    def _joined(self, turns: Iterable[Record]) -> list[Record]:
        """The turns, neighbouring results of tools as one."""
        joined: list[Record] = []
        for turn in turns:
            if turn["role"] == "TOOL" and joined and joined[-1]["role"] == "TOOL":
                joined[-1]["tool_results"] += turn["tool_results"]
            else:
                joined.append(turn)
        return joined

    def _turn(self, message: ChatMessage, place: int) -> Record:
        where = f"messages[{place}]"
        if message.name is not None and message.role != "tool":
            self._warn(f"{where}.name {message.name!r} left out: this protocol has no names")
        results = [self._result(part, where) for part in message.parts if isinstance(part, ToolResult)]
        rest = [part for part in message.parts if not isinstance(part, ToolResult)]
        if results:
            if "".join(self._text(part, where) for part in rest):
                raise unsupported(where, "results of tools and text can't share a message")
            return {"role": "TOOL", "tool_results": results}
        record: Record = {"role": _ROLES[message.role], "message": "".join(self._text(part, where) for part in rest)}
        if calls := [self._call(part) for part in rest if isinstance(part, ToolCall)]:
            record["tool_calls"] = calls
        left_out(message.metadata, PROTOCOL, where, self._warnings)
        return record

    def _text(self, part: Part, where: str) -> str:
        if isinstance(part, (TextPart, RefusalPart)):
            self._lost(part, where)
            return part.text
        if isinstance(part, DocumentPart):
            self.documents.append(_document(part, where))
        elif isinstance(part, ReasoningPart):
            self._warn(_THINKING)
        elif isinstance(part, ProviderPart) and part.protocol not in ("", PROTOCOL):
            self._warn(f"{part.type!r} in {where} left out: only {part.protocol} has it")
        elif not isinstance(part, ToolCall):
            raise unsupported(where, f"this protocol has no place for a {type(part).__name__}")
        return ""

    def _lost(self, part: Any, where: str) -> None:
        left_out(part.metadata, PROTOCOL, where, self._warnings)
        for name in asked_fields(part.metadata):
            self._warn(f"{name!r} in {where} left out: this protocol has no place for it")

    def _call(self, call: ToolCall) -> Record:
        self._calls[call.id] = call
        return _call_record(call) | own_fields(call.metadata, PROTOCOL)

    def _result(self, result: ToolResult, where: str) -> Record:
        """A result beside the call it answers, which stands in an earlier turn or is made of the tool's name."""
        if result.is_error:
            self._warn(_TOLD_BY_TEXT)
        call = self._calls.get(result.call_id)
        if call is None and not result.name:
            raise unsupported(where, f"no call {result.call_id!r} stands before its result, which must repeat it")
        record = _call_record(call) if call is not None else {"name": result.name, "parameters": {}}
        return {"call": record, "outputs": self._outputs(result, where)} | own_fields(result.metadata, PROTOCOL)

    def _outputs(self, result: ToolResult, where: str) -> list[Any]:
        """The result as objects, which is the only form there is: a text that is no JSON object is an `output`."""
        content = result.content
        if isinstance(content, str):
            return _objects(content)
        documents = [part for part in content if isinstance(part, DocumentPart)]
        said = "".join(self._text(part, where) for part in content if not isinstance(part, DocumentPart))
        return [*(_objects(said) if said or not documents else ()), *(_document(part, where) for part in documents)]

    def _warn(self, warning: str) -> None:
        if warning not in self._warnings:
            self._warnings.append(warning)


def _call_record(call: ToolCall) -> Record:
    """A call: parameters are an object, so that anything else is wrapped for the model to see what it wrote."""
    parameters = call.arguments
    if not hasattr(parameters, "keys"):
        said = call.arguments_json if parameters is None else parameters
        parameters = {"INVALID_JSON": said} if said else {}
    return {"name": call.name, "parameters": parameters}


def _objects(text: str) -> list[Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return [{"output": text}]
    values = value if isinstance(value, list) and value else [value]
    return values if all(isinstance(one, dict) for one in values) else [{"output": text}]


def _document(part: DocumentPart, where: str) -> Record:
    """A document: a flat object of texts."""
    own = own_fields(part.metadata, PROTOCOL) | asked_fields(part.metadata)
    if hasattr(own.get("data"), "keys"):
        return dict(own["data"])
    named = {"id": part.file_id, "title": part.name}
    return {key: value for key, value in named.items() if value} | {"text": document_text(part, where)} | own
