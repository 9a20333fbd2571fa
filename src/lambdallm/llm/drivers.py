"""What performs a flow's effects: one driver for functions without an event loop, one for those with.

Both do the same things in the same order; only waiting differs. A driver owns what a flow opens and closes it however
the flow ends. Transport failures become errors of the client library here, and nowhere else.
"""

from __future__ import annotations

import os
import time

from .._value import Value
from ..transport.errors import ConnectError, ProtocolError, TlsError, TransportError, WaitTimeout
from .errors import (
    ConfigurationError,
    InternalError,
    LLMError,
    ProviderConnectionError,
    ProviderResponseError,
    ProviderTimeoutError,
)
from .flow import Clock, Close, Emit, Environment, Now, Open, Opened, Perform, Read, Send, Sleep
from .result import Err, Ok

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
    from typing import Any, TypeVar

    from ..transport.types import AsyncTransport, Transport
    from .flow import Flow
    from .result import Result

    T = TypeVar("T")


class _Handle(Value):
    """An open answer and the iterator over its pieces."""

    stream: Any
    pieces: Any


class Driver:
    """Performs effects in the calling thread, with blocking calls. Safe to share between threads and across a fork."""

    def __init__(self, transport: Transport | None = None) -> None:
        self._network = transport
        self._others: dict[str, Transport] = {}
        self._perform: dict[type, Callable[[Any], Any]] = {
            Send: self._send, Open: self._open, Read: _read, Close: _close,
            Sleep: lambda effect: time.sleep(effect.seconds), Now: _now, Environment: lambda _: os.environ,
            Perform: _performed,
        }  # fmt: skip

    def run(self, flow: Flow[T]) -> T:
        """Perform a flow that emits nothing, and return its value."""
        outcome: Any = None
        perform = self._perform
        try:
            while True:
                effect = flow.send(outcome)
                outcome = perform[type(effect)](effect)
        except StopIteration as stop:
            value: T = stop.value
            return value

    def iterate(self, flow: Flow[Result[Any, LLMError]]) -> Generator[Any, None, None]:
        """Perform a flow, yielding what it emits as it emits it; raises the error it ends with."""
        outcome: Any = None
        perform = self._perform
        opened: list[_Handle] = []
        try:
            while True:
                effect = flow.send(outcome)
                kind = type(effect)
                if kind is Emit:
                    yield from effect.items  # type: ignore[union-attr]  # an Emit, by the line above
                    outcome = None
                    continue
                outcome = perform[kind](effect)
                if kind is Open and type(outcome) is Ok:
                    opened.append(outcome.value.handle)
        except StopIteration as stop:
            stop.value.unwrap()
        finally:
            flow.close()
            for handle in opened:
                handle.stream.close()

    def close(self) -> None:
        """Close every connection. The driver can be used again."""
        for transport in [self._network, *self._others.values()]:
            if transport is not None:
                transport.close()

    def _send(self, effect: Send) -> Result[Any, LLMError]:
        try:
            return Ok(self._transport(effect.via).send(effect.request, effect.timeouts))
        except (TransportError, ValueError) as error:
            return Err(mapped(error, effect.request.url))

    def _open(self, effect: Open) -> Result[Opened, LLMError]:
        try:
            stream = self._transport(effect.via).open(effect.request, effect.timeouts)
        except (TransportError, ValueError) as error:
            return Err(mapped(error, effect.request.url))
        return Ok(Opened(stream.status, stream.headers, _Handle(stream, iter(stream))))

    def _transport(self, via: str) -> Transport:
        if not via:
            if self._network is None:
                from ..transport.sync import SyncTransport

                self._network = SyncTransport()
            return self._network
        if via not in self._others:
            self._others[via] = imported(via)()
        return self._others[via]


def _read(effect: Read) -> Result[bytes, LLMError]:
    handle: Any = effect.handle
    try:
        return Ok(next(handle.pieces, b""))
    except TransportError as error:
        return Err(mapped(error, ""))


def _close(effect: Close) -> None:
    handle: Any = effect.handle
    handle.stream.close()


def _now(_effect: Now) -> Clock:
    return Clock(time.monotonic(), time.time())


