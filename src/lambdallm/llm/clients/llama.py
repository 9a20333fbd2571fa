"""llama.cpp in this process: one server for each model file and use, loaded once, kept to the process's end.

A server is llama.cpp's own: native threads, and a loopback port that it always opens; the port asks for a random key
that nobody is told. After a fork the child starts with none, since its parent's threads did not come along.

Rule for an editor: a server is never freed. Freeing waits for its threads: for ever in a forked child, which has none
of them, and for ever when it comes so early that the server misses the signal.
"""

from __future__ import annotations

import os

from ..errors import ConfigurationError, MissingExtraError
from .in_process import Stop, refuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from threading import Thread
    from typing import Any

    from ...transport.clock import Clock

    Json = dict[str, Any]
    Deliver = Callable[[Json], bool]
    """Takes a piece of an answer; says whether to stop."""

CONTEXT_VARIABLE = "LAMBDALLM_LOCAL_CONTEXT"
THREADS_VARIABLE = "LAMBDALLM_LOCAL_THREADS"
DEFAULT_CONTEXT = 4096
LONGEST_EMBEDDED = 2048
"""How many tokens of one text can be embedded, if the context window is not smaller."""


class _Environment:
    """What this process holds: servers by file and use, and the requests being worked on."""

    def __init__(self) -> None:
        from threading import Lock

        self.servers: dict[tuple[str, bool, int], Any] = {}
        self.running: dict[Thread, Stop] = {}
        self.lock = Lock()


_environment: list[_Environment] = []


def _here() -> _Environment:
    """This process's environment, guarded against forks and against the interpreter's end when it is first made."""
    if not _environment:
        import atexit

        _environment.append(_Environment())
        atexit.register(_finish)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=_start_afresh)
    return _environment[0]


def _finish() -> None:
    """Before the interpreter goes, stop what would still call into it."""
    running = list(_here().running.items())
    for _, stop in running:
        stop.requested = True
    for thread, _ in running:
        thread.join(2)


def _start_afresh() -> None:
    """In a forked child: hold nothing of the parent's."""
    _environment[0] = _Environment()


def _keep(server: Any) -> Any:
    """Let neither the interpreter nor the C++ runtime take a server down, in this process or in a child of it."""
    import ctypes

    ctypes.pythonapi.Py_IncRef(ctypes.py_object(server))
    if os.name == "posix" and hasattr(libc := ctypes.CDLL(None), "on_exit"):
        libc.on_exit(libc._exit, None)  # what is registered last runs first, and is handed the exit status
    return server


def server(path: str, model_id: str, *, embedding: bool, context: int) -> Any:
    """The server for a model file, loading it at the first call. Raises `ConfigurationError`, `MissingExtraError`."""
    here, key = _here(), (path, embedding, context)
    with here.lock:
        if key not in here.servers:
            here.servers[key] = _load(path, model_id, embedding, context)
        return here.servers[key]


def _load(path: str, model_id: str, embedding: bool, context: int) -> Any:
    """Load quietly: llama.cpp's own log would land on the program's stderr."""
    xllamacpp = _engine()
    parameters = xllamacpp.CommonParams()
    parameters.model.path = path
    for name, value in _settings(model_id, embedding, context).items():
        setattr(parameters, name, value)
    # Threads of two servers that together outnumber the cores make each other four times slower.
    threads = 1 if embedding else thread_count()
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = threads
    try:
        return _keep(xllamacpp.Server(parameters))
    except RuntimeError as error:
        raise ConfigurationError(
            f"llama.cpp can't load {path!r}.",
            fix="Check that it is a complete GGUF model; `lambdallm local pull --force` fetches the default one again.",
        ) from error


def _engine() -> Any:
    """The module `xllamacpp`, told to spin briefly between two steps of the model instead of for milliseconds.

    Long spinning gains nothing on idle cores, and on busy ones it keeps off the very threads it waits for: a second
    program made the model thirty times slower. OpenMP reads the setting when it is loaded, and only then.
    """
    ours = not any(name in os.environ for name in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY"))
    if ours:
        os.environ["GOMP_SPINCOUNT"] = "1000"
    try:
        import xllamacpp
    except ModuleNotFoundError as error:
        raise MissingExtraError("The local model", "local") from error
    except ImportError as error:
        raise ConfigurationError(
            f"xllamacpp is installed but can't be loaded: {error}.", fix="Install the system library it names."
        ) from error
    finally:
        if ours:
            del os.environ["GOMP_SPINCOUNT"]
    return xllamacpp


def _settings(model_id: str, embedding: bool, context: int) -> Json:
    settings = {
        "verbosity": -1, "warmup": False, "fit_params": False, "n_parallel": 1, "model_alias": {model_id},
        "api_keys": [os.urandom(32).hex()], "ui": False, "endpoint_slots": False,
    }  # fmt: skip
    if not embedding:
        return settings | {"n_ctx": context, "use_jinja": True}
    # A text is pooled from one batch, so the batch must hold all of it, at 0.4 MB a token.
    size, mean = min(context, LONGEST_EMBEDDED), 1
    return settings | {"embedding": True, "pooling_type": mean, "n_ctx": size, "n_batch": size, "n_ubatch": size}


def context_size(environ: Mapping[str, str] | None = None) -> int:
    """The context window in tokens. Raises `ConfigurationError` for anything but a sensible number."""
    return _number(CONTEXT_VARIABLE, DEFAULT_CONTEXT, 64, environ)


def thread_count(environ: Mapping[str, str] | None = None) -> int:
    """How many threads write an answer: one for each core, unless LAMBDALLM_LOCAL_THREADS says otherwise."""
    return _number(THREADS_VARIABLE, os.cpu_count() or 1, 1, environ)


def _number(variable: str, default: int, least: int, environ: Mapping[str, str] | None) -> int:
    text = (os.environ if environ is None else environ).get(variable) or str(default)
    if not text.isdecimal() or int(text) < least:
        raise ConfigurationError(f"{variable} is {text!r}.", fix=f"Set a whole number, at least {least}, or unset it.")
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
    _here().running[thread] = stop
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
        _here().running.pop(current_thread(), None)


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
