"""llama.cpp in this process: one server for each model file and use, loaded when first asked and kept for the environment.

A server is llama.cpp's own: native threads, and a loopback port that it always opens; the port asks for a random key
that nobody is told. After a fork the child starts with none: its parent's threads did not come along, so a server
carried over could neither answer nor be freed.
"""

from __future__ import annotations

import os

from ..errors import ConfigurationError, MissingExtraError
from .in_process import Stop, refuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from threading import Lock, Thread
    from typing import Any

    from ...transport.clock import Clock

    Json = dict[str, Any]
    Deliver = Callable[[Json], bool]
    """Takes a piece of an answer; says whether to stop."""

CONTEXT_VARIABLE = "LAMBDALLM_LOCAL_CONTEXT"
DEFAULT_CONTEXT = 4096
_SMALLEST_CONTEXT = 64


class _Environment:
    """What this process holds: servers by file and use, and the requests being worked on."""

    def __init__(self) -> None:
        self.servers: dict[tuple[str, bool, int], Any] = {}
        self.running: dict[Thread, Stop] = {}
        self.lock: Lock | None = None


_here = _Environment()


def server(path: str, model_id: str, *, embedding: bool, context: int) -> Any:
    """The server for a model file, loading it at the first call. Raises `ConfigurationError`, `MissingExtraError`."""
    if _here.lock is None:
        _prepare()
    key = (path, embedding, context)
    assert _here.lock is not None
    with _here.lock:
        if key not in _here.servers:
            _here.servers[key] = _load(path, model_id, embedding, context)
        return _here.servers[key]


def unload() -> None:
    """Stop what runs and free every loaded model; the next request loads again."""
    running = list(_here.running.items())
    for _, stop in running:
        stop.requested = True
    for thread, _ in running:
        thread.join(5)
    _here.servers.clear()


def _prepare() -> None:
    """Make the lock, and see to it that neither a fork nor the interpreter's end meets a running server."""
    import atexit
    from threading import Lock

    _here.lock = _here.lock or Lock()
    atexit.unregister(unload)
    atexit.register(unload)
    if hasattr(os, "register_at_fork") and not _FORK_SAFE:
        _FORK_SAFE.append(True)
        os.register_at_fork(after_in_child=_forget)


_FORK_SAFE: list[bool] = []


def _forget() -> None:
    """In a forked child: leave the parent's servers alone for ever, since freeing one waits for threads it lost."""
    if _here.servers:
        import ctypes

        for inherited in _here.servers.values():
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(inherited))
    _here.__init__()  # type: ignore[misc]  # start afresh, in place


def _load(path: str, model_id: str, embedding: bool, context: int) -> Any:
    """Load quietly: llama.cpp's own log would land on the program's stderr."""
    try:
        import xllamacpp
    except ImportError as error:
        raise MissingExtraError("The local model", "local") from error
    parameters = xllamacpp.CommonParams()
    parameters.model.path = path
    for name, value in _settings(model_id, embedding, context).items():
        setattr(parameters, name, value)
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = os.cpu_count() or 1
    try:
        return xllamacpp.Server(parameters)
    except RuntimeError as error:
        raise ConfigurationError(
            f"llama.cpp can't load {path!r}.",
            fix="Check that it is a complete GGUF model; `lambdallm local pull --force` fetches the default one again.",
        ) from error


def _settings(model_id: str, embedding: bool, context: int) -> Json:
    quiet = {"verbosity": -1, "warmup": False, "fit_params": False}
    closed = {"api_keys": [os.urandom(32).hex()], "ui": False, "endpoint_slots": False}
    size = {"n_ctx": context, "n_parallel": 1, "model_alias": {model_id}}
    if not embedding:
        return quiet | closed | size | {"use_jinja": True}
    mean = 1
    # A text is pooled from one batch, so a batch must hold the whole context.
    return quiet | closed | size | {"embedding": True, "pooling_type": mean, "n_batch": context, "n_ubatch": context}


def context_size(environ: Mapping[str, str] | None = None) -> int:
    """The context window in tokens. Raises `ConfigurationError` for anything but a sensible number."""
    text = (os.environ if environ is None else environ).get(CONTEXT_VARIABLE) or str(DEFAULT_CONTEXT)
    if not text.isdecimal() or int(text) < _SMALLEST_CONTEXT:
        raise ConfigurationError(
            f"{CONTEXT_VARIABLE} is {text!r}.",
            fix=f"Set a number of tokens, at least {_SMALLEST_CONTEXT}, or unset it.",
        )
    return int(text)


def run(work: Callable[[Deliver], None], clock: Clock, stop: Stop) -> Iterator[Json]:
    """Do blocking work in a thread of its own, yielding each piece as it is delivered.

    Ending early in any way (closed, out of time, an error) sets `stop`, which the work learns at its next piece.
    Raises what the work raises, and `WaitTimeout`.
    """
    from queue import SimpleQueue
    from threading import Thread

    box: SimpleQueue[Any] = SimpleQueue()
    thread = Thread(target=_work, args=(work, box, stop), name="lambdallm-local", daemon=True)
    _here.running[thread] = stop
    thread.start()
    try:
        while (piece := _next(box, clock)) is not None:
            if isinstance(piece, Exception):
                raise piece
            yield piece
    finally:
        stop.requested = True


def _work(work: Callable[[Deliver], None], box: Any, stop: Stop) -> None:
    from threading import current_thread

    def deliver(piece: Json) -> bool:
        box.put(piece)
        return stop.requested

    try:
        work(deliver)
        box.put(None)
    except Exception as error:  # noqa: BLE001  # handed to the thread that waits
        box.put(error)
    finally:
        _here.running.pop(current_thread(), None)


def _next(box: Any, clock: Clock) -> Any:
    from queue import Empty
    from time import monotonic

    until = clock.until_read()
    try:
        if clock.end is not None and monotonic() >= clock.end:
            raise Empty
        return box.get(timeout=None if until is None else max(0.0, until - monotonic()))
    except Empty:
        raise clock.expired("read", "The local model", sent=True) from None


def native(call: Callable[[], Any]) -> Any:
    """Call into llama.cpp, its complaints turned into refusals in OpenAI's shape."""
    try:
        return call()
    except ValueError as error:
        refuse(400, str(error))
    except RuntimeError as error:
        if "not supported" in str(error):
            refuse(400, str(error))
        refuse(500, str(error), kind="server_error")
