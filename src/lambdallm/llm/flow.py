"""Flows: generators that yield effects and receive their outcomes, so that policy is written once.

A flow decides; a driver acts. The synchronous driver, the asynchronous one and a test's script run the same flow. This
module knows no socket, clock or thread.

    def ask(request):                               # a Flow[Result[bytes, LLMError]]
        reply = yield Send(request, Timeouts())     # the driver answers with Ok(HttpResponse) or Err(LLMError)
        if isinstance(reply, Err):
            return reply
        return Ok(reply.value.body)

The outcome of an effect is named in its docstring. A failed effect is an `Err`, never an exception: all that a driver
throws into a flow is `ReaderLeft`. What a flow opened belongs to its driver, which closes it however the flow ends.
"""

from __future__ import annotations

from .._value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence
    from typing import Any, TypeAlias, TypeVar

    from ..transport.types import Headers, HttpRequest, Timeouts
    from .task import Signal, Task

    T = TypeVar("T")


class Send(Value):
    """Send a request and read the whole answer → `Result[HttpResponse, LLMError]`."""

    request: HttpRequest
    timeouts: Timeouts
    via: str = ""
    """The import path of an in-process transport, `""` for the network."""


class Open(Value):
    """Send a request and wait for the answer's headers only → `Result[Opened, LLMError]`."""

    request: HttpRequest
    timeouts: Timeouts
    via: str = ""


class Opened(Value):
    """The head of an answer whose body is still to be read; `handle` is the driver's own."""

    status: int
    headers: Headers
    handle: object


class Read(Value):
    """Read the next bytes of an open answer → `Result[bytes, LLMError]`; empty bytes at its end."""

    handle: object


class Close(Value):
    """Close an open answer early → `None`."""

    handle: object


class Emit(Value):
    """Hand items to whoever iterates over the flow, in order → `None`. Raises `ReaderLeft` where nobody reads on."""

    items: Sequence[Any]


class ReaderLeft(BaseException):
    """Nobody waits for the rest: whoever iterated has stopped early, or the flow was cancelled.

    Thrown at an `Emit` a flow may settle its accounts, and emits nothing more. Thrown at any other effect it may read
    the clock and tell listeners; where it asks for more than that, it is closed. Its `__cause__` is what performing
    that effect raised: a cancellation, or somebody's bug.
    """


class Sleep(Value):
    """Wait → `None`."""

    seconds: float


class Now(Value):
    """Read the clocks → `Clock`."""


class Clock(Value):
    """`monotonic` for measuring, `wall` (seconds since the epoch) for dates."""

    monotonic: float
    wall: float


class Environment(Value):
    """Read the process's environment variables → `Mapping[str, str]`."""


class Perform(Value):
    """Run a function that is not ours, such as a client's own hook → what it returns, or `Err`.

    An asynchronous driver awaits what can be awaited, for at most `seconds`; a synchronous one can't interrupt the
    function, and refuses what would have to be awaited. What it raises for want of time or connection becomes an `Err`
    as the transport's failures do; a bug is raised on.
    """

    function: Callable[[], Any]
    seconds: float | None = None


class Tell(Value):
    """Tell a listener of something that happened → `None`. What the listener raises is reported, and harms nothing."""

    listener: Callable[[Any], object]
    notice: object


class Start(Value):
    """Begin a flow beside this one → `Task`. It runs to its end, or to its first `Emit`, where it pauses.

    Whoever starts a task takes its outcome (`Await` its signal, then `concurrent.taken`) or cancels it; what is still
    running when the starter ends is cancelled.
    """

    flow: Flow[Any]


class Await(Value):
    """Wait until one of the signals has fired, for at most `seconds` → `None`. Ask the signals which."""

    signals: tuple[Signal, ...]
    seconds: float | None = None


class Cancel(Value):
    """Stop a task and close what it has open → `None`. One that has ended stays as it is."""

    task: Task


if TYPE_CHECKING:
    Effect: TypeAlias = (
        Send | Open | Read | Close | Emit | Sleep | Now | Environment | Perform | Tell | Start | Await | Cancel
    )
    Flow: TypeAlias = Generator[Effect, Any, T]
    Environ: TypeAlias = Mapping[str, str]

NOW = Now()
ENVIRONMENT = Environment()
