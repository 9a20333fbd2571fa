"""The framing of InvokeModelWithResponseStream: event stream messages in, the payloads of the model's own stream out.

Every `chunk` event carries a JSON text in base64 (`{"bytes": …}`) and random letters (`p`) against reading an answer's
words off its packets' sizes. Failures arrive as exception messages inside the 200. Events of other types are read over.

Source: Bedrock API reference, "ResponseStream" and "PayloadPart".
"""

from __future__ import annotations

import json
from binascii import a2b_base64

from ...errors import StreamError
from ..eventstream import EventStreamDecoder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from ...errors import LLMError
    from ..eventstream import HeaderValue


class Payloads:
    """Feed bytes as they come, split anywhere; get payloads. `error` is set by what ends the stream before its time."""

    def __init__(self) -> None:
        self.error: LLMError | None = None
        self._frames = EventStreamDecoder()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The payloads that these bytes complete; take them all."""
        for headers, message in self._frames.feed(data):
            if self.error is None and (payload := self._payload(headers, message)) is not None:
                yield payload
        self._check()

    def close(self) -> None:
        """Say that the bytes have ended."""
        self._frames.close()
        self._check()

    def _check(self) -> None:
        if self.error is None and self._frames.error is not None:
            self.error = malformed(self._frames.error)

    def _payload(self, headers: Mapping[str, HeaderValue], message: bytes) -> bytes | None:
        if headers.get(":message-type", "event") != "event":
            self.error = _exception(headers, message)
        elif headers.get(":event-type", "chunk") == "chunk":
            try:
                return a2b_base64(json.loads(str(message, "utf-8"))["bytes"], strict_mode=True)
            except (ValueError, TypeError, LookupError, RecursionError) as reason:
                self.error = malformed(f"a chunk holds no bytes ({reason})")
        return None


def malformed(reason: object) -> StreamError:
    """The error of a stream that breaks its rules."""
    return StreamError(f"The stream is malformed: {reason}."[:500])


def _exception(headers: Mapping[str, HeaderValue], message: bytes) -> LLMError:
    from ..bedrock_converse.stream import exception_error

    try:
        record: Any = json.loads(message)
    except (ValueError, RecursionError):
        record = None
    return exception_error(headers, record if isinstance(record, dict) else {})
