"""One process, many invocations: load the function, then ask for work and answer it until the process ends.

    load ─┬─ failed: tell Lambda, exit 1
          └─ next ─▶ context, event ─▶ the function ─▶ response | stream | error ─▶ next …

What the function raises is the caller's answer, and the next invocation goes on. `SystemExit` ends the process, as it
does under AWS's client, and so does a Runtime API that refuses what it is sent.
"""

from __future__ import annotations

import os
import sys

from .._value import Value
from . import logs
from .context import LambdaContext, context_of
from .errors import RuntimeApiError, RuntimeFault
from .payload import decode, encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from typing import Any

    from .client import RuntimeClient
    from .faults import Fault
    from .invocation import Invocation
    from .sending import Sent
    from .streams import ResponseStream

    Function = Callable[[Any, Any], Any]
    After = Callable[[Invocation, "LambdaContext | None", "Outcome"], None]

GOES_ON = (410, 413)
"""Statuses that refuse an answer, which came too late or is too large, and leave the environment as it is."""
SMALL_BYTES = 1_000_000
"""What every event source takes; `limits` is asked about more."""


class Outcome(Value):
    """How an invocation ended."""

    bytes_sent: int = 0
    """Of the body."""
    streamed: bool = False
    fault: Fault | None = None
    """What the caller was told in the place of an answer, or at the end of a stream; `None` where all went well."""
    error: BaseException | None = None
    """The exception behind the fault."""
    left: str = ""
    """Why a stream was not read to its end."""


def run(
    client: RuntimeClient,
    load: Callable[[], Function],
    *,
    context_type: type[LambdaContext] = LambdaContext,
    after: After | None = None,
    ready: Callable[[], None] | None = None,
) -> None:
    """Answer invocations until the process ends, or is asked to by SIGTERM.

    `load` gives the function; `ready` is called between that and the first invocation; `after` is called when an
    invocation is answered, before the next is asked for, with what became of it. Contexts are made of `context_type`;
    where what the caller sent of itself could not be read there is none.

    Raises `SystemExit` where the function can't be loaded, which Lambda is told, and `RuntimeApiError` where the
    Runtime API refuses an answer or is gone.
    """
    function = _loaded(client, load)
    if ready is not None:
        ready()
    while True:
        invocation = client.next()
        begin(invocation)
        context, outcome = _Invoked(client, function, invocation).answered(context_type)
        if after is not None:
            after(invocation, context, outcome)
        del invocation, context, outcome  # what an invocation held is free while the environment waits for the next
        if _ends():
            return


def _ends() -> bool:
    """Whether the environment is to end. What listens for that is loaded once the first answer is out."""
    from . import collector, shutdown

    collector.settle()
    shutdown.watch()
    return shutdown.is_asked()


def begin(invocation: Invocation) -> None:
    """Make the process know whose invocation it serves: the log and the trace id in the environment."""
    logs.begin(invocation.id, invocation.tenant_id)
    if invocation.trace_id is not None:
        os.environ["_X_AMZN_TRACE_ID"] = invocation.trace_id
    else:
        os.environ.pop("_X_AMZN_TRACE_ID", None)


def _loaded(client: RuntimeClient, load: Callable[[], Function]) -> Function:
    try:
        return load()
    except Exception as error:  # noqa: BLE001  # whatever the function's module raises
        from .faults import fault_of

        fault = fault_of(error)
        logs.error(fault)
        try:
            client.init_error(fault)
        finally:
            sys.exit(1)


class _Invoked:
    """One invocation on its way through the function."""

    def __init__(self, client: RuntimeClient, function: Function, invocation: Invocation) -> None:
        self._client, self._function, self._invocation = client, function, invocation

    def answered(self, context_type: type[LambdaContext]) -> tuple[LambdaContext | None, Outcome]:
        """The context and how it ended; Lambda has been told."""
        context = None
        try:
            context = context_of(self._invocation, context_type)
            event = decode(self._invocation.body, self._invocation.content_type)
            result = _settled(self._function(event, context), event)
            answer = result if _is_response_stream(result) else encode(result)
        except (SystemExit, KeyboardInterrupt):
            logs.flush()
            raise
        except BaseException as error:  # noqa: BLE001  # the caller is told, and the environment goes on
            return context, self._failed(error)
        logs.flush()
        return context, self._sent(answer, event)

    def _sent(self, answer: ResponseStream | tuple[bytes, str], event: Any) -> Outcome:
        try:
            if not isinstance(answer, tuple):
                return self._reported(self._client.stream(self._invocation.id, answer))
            self._check(len(answer[0]), event)
            self._client.respond(self._invocation.id, *answer)
            return Outcome(len(answer[0]))
        except RuntimeFault as error:  # nothing has been sent
            return self._failed(error)
        except RuntimeApiError as error:
            self._refused(error)
            return Outcome(error=error)

    def _check(self, size: int, event: Any) -> None:
        if size > SMALL_BYTES:
            from .limits import check_for_caller

            if warning := check_for_caller(size, event):
                logs.warn(warning)

    def _reported(self, sent: Sent) -> Outcome:
        logs.flush()
        if sent.fault is not None:
            logs.error(sent.fault, self._invocation.id)
        if sent.left:
            logs.warn(f"The response was not read to its end, after {sent.bytes_sent} bytes: {sent.left}.")
        return Outcome(sent.bytes_sent, True, sent.fault, sent.error, sent.left)

    def _failed(self, error: BaseException) -> Outcome:
        from .faults import fault_of

        fault = fault_of(error)
        logs.error(fault, self._invocation.id)
        try:
            self._client.fail(self._invocation.id, fault)
        except RuntimeApiError as refusal:
            self._refused(refusal)
        return Outcome(fault=fault, error=error)

    def _refused(self, error: RuntimeApiError) -> None:
        """Log that an answer is not taken. Raises the error where it ends the environment."""
        if error.status not in GOES_ON:
            raise error
        logs.warn(str(error))


def _settled(result: Any, event: Any) -> Any:
    """A function's result when everything it awaits has come; a generator of one without `@handler` as a stream."""
    if hasattr(result, "__await__"):
        from .event_loop import environment_loop

        result = environment_loop.run(_awaited(result))
    if hasattr(result, "__aiter__"):
        from .event_loop import environment_loop

        result = environment_loop.iterate(result if hasattr(result, "aclose") else _each(result))
    if hasattr(result, "__next__"):
        from .pieces import answer_in_pieces

        return answer_in_pieces(result, event)
    return result


async def _awaited(result: Any) -> Any:
    return await result


async def _each(items: Any) -> AsyncGenerator[Any, None]:
    """What can be iterated over and is no generator as one."""
    async for item in items:
        yield item


def _is_response_stream(result: Any) -> bool:
    """Whether it is one, without importing what defines it: whoever made one has."""
    streams = sys.modules.get(f"{__package__}.streams")
    return streams is not None and isinstance(result, streams.ResponseStream)
