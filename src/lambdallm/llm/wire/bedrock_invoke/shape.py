"""Answers that are a text: where a vendor's body has the text, why it ended, and how much was counted.

One `Shape` describes a body, whole and streamed: a stream's payloads are answers in small, with the list of candidates
or without it. A body of the chat form (`choices` with messages) is read as what it is, whatever shape was expected:
families have gone from the one to the other.
"""

from __future__ import annotations

import json

from ...._value import Value
from ...errors import ProviderResponseError
from ...result import Err, Ok
from ...types import EMPTY, ChatMessage, Choice, Completion, TextPart
from ..headers import request_id
from .metrics import ACTION, COUNTS, INTERVENED, METRICS, PREFIX, counts_in, finish_reason, metrics_in, usage_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, TypeAlias

    from ....transport.types import Headers
    from ...errors import LLMError
    from ...result import Result
    from ...types import FinishReason
    from ..codec import Decoder

    Record: TypeAlias = dict[str, Any]
    Path: TypeAlias = tuple[str, ...]

_QUIET = frozenset(("index", "is_finished", "event_type", "type", *COUNTS))
"""Fields that are read elsewhere or say nothing."""

_IDS = ("id", "response_id", "generation_id")


class Shape(Value):
    """Where an answer's text is: below each of `candidates`, or in the answer itself; paths are tried in order."""

    text: tuple[Path, ...]
    reason: Path
    candidates: str = ""

    @property
    def plain_fields(self) -> frozenset[str]:
        """The fields of an answer that are read whole: beside them there may be more to tell."""
        whole = (path[0] for path in (*self.text, self.reason) if len(path) == 1)
        return frozenset((*_QUIET, self.candidates, *whole))

    def found_in(self, record: Record) -> list[tuple[int, Record]]:
        """The candidates of an answer or a piece of one, each with its number."""
        listed = record.get(self.candidates) if self.candidates else None
        rows = [row for row in listed if isinstance(row, dict)] if isinstance(listed, list) else [record]
        return [(index if type(index := row.get("index")) is int else n, row) for n, row in enumerate(rows)]

    def text_of(self, candidate: Record) -> str | None:
        """A candidate's text; `None` where it has none."""
        found = (at(candidate, path) for path in self.text)
        return next((text for text in found if isinstance(text, str)), None)

    def rest_of(self, candidate: Record) -> Record:
        """What else a candidate says."""
        rest = {key: value for key, value in candidate.items() if key not in _QUIET}
        for path in (*self.text, self.reason):
            rest = _without(rest, path)
        return {key: value for key, value in rest.items() if value is not None and not key.startswith(PREFIX)}

    def rest_beside(self, record: Record) -> Record:
        """What else an answer says, beside its candidates."""
        return {key: value for key, value in self.rest_of(record).items() if key != self.candidates}


def read_answer(shape: Shape, status: int, headers: Headers, body: bytes) -> Result[Completion, LLMError]:
    """A whole 2xx answer. An error in it, or bytes that are no answer, give `Err`."""
    try:
        record = json.loads(body.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        record = None
    if isinstance(record, dict) and is_chat(record):
        from .chat import decode_response

        return decode_response(status, headers, body)
    found = shape.found_in(record) if isinstance(record, dict) else []
    if not any(shape.text_of(candidate) is not None for _, candidate in found):
        return Err(no_answer(status, headers, body, record))
    choices = tuple(_choice(shape, index, candidate, record) for index, candidate in found)
    return Ok(described(Completion(choices), record, headers, shape.rest_beside(record)))


def _choice(shape: Shape, index: int, candidate: Record, record: Record) -> Choice:
    text = shape.text_of(candidate)
    message = ChatMessage("assistant", (TextPart(text),) if text else ())
    rest = EMPTY if candidate is record else shape.rest_of(candidate)
    reason, raw = reason_of(candidate, shape.reason, record)
    return Choice(message, reason, raw, index, rest or EMPTY)


def reason_of(candidate: Record, path: Path, record: Record) -> tuple[FinishReason | None, str | None]:
    """Why a candidate ended: the vendor's word, or the guardrail that stopped it."""
    said = at(candidate, path)
    return finish_reason(INTERVENED if said is None and record.get(ACTION) == INTERVENED else said)


def described(answer: Completion, record: Record, headers: Headers, rest: Record) -> Completion:
    """The answer with its usage and id, Bedrock's own fields, and the rest that nothing here reads."""
    metrics = metrics_in(headers)
    metadata = {key: value for key, value in rest.items() if key != "id"}
    metadata |= {key: value for key, value in record.items() if key.startswith(PREFIX)}
    metadata |= {METRICS: metrics} if metrics else {}
    return answer.replace(usage=usage_of(own_counts(record), metrics), id=id_of(record), metadata=metadata or EMPTY)


def own_counts(record: Record) -> dict[str, int]:
    """A body's own counts: of the answer, and of its results added up (Titan)."""
    results = record.get("results")
    rows = [row for row in results if isinstance(row, dict)] if isinstance(results, list) else []
    made = [count for row in rows for count in counts_in(row, ("tokenCount",)).values()]
    return counts_in(record) | ({"tokenCount": sum(made)} if made else {})


def id_of(record: Record) -> str | None:
    """The id that an answer gives itself."""
    found = (record.get(name) for name in _IDS)
    return next((str(id) for id in found if isinstance(id, str) or type(id) is int), None)


def is_chat(record: Record) -> bool:
    """Whether an answer or a piece of one is in the chat form."""
    choices = record.get("choices")
    rows = [row for row in choices if isinstance(row, dict)] if isinstance(choices, list) else []
    return any("message" in row or "delta" in row for row in rows)


def no_answer(status: int, headers: Headers, body: bytes, record: Any) -> LLMError:
    """The error of a 200 that holds no answer: its own words, where it is an error after all."""
    if isinstance(record, dict) and any(isinstance(record.get(k), str) for k in ("message", "Message", "__type")):
        from .errors import decode_error

        return decode_error(status, headers, body)
    shown = body[:80].decode("utf-8", "replace")
    message = f"The answer is none of this model's: {shown!r}."
    return ProviderResponseError(message, status=status, request_id=request_id(headers))


def stream_decoder(shape: Shape) -> Decoder:
    """A fresh decoder for one stream of this shape. Its module is imported by the first one."""
    from .shape_stream import decoder_for

    return decoder_for(shape)


def at(record: Any, path: Iterable[str]) -> Any:
    """What lies at a path of keys; `None` where it leads nowhere."""
    for key in path:
        record = record.get(key) if isinstance(record, dict) else None
    return record


def _without(record: Record, path: Path) -> Record:
    """The record less what lies at a path, and less the objects that held nothing else."""
    key, *inner = path
    if key not in record:
        return record
    rest = {name: value for name, value in record.items() if name != key}
    below = record[key]
    if inner and isinstance(below, dict) and (kept := _without(below, tuple(inner))):
        rest[key] = kept
    return rest
