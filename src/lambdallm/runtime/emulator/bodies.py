"""What becomes of the body of a request to the Runtime API, part by part."""

from __future__ import annotations

import base64
import binascii
import json

from .protocol import OK, Refusal, too_large

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from .job import Job
    from .limits import Limits

_TOO_LARGE = "Function.ResponseSizeTooLarge"
_TYPE_TRAILER = "lambda-runtime-function-error-type"
_BODY_TRAILER = "lambda-runtime-function-error-body"


class Body:
    """The base: a body that is read and dropped, and then answered."""

    def __init__(self, refusal: Refusal = OK) -> None:
        self.refusal = refusal

    def data(self, data: bytes) -> None:
        """A part has come."""

    def end(self, trailers: Mapping[str, str]) -> Refusal | None:
        """It is whole: what is answered; `None` when that comes later."""
        return self.refusal

    def cut(self) -> None:
        """It will never be whole: the connection is lost."""


class Bare(Body):
    """A request without a body, which may be answered later."""

    def __init__(self, asked: Callable[[], Refusal | None]) -> None:
        super().__init__()
        self._asked = asked

    def end(self, trailers: Mapping[str, str]) -> Refusal | None:
        """Ask."""
        return self._asked()


class Whole(Body):
    """A body that is looked at when it is whole; longer than `most_bytes`, it is refused."""

    def __init__(self, most_bytes: int, done: Callable[[bytes], Refusal | None]) -> None:
        super().__init__(too_large(most_bytes))
        self._most_bytes, self._done = most_bytes, done
        self._parts: list[bytes] = []
        self._size = 0

    def data(self, data: bytes) -> None:
        """Keep it, while there is not too much."""
        self._size += len(data)
        if self._size <= self._most_bytes:
            self._parts.append(data)
        else:
            self._parts.clear()

    def end(self, trailers: Mapping[str, str]) -> Refusal | None:
        """Pass it on."""
        return self.refusal if self._size > self._most_bytes else self._done(b"".join(self._parts))


class Response(Body):
    """A function's answer. `sent` is called once it is whole, for good or bad."""

    def __init__(self, job: Job, limits: Limits, content_type: str, *, streaming: bool, sent: Callable[[], None]):
        super().__init__()
        self._job, self._sent = job, sent
        self._streamed = streaming and job.streams
        self._most_bytes = limits.stream_bytes if self._streamed else limits.sync_bytes
        self._parts: list[bytes] = []
        self._size = 0
        job.answer.open(content_type or "application/json", streamed=self._streamed)

    def data(self, data: bytes) -> None:
        """Pass it on at once where the answer streams, else keep it."""
        self._size += len(data)
        if self._size > self._most_bytes:
            self._refuse()
        elif self._streamed:
            self._job.answer.put(data)
        else:
            self._parts.append(data)

    def end(self, trailers: Mapping[str, str]) -> Refusal | None:
        """The answer is whole, or its trailers say what went wrong."""
        if self._size <= self._most_bytes:
            self._close(trailers)
        self._sent()
        return self.refusal

    def cut(self) -> None:
        """What follows tells why: the process has ended, or has lost its connection."""
        self._job.truncated = True
        self._sent()

    def _close(self, trailers: Mapping[str, str]) -> None:
        if error := error_of_trailers(trailers):
            self._job.answer.fail(error)
            return
        if not self._streamed:
            self._job.answer.put(b"".join(self._parts))
        self._job.answer.end()

    def _refuse(self) -> None:
        self._parts.clear()
        self.refusal = too_large(self._most_bytes)
        said = f"exceeded maximum allowed payload size ({self._most_bytes} bytes)."
        self._job.answer.fail({"errorType": _TOO_LARGE, "errorMessage": f"Response payload size {said}"})


def error_of(body: bytes, error_type: str) -> dict[str, Any]:
    """The error that a runtime has posted; of what is no JSON object, its text."""
    try:
        error = json.loads(body)
    except ValueError:
        error = None
    if isinstance(error, dict):
        return {"errorType": error_type, "errorMessage": ""} | error
    return {"errorType": error_type, "errorMessage": body.decode("utf-8", "replace")}


def error_of_trailers(trailers: Mapping[str, str]) -> dict[str, Any] | None:
    """The error in the middle of a stream, whose body is JSON in base64; `None` when there is none."""
    error_type = trailers.get(_TYPE_TRAILER, "")
    if not error_type:
        return None
    try:
        body = base64.b64decode(trailers.get(_BODY_TRAILER, ""))
    except binascii.Error:
        body = b""
    return error_of(body, error_type)
