"""Which tool call a streamed piece belongs to, where providers number them well, badly or not at all.

The protocol says: `index` names the call, `id` and `name` come with its first piece. Seen besides: no `index`; every
call under index 0 with its own id; whole calls in one piece; id and name repeated with each piece; no id at all.
"""

from __future__ import annotations

from ...types import ToolCallDelta
from .fields import as_json, records
from .response import call_body, call_metadata

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class _Call:
    """A call in the making: `closed` says that its text so far ends as a whole object does."""

    def __init__(self, number: int, id: str, name: str) -> None:
        self.number, self.id, self.name = number, id, name
        self.closed = False


class CallTracker:
    """The calls of one choice, numbered in the order they began."""

    def __init__(self) -> None:
        self._calls: list[_Call] = []
        self._by_index: dict[int, _Call] = {}
        self._by_id: dict[str, _Call] = {}

    def read(self, delta: dict[str, Any]) -> tuple[ToolCallDelta, ...]:
        """The pieces of calls in a delta, each with the number of its call."""
        pieces = [self._piece(record, *call_body(record)) for record in records(delta.get("tool_calls"))]
        if isinstance(legacy := delta.get("function_call"), dict):
            pieces.append(self._piece({"index": 0}, legacy, {"kind": "function_call"}))
        return tuple(pieces)

    def _piece(self, record: dict[str, Any], body: dict[str, Any], form: dict[str, Any]) -> ToolCallDelta:
        index, id, name, text = record.get("index"), _word(record.get("id")), _word(body.get("name")), _arguments(body)
        slot = index if type(index) is int else None
        call = self._known(slot, id, name, text)
        new_id = new_name = None
        if call is None:
            call = self._begin(slot, id, name)
            new_id, new_name = id or f"call_{call.number}", name
            form = form if id else form | {"sent_id": record.get("id")}
        elif not call.name:
            call.name = new_name = name
        call.closed = text.endswith("}") if text else call.closed
        return ToolCallDelta(call.number, new_id, new_name, text, call_metadata(record, form))

    def _known(self, slot: int | None, id: str, name: str, text: str) -> _Call | None:
        """The call that a piece continues; `None` when it begins one. A piece without a name never does."""
        if slot is not None:
            call = self._by_index.get(slot)
        elif id:
            call = self._by_id.get(id)
        else:
            call = self._calls[-1] if self._calls else None
        if call is None or not name or not (call.name or id):
            return call
        if id:
            return call if id == call.id else None
        return call if name == call.name and not (call.closed and text.startswith("{")) else None

    def _begin(self, slot: int | None, id: str, name: str) -> _Call:
        call = _Call(len(self._calls), id, name)
        self._calls.append(call)
        if slot is not None:
            self._by_index[slot] = call
        if id:
            self._by_id[id] = call
        return call


def _arguments(body: dict[str, Any]) -> str:
    """The piece of JSON text, also where a provider sends an object."""
    arguments = body.get("arguments")
    return "" if arguments is None else arguments if isinstance(arguments, str) else as_json(arguments)


def _word(value: Any) -> str:
    return value if isinstance(value, str) else ""
