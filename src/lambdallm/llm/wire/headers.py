"""What is read of every answer's headers, good or bad. How long an error asks to wait is read in `waits`."""

from __future__ import annotations

from ...transport.types import find_header

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...transport.types import Headers

_REQUEST_IDS = (
    "x-request-id", "request-id", "x-amzn-requestid", "apim-request-id", "x-ms-request-id", "x-goog-request-id",
    "mistral-correlation-id", "x-correlation-id", "x-generation-id", "x-debug-trace-id", "cf-ray",
)  # fmt: skip


def request_id(headers: Headers) -> str | None:
    """The id under which the provider knows the request, for its support; `None` when it gave none."""
    return next((value for name in _REQUEST_IDS if (value := find_header(headers, name))), None)