class AsyncDriver:
    """The asynchronous twin of `Driver`. Connections belong to the event loop that opened them."""

    def __init__(self, transport: AsyncTransport | None = None) -> None:
        self._network = transport
        self._others: dict[str, AsyncTransport] = {}
        self._perform: dict[type, Callable[[Any], Awaitable[Any]]] = {
            Send: self._send, Open: self._open, Read: _aread, Close: _aclose, Sleep: _asleep, Perform: _aperformed,
        }  # fmt: skip
        self._answer: dict[type, Callable[[Any], Any]] = {Now: _now, Environment: lambda _: os.environ}

    async def run(self, flow: Flow[T]) -> T:
        """Perform a flow that emits nothing, and return its value."""
        outcome: Any = None
        try:
            while True:
                effect = flow.send(outcome)
                answer = self._answer.get(type(effect))
                outcome = answer(effect) if answer else await self._perform[type(effect)](effect)
        except StopIteration as stop:
            value: T = stop.value
            return value
        finally:
            flow.close()

    async def iterate(self, flow: Flow[Result[Any, LLMError]]) -> AsyncGenerator[Any, None]:
        """Perform a flow, yielding what it emits as it emits it; raises the error it ends with."""
        outcome: Any = None
        opened: list[_Handle] = []
        try:
            while True:
                effect = flow.send(outcome)
                if type(effect) is Emit:
                    for item in effect.items:
                        yield item
                    outcome = None
                    continue
                answer = self._answer.get(type(effect))
                outcome = answer(effect) if answer else await self._perform[type(effect)](effect)
                if type(effect) is Open and type(outcome) is Ok:
                    opened.append(outcome.value.handle)
        except StopIteration as stop:
            stop.value.unwrap()
        finally:
            flow.close()
            for handle in opened:
                await handle.stream.aclose()

    async def aclose(self) -> None:
        """Close the connections of the running event loop."""
        for transport in [self._network, *self._others.values()]:
            if transport is not None:
                await transport.aclose()

    async def _send(self, effect: Send) -> Result[Any, LLMError]:
        try:
            return Ok(await self._transport(effect.via).send(effect.request, effect.timeouts))
        except (TransportError, ValueError) as error:
            return Err(mapped(error, effect.request.url))

    async def _open(self, effect: Open) -> Result[Opened, LLMError]:
        try:
            stream = await self._transport(effect.via).open(effect.request, effect.timeouts)
        except (TransportError, ValueError) as error:
            return Err(mapped(error, effect.request.url))
        return Ok(Opened(stream.status, stream.headers, _Handle(stream, aiter(stream))))

    def _transport(self, via: str) -> AsyncTransport:
        if not via:
            if self._network is None:
                from ..transport.aio import AsyncioTransport

                self._network = AsyncioTransport()
            return self._network
        if via not in self._others:
            from .clients.in_process import ThreadedTransport

            self._others[via] = ThreadedTransport(imported(via)())
        return self._others[via]


async def _aread(effect: Read) -> Result[bytes, LLMError]:
    handle: Any = effect.handle
    try:
        return Ok(await anext(handle.pieces, b""))
    except TransportError as error:
        return Err(mapped(error, ""))


async def _aclose(effect: Close) -> None:
    handle: Any = effect.handle
    await handle.stream.aclose()


async def _asleep(effect: Sleep) -> None:
    import asyncio

    await asyncio.sleep(effect.seconds)


def _performed(effect: Perform) -> Any:
    try:
        return effect.function()
    except (LLMError, OSError) as error:
        return Err(as_llm_error(error))


async def _aperformed(effect: Perform) -> Any:
    import asyncio

    try:
        async with asyncio.timeout(effect.seconds):
            return await effect.function()
    except (LLMError, OSError) as error:
        return Err(as_llm_error(error, effect.seconds))


def as_llm_error(error: LLMError | OSError, seconds: float | None = None) -> LLMError:
    """What a function that is not ours raised for a reason that is the provider's or the network's."""
    if isinstance(error, LLMError):
        return error
    if isinstance(error, TimeoutError):
        return ProviderTimeoutError(str(error) or f"Nothing came for {seconds} s.")
    return ProviderConnectionError(f"The connection failed: {error}")


def imported(path: str) -> Any:
    """The object that `package.module:name` names. Raises `InternalError` for a path that leads nowhere."""
    from importlib import import_module

    module, _, name = path.partition(":")
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise InternalError(
            f"{path!r} can't be imported: {error}", fix="Correct the path in the definition."
        ) from error


def mapped(error: TransportError | ValueError, url: str) -> LLMError:
    """A transport's failure as an error of the client library.

    Raises `ConfigurationError` for a request that can't be sent by anybody: a bad URL, a line break in a header.
    """
    from ..transport.types import redact_url

    if isinstance(error, ValueError):
        raise ConfigurationError(str(error), fix="Correct the endpoint or the header.") from error

    where = f" at {redact_url(url)}" if url else ""
    if isinstance(error, WaitTimeout):
        return ProviderTimeoutError(f"No answer in time{where}: {error}")
    if isinstance(error, TlsError):
        return ProviderConnectionError(f"{error}{where}", retryable=False, fix=_TLS_FIX)
    if isinstance(error, ConnectError):
        return ProviderConnectionError(f"Can't connect{where}: {error}")
    if isinstance(error, ProtocolError):
        return ProviderResponseError(f"The answer is not HTTP{where}: {error}")
    return ProviderConnectionError(f"The connection broke{where}: {error}", retryable=True)


_TLS_FIX = "Check the endpoint's certificate; name a private authority with SSL_CERT_FILE."

_shared: list[Driver] = []
_shared_async: list[AsyncDriver] = []


def shared_driver() -> Driver:
    """The driver of this environment: its connections survive warm invocations."""
    if not _shared:
        _shared.append(Driver())
    return _shared[0]


def shared_async_driver() -> AsyncDriver:
    """The asynchronous driver of this environment."""
    if not _shared_async:
        _shared_async.append(AsyncDriver())
    return _shared_async[0]
