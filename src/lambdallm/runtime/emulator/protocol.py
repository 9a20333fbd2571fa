"""The Runtime API's rules, pure: what a process may ask in which state, and in which words it is refused.

    Started ──next──────────────► Ready ──(an invocation)──► Running ──response──► InvocationResponse ─┐
      │  └─restore/next─► RestoreReady ─(restored)─► Restoring   └────error──► InvocationErrorResponse ─┤
      └─init/error─► InitError      Ready ◄──next── RuntimeResponseSentState ◄──(the body is whole)─────┘

Names of states, refusals and their words are those of AWS's own implementation, which its Runtime Interface Emulator
publishes (`rapi/router.go`, `core/states.go`, `rendering/render_error.go`).
"""

from __future__ import annotations

import json
import re

from ..._value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Literal

    Action = Literal["next", "response", "error", "init_error", "restore_next", "restore_error", "note"]

_ROOT = "/2018-06-01"
_FIXED: Mapping[tuple[str, str], tuple[str, str]] = {
    ("ping", ""): ("GET", "ping"),
    ("runtime/invocation/next", ""): ("GET", "next"),
    ("runtime/init/error", ""): ("POST", "init_error"),
    ("runtime/restore/next", "snapstart"): ("GET", "restore_next"),
    ("runtime/restore/error", "snapstart"): ("POST", "restore_error"),
}
_OF_INVOCATION = re.compile(rf"{_ROOT}/runtime/invocation/([^/]+)/(response|error)")
_NOTE = re.compile(r"/lambdallm/notes/([^/]+)/([^/]+)")
_ERROR_TYPE = re.compile(r"(Runtime|Function)\.[A-Z][a-zA-Z]+")
_JSON = {"Content-Type": "application/json"}


class Refusal(Value):
    """An answer of the Runtime API that is no event."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = _JSON


class Ask(Value):
    """What a process asks for. `request_id` and `name` where the path has them."""

    action: Action
    request_id: str = ""
    name: str = ""


OK = Refusal(202, b'{"status":"OK"}\n')
PONG = Refusal(200, b"pong", {"Content-Type": "text/plain; charset=utf-8"})


def refusal(status: int, error_type: str, message: str) -> Refusal:
    """An error of the Runtime API in its own JSON."""
    body = json.dumps({"errorMessage": message, "errorType": error_type}, separators=(",", ":"))
    return Refusal(status, body.encode() + b"\n")


UNKNOWN_ID = refusal(400, "InvalidRequestID", "Invalid request ID")
BAD_MODE = refusal(400, "InvalidFunctionResponseMode", "Invalid function response mode")
NOT_JSON = refusal(400, "InvalidNote", "A note is JSON")
NO_PAGE = Refusal(404, b"404 page not found\n", {"Content-Type": "text/plain; charset=utf-8"})


def too_large(most_bytes: int) -> Refusal:
    """A response is larger than a buffered one may be."""
    return refusal(413, "RequestEntityTooLarge", f"Exceeded maximum allowed payload size ({most_bytes} bytes).")


def read(method: str, path: str, *, snapstart: bool) -> Ask | Refusal:
    """What is asked for; a refusal where the Runtime API has nothing there."""
    path = path.partition("?")[0]
    if found := _OF_INVOCATION.fullmatch(path):
        return _allowed(method, "POST", Ask(found[2], found[1]))  # type: ignore[arg-type]  # the pattern names them
    if found := _NOTE.fullmatch(path):
        return _allowed(method, "POST", Ask("note", found[1], found[2]))
    rest = path.removeprefix(f"{_ROOT}/")
    entry = _FIXED.get((rest, "")) or (_FIXED.get((rest, "snapstart")) if snapstart else None)
    if entry is None:
        return NO_PAGE
    return _allowed(method, entry[0], PONG if entry[1] == "ping" else Ask(entry[1]))  # type: ignore[arg-type]  # ditto


def _allowed(method: str, expected: str, found: Ask | Refusal) -> Ask | Refusal:
    return found if method == expected else Refusal(405, b"", {"Allow": expected})


def error_type(given: str) -> str:
    """The type of an error as the platform knows it, from the header that a runtime sends."""
    if _ERROR_TYPE.search(given):
        return given
    return "Function.Unknown" if given.startswith("Function.") else "Runtime.Unknown"


class State:
    """Where a process stands. Each method makes one step or gives the refusal that the process is answered with."""

    def __init__(self) -> None:
        self.name = "Started"
        self.request_id = ""

    def next(self) -> Refusal | None:
        """The process asks for an invocation. One that asks again in the middle of one is given the same."""
        if self.name == "Running":
            return None
        return self._step("Ready", "Started", "Restoring", "Ready", "RuntimeResponseSentState")

    def give(self, request_id: str) -> None:
        """An invocation goes to the process."""
        self.name, self.request_id = "Running", request_id

    def known(self, request_id: str) -> Refusal | None:
        """Whether this is the id of the invocation that runs or ran last."""
        return None if self.request_id and request_id == self.request_id else UNKNOWN_ID

    def response(self, request_id: str) -> Refusal | None:
        """The process begins to answer."""
        return self.known(request_id) or self._step("InvocationResponse", "Running")

    def error(self, request_id: str) -> Refusal | None:
        """The process says that the invocation has failed."""
        return self.known(request_id) or self._step("InvocationErrorResponse", "Running")

    def sent(self) -> None:
        """The answer is whole."""
        self.name = "RuntimeResponseSentState"

    def init_error(self) -> Refusal | None:
        """The process says that it can't start; one that is being restored may still say it here."""
        if self.name == "Restoring":
            return self.restore_error()
        return self._step("InitError", "Started")

    def restore_next(self) -> Refusal | None:
        """The process is ready for its snapshot."""
        return self._step("RestoreReady", "Started", asked="Ready")

    def restored(self) -> None:
        """The snapshot has been restored."""
        self.name = "Restoring"

    def restore_error(self) -> Refusal | None:
        """A hook after the restore has failed."""
        return self._step("RuntimeRestoreErrorState", "Restoring")

    def _step(self, target: str, *sources: str, asked: str = "") -> Refusal | None:
        if self.name in sources:
            self.name = target
            return None
        said = f"State transition from {self.name} to {asked or target} failed for runtime. "
        return refusal(403, "InvalidStateTransition", f"{said}Error: State transition is not allowed")
