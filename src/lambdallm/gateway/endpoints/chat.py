"""Answers of chat models, whole or in pieces, to clients of any protocol.

A request in its target's own protocol passes through (`passing`); any other is translated (`translating`). What both
have in common is here: reading, checking, accounting, and how an answer that fails is told.
"""

from __future__ import annotations

from ..._value import Value
from ...llm.errors import DeadlineExceededError, LambdaLLMError, ProviderTimeoutError
from ...llm.flow import NOW, Emit, ReaderLeft
from ...llm.result import Err, Ok
from ..account import opened
from ..body import read
from ..errors import JSON, as_library_error, told
from ..http import GatewayError, Reply, StreamedReply
from ..protocols import PROTOCOLS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...llm.flow import Flow
    from ...llm.result import Result
    from ..account import Account
    from ..app import Gateway
    from ..body import Asked
    from ..caller import Caller
    from ..http import GatewayRequest
    from ..protocols import Protocol
    from ..serving import Served
    from .streamed import Streamed

NOTICE = "\n\n[The answer ends here: the time for it was up.]"
_AT_ONCE_SECONDS = 0.1
"""A failure this near the deadline is the deadline's."""


class Call(Value):
    """One request to a model, with all that its answer needs."""

    gateway: Gateway
    request: GatewayRequest
    asked: Asked
    protocol: Protocol
    served: Served
    account: Account
    created: int
    deadline: float | None = None

    @property
    def id(self) -> str:
        """The id of an answer that has none."""
        return f"{self.protocol.id_prefix}{self.request.request_id.replace('-', '') or '0'}"


def answer(gateway: Gateway, request: GatewayRequest, caller: Caller) -> Flow[Reply | StreamedReply]:
    """The answer of a chat model, in the protocol of the route."""
    protocol = PROTOCOLS[request.protocol]
    asked = read(request, gateway.limits, gateway.default_model)
    _check_way(request, asked, protocol)
    served = gateway.served(asked.model, caller)
    passes = _passes(served, protocol, asked)
    account = yield from opened(gateway, caller, served, asked.value, len(asked.body))
    deadline = None if request.deadline is None else request.deadline - gateway.limits.margin_seconds
    created = int((yield NOW).wall)
    call = Call(gateway, request, asked, protocol, served, account, created, deadline)
    try:
        if asked.stream:
            return _in_pieces(call, passes=passes)
        return (yield from _whole(call, passes=passes))
    except ReaderLeft:
        account.owe(None)
        raise
    except Exception as error:
        yield from account.failed(error, gateway.refusal_status(error, protocol))
        raise


def _check_way(request: GatewayRequest, asked: Asked, protocol: Protocol) -> None:
    """Raise `GatewayError` for a way of answering that there is not."""
    if protocol.name == "gemini" and asked.stream and request.query.get("alt") != "sse":
        raise GatewayError(400, "Streams go out as server-sent events. Add alt=sse to the URL.", param="alt")
    if protocol.name == "openai_responses":
        for name in ("background", "conversation"):
            if asked.value.get(name):
                message = f"{name!r} needs answers that are stored, and this gateway stores none. Leave it out."
                raise GatewayError(400, message, param=name, code="unsupported_parameter")


def _passes(served: Served, protocol: Protocol, asked: Asked) -> bool:
    from .passing import passes

    if passes(served, protocol):
        return True
    if protocol.name == "openai_responses":
        _check_stored(asked)
    return False


def _check_stored(asked: Asked) -> None:
    """Raise `GatewayError` for what needs answers that are stored, where no provider stores them."""
    if asked.value.get("previous_response_id") is not None:
        name, fix = "previous_response_id", "Send the conversation in 'input'."
    elif asked.value.get("store") is True:
        name, fix = "store", "Set it to false, or leave it out."
    else:
        return
    message = f"{name!r} can't be had of this model: its answers are not stored. {fix}"
    raise GatewayError(400, message, param=name, code="unsupported_parameter")


