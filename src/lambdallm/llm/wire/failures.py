"""What codecs ask about errors of every answer. What reads and classifies an error is loaded by the first one."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...transport.types import Headers
    from ..errors import LLMError, StreamError
    from ..types import Completion, Usage
    from .openai_error import ErrorFacts


def decode_error(status: int, headers: Headers, body: bytes) -> LLMError:
    """An answer that is not 2xx, whatever its body is; see `openai_error`."""
    from .openai_error import decode_error as decode

    return decode(status, headers, body)


def error_inside(value: Any) -> ErrorFacts | None:
    """The error in an answer that claims success: under `error`, or the answer itself; `None` where there is none."""
    value = value[0] if isinstance(value, list) and value else value
    if not isinstance(value, dict):
        return None
    error = value if value.get("object") == "error" else value.get("error")
    return error_facts(error) if error else None


def error_facts(value: Any) -> ErrorFacts:
    """What an error object says, whatever its shape."""
    from .openai_error import ErrorFacts

    return ErrorFacts(value)


def wait_seconds(status: int | None, headers: Headers, message: str = "") -> float | None:
    """Seconds to wait before the next try, as an answer's headers or its error's words say; see `waits`."""
    from .waits import wait_seconds as read

    return read(status, headers, message)


def stream_error(facts: ErrorFacts, *, usage: Usage | None = None, partial: Completion | None = None) -> StreamError:
    """The error that ends a stream; whether to try again is for its own words to say."""
    from .openai_error import stream_error as made

    return made(facts, usage=usage, partial=partial)
