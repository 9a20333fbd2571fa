"""The Runtime API client of one worker among several: what Lambda refuses to one of them is no reason to end it.

Source: `awslambdaric` 4.2, `LambdaMultiConcurrentRuntimeClient`.
"""

from __future__ import annotations

from . import logs
from .client import RuntimeClient
from .errors import RuntimeApiError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .faults import Fault
    from .invocation import Invocation
    from .sending import Sent
    from .streams import ResponseStream

_WAITS_SECONDS = (0.1, 0.2, 0.4, 0.8)
"""Before each further try to get an invocation."""
_TOLD_ALREADY = 403


class WorkerClient(RuntimeClient):
    """As `RuntimeClient`; it asks for invocations patiently, and logs what becomes of an answer that is not taken.

    `had_one` is called with the first invocation.
    """

    def __init__(self, address: str, had_one: Callable[[], None]) -> None:
        super().__init__(address)
        self._had_one: Callable[[], None] | None = had_one

    def next(self) -> Invocation:
        """Wait for the next invocation. Raises `RuntimeApiError` after five tries."""
        invocation = self._sooner_or_later()
        if self._had_one is not None:
            self._had_one()
            self._had_one = None
        return invocation

    def _sooner_or_later(self) -> Invocation:
        for seconds in _WAITS_SECONDS:
            try:
                return super().next()
            except RuntimeApiError as error:
                _warn(error, f"It is asked again in {seconds} s.")
            from time import sleep

            sleep(seconds)
        return super().next()

    def respond(self, id: str, body: bytes, content_type: str = "application/json") -> None:
        """Answer in one piece."""
        try:
            super().respond(id, body, content_type)
        except RuntimeApiError as error:
            _warn(error)

    def stream(self, id: str, stream: ResponseStream, invocation_id: str | None = None) -> Sent:
        """Answer piece by piece."""
        try:
            return super().stream(id, stream, invocation_id)
        except RuntimeApiError as error:
            from .sending import Sent

            return Sent(0, left=str(error))

    def fail(self, id: str, error: BaseException | Fault) -> None:
        """Say that an invocation failed."""
        try:
            super().fail(id, error)
        except RuntimeApiError as refusal:
            _warn(refusal)

    def init_error(self, error: BaseException | Fault, error_type: str | None = None) -> None:
        """Say that the function can't be loaded, which another worker may have said before."""
        try:
            super().init_error(error, error_type)
        except RuntimeApiError as refusal:
            if refusal.status != _TOLD_ALREADY:
                raise


def _warn(error: RuntimeApiError, further: str = "The worker goes on.") -> None:
    logs.warn(f"{error} {further}")