def _whole(call: Call, *, passes: bool) -> Flow[Reply]:
    if passes:
        from .passing import whole
    else:
        from .translating import whole
    result = yield from whole(call)
    if isinstance(result, Err):
        raise result.error
    body, completion = result.value
    usage, cost = call.account.counted(completion)
    yield from call.account.settled(usage, cost, 200)
    more = facts(completion)
    return Reply(200, (JSON, *call.account.headers(call.protocol.name), *more), body)


def facts(completion: Any) -> tuple[tuple[str, str], ...]:
    """What an answer's headers say of how it came to be."""
    said = []
    if completion.provider:
        said.append(("x-lambdallm-provider", completion.provider))
    if completion.cost_usd is not None:
        said.append(("x-lambdallm-cost-usd", f"{completion.cost_usd:.9f}".rstrip("0").rstrip(".")))
    if completion.cache is not None:
        said.append(("x-lambdallm-cache", completion.cache))
    if completion.warnings:
        words = "; ".join(completion.warnings)[:1000]
        said.append(("x-lambdallm-warnings", "".join(c if " " <= c <= "~" else "?" for c in words)))
    return tuple((name, "".join(c if " " <= c <= "~" else "?" for c in value)) for name, value in said)


def _in_pieces(call: Call, *, passes: bool) -> StreamedReply:
    if passes:
        from .passing import Passed as Way
    else:
        from .translating import Translated as Way  # type: ignore[assignment]
    kind = call.protocol.dialect.STREAM_TYPE
    headers = (("content-type", kind), ("x-accel-buffering", "no"), *call.account.headers(call.protocol.name))
    return StreamedReply(200, headers, _pieces(call, Way(call)))


def _pieces(call: Call, stream: Streamed) -> Flow[Result[None, LambdaLLMError]]:
    """Emit a stream's bytes to its end, whatever that is, and settle."""
    try:
        result = yield from stream.pieces()
    except ReaderLeft:
        _owe(call, stream)
        raise
    except Exception as error:  # noqa: BLE001  # the client is told
        result = Err(error)
    try:
        if isinstance(result, Ok):
            yield from _settled(call, stream, 200)
            return Ok(None)
        return (yield from _failed(call, stream, result.error))
    except ReaderLeft:
        _owe(call, stream)
        raise


def _owe(call: Call, stream: Streamed) -> None:
    if call.account.is_open:
        call.account.owe(stream.completion() if stream.has_begun else None)


def _settled(call: Call, stream: Streamed, status: int) -> Flow[None]:
    """Count what has come of a stream, where anybody counts."""
    if call.account.is_open:
        usage, cost = call.account.counted(stream.completion())
        yield from call.account.settled(usage, cost, status)


def _failed(call: Call, stream: Streamed, error: Exception) -> Flow[Result[None, LambdaLLMError]]:
    """End a stream that failed: by the answer that says so, a notice that time is up, or an error in its midst."""
    late = call.deadline is not None and (yield NOW).monotonic >= call.deadline - _AT_ONCE_SECONDS
    if late and not isinstance(error, LambdaLLMError):
        late = False
    if not stream.has_begun:
        error = _too_late() if late and isinstance(error, ProviderTimeoutError) else error
        reply = call.gateway.refusal(error, call.protocol, call.request)
        yield from call.account.failed(error, reply.status)
        yield Emit((call.gateway.labelled(reply, call.request, call.protocol),))
        return Ok(None)
    yield from _settled(call, stream, 200 if late else 502)
    if late:
        yield Emit((stream.cut_short(NOTICE),))
        return Ok(None)
    said = told(error, exposes=call.gateway.provider_errors)
    if said is not error:
        call.gateway.log(error, call.request)
    yield Emit((stream.failed(as_library_error(said)),))
    return Ok(None)


def _too_late() -> LambdaLLMError:
    return DeadlineExceededError("The answer did not begin before the gateway's own time was up.")
