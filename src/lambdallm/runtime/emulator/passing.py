"""What became of an invocation, as a front end needs it: pieces to pass on, or a failure of one of five kinds."""

from __future__ import annotations

from ..._value import Value
from .errors import EmulatorError
from .listener import Cut
from .service_errors import ServiceError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any, Literal

    from .account import Account
    from .answer import Answer
    from .emulator import Emulator
    from .payloads import Visit

    FailureKind = Literal["throttled", "too_large", "missing", "late", "failed"]


_REFUSED: dict[str, FailureKind] = {
    "TooManyRequestsException": "throttled",
    "RequestEntityTooLargeException": "too_large",
    "ResourceNotFoundException": "missing",
}


class Failure(Exception):
    """An invocation has no answer to pass on. `told` is the error as the function, or Lambda, tells it."""

    def __init__(self, kind: FailureKind, message: str, told: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.kind: FailureKind = kind
        self.told = told or {"errorType": kind, "errorMessage": message}


class Replied(Value):
    """What a function answers: the type of its bytes, whether it sent them piece by piece, and the bytes."""

    content_type: str
    streamed: bool
    chunks: Iterable[bytes]


def opened(
    lambda_: Emulator | Account, name: str, payload: bytes, *, qualifier: str | None, streams: bool, visit: Visit
) -> Answer:
    """An invocation that has begun. Raises `Failure` for one that Lambda does not take."""
    try:
        trace = visit.trace_id
        return lambda_.invoke(name, payload, qualifier=qualifier, streams=streams, trace_id=trace)
    except (EmulatorError, ServiceError) as error:
        raise Failure(_REFUSED.get(error.code, "failed"), f"{error}") from error


def running(answer: Answer) -> Replied:
    """What the function answers: from its first piece on where it streams, else at its end. Raises `Failure`.

    Where a stream fails later, its chunks end with `Cut`.
    """
    answer.begin()
    pieces = iter(answer)
    first = [next(pieces, b"")] if answer.streamed else list(pieces)
    if answer.function_error and not (answer.streamed and first != [b""]):
        raise failure_of(answer)
    return Replied(answer.content_type, answer.streamed, _live(answer, first, pieces) if answer.streamed else first)


def _live(answer: Answer, first: list[bytes], pieces: Iterator[bytes]) -> Iterator[bytes]:
    yield from first
    yield from pieces
    if answer.function_error:
        raise Cut


def failure_of(answer: Answer) -> Failure:
    """The failure of an invocation that has ended."""
    told = answer.error or {"errorType": "Unknown", "errorMessage": ""}
    kind: FailureKind = "late" if told.get("errorType") == "Sandbox.Timedout" else "failed"
    return Failure(kind, str(told.get("errorMessage", "")), told)
