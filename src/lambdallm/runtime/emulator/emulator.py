"""A local Lambda: functions as real processes, invoked as AWS invokes them.

    with Emulator() as emulator:
        emulator.add(Function(name="app", code="src"))
        answer = emulator.invoke("app", b'{"question": "Why?"}')
        print(answer.read(), answer.report)

What AWS limits is limited (time, memory, payloads, concurrency, the size of `/tmp`, what can be written), and an
environment stands still between invocations.
"""

from __future__ import annotations

import json
import threading

from .errors import ConfigurationError, EmulatorError, FunctionNotFoundError, PayloadTooLargeError
from .host import Host
from .job import Job
from .limits import Limits
from .pool import Pool
from .variables import check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Literal, Protocol

    from .account import Account
    from .answer import Answer
    from .function import Function
    from .gateway import HttpApi, RestApi
    from .listener import Front
    from .logs import Line

    Kind = Literal["RequestResponse", "Event"]

    class Closable(Protocol):
        """A front end that listens."""

        def close(self) -> None:
            """Listen no longer."""


LATEST = "$LATEST"


class Emulator:
    """Functions by name and version, and the environments they run in. A context manager; `close` ends them all.

    `log` hears every line of every function (`logs.Line`), in the order in which they come. Without `freeze`, processes
    run on between invocations; without `isolate`, they see the machine's own `/tmp` and may write their code. Where the
    machine can't isolate them, a `NotIsolatedWarning` says so once.
    """

    def __init__(
        self,
        *,
        region: str = "us-east-1",
        account: str = "123456789012",
        limits: Limits | None = None,
        log: Callable[[Line], object] = lambda line: None,
        freeze: bool = True,
        isolate: bool = True,
    ) -> None:
        self.region, self.account, self.limits = region, account, limits or Limits()
        self._host = Host(region=region, account=account, limits=self.limits, log=log, freeze=freeze, isolate=isolate)
        self._lock = threading.Lock()
        self._pools: dict[tuple[str, str], Pool] = {}
        self._fronts: list[Closable] = []

    def __enter__(self) -> Emulator:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    @property
    def functions(self) -> dict[str, Function]:
        """The newest code of each function, by name."""
        with self._lock:
            return {name: pool.function for (name, version), pool in self._pools.items() if version == LATEST}

    def add(self, function: Function) -> None:
        """Take a function, or a further version of one. Raises `ConfigurationError`."""
        if (function.name, function.version) in self._pools:
            raise ConfigurationError(
                f"There is a function {function.name!r} of version {function.version!r} already. "
                "Use replace() to run its new code."
            )
        self.replace(function)

    def replace(self, function: Function) -> None:
        """Let new processes take over from those of a function; the old ones finish what they are at."""
        self._check_open()
        check(function.environment, self.limits.environment_bytes)
        self._host.warn_of(function)
        with self._lock:
            old = self._pools.get((function.name, function.version))
            self._pools[function.name, function.version] = Pool(function, self._host)
        if old is not None:
            old.retire()

    def remove(self, name: str) -> None:
        """Forget a function with all its versions; what runs may finish."""
        with self._lock:
            gone = [self._pools.pop(key) for key in list(self._pools) if key[0] == name]
        for pool in gone:
            pool.retire()

    def warm(self, name: str, version: str = LATEST) -> dict[str, Any] | None:
        """Load a function before it is asked for, and wait until that is done.

        Gives the error of one that can't be loaded; the next invocation tries again.
        """
        return self._pool(name, version).warm()

    def invoke(
        self,
        name: str,
        payload: bytes,
        *,
        qualifier: str | None = None,
        version: str | None = None,
        client_context: str | Mapping[str, Any] | None = None,
        identity: Mapping[str, str] | None = None,
        trace_id: str | None = None,
        tenant_id: str | None = None,
        request_id: str | None = None,
        streams: bool = False,
        kind: Kind = "RequestResponse",
    ) -> Answer:
        """Give an event to a function; the answer comes as it is read.

        `qualifier` is the version or the alias that the ARN names; `version` the code that runs, where an alias is
        named. `streams` says whether the caller takes the answer piece by piece. `kind` decides how large an event may
        be. Raises `FunctionNotFoundError`, `PayloadTooLargeError`, `TooManyRequestsError`.
        """
        self._check(payload, kind)
        pool = self._pool(name, version or qualifier or LATEST)
        job = Job(
            payload,
            arn=self.arn(name, qualifier),
            version=pool.function.version,
            streams=streams,
            log_tail_bytes=self.limits.log_tail_bytes,
            client_context=_text(client_context),
            identity=identity,
            trace_id=trace_id,
            tenant_id=tenant_id,
            request_id=request_id,
        )
        pool.run(job)
        return job.answer

    def stop(self, request_id: str) -> bool:
        """End an invocation with the process that it runs in; whether there was one."""
        return self._host.stop(request_id)

    def serve_url(self, name: str, port: int = 0, **options: Any) -> str:
        """Serve a function's URL; gives its address. `options` are those of `url.UrlFront`."""
        from .url import UrlFront

        return self._listen(UrlFront(self, name, **options), port)

    def serve_gateway(self, api: RestApi | HttpApi, port: int = 0, **options: Any) -> str:
        """Serve an API of API Gateway's; gives its address. `options` are those of `gateway.GatewayFront`."""
        from .gateway import GatewayFront

        return self._listen(GatewayFront(self, api, **options), port)

    def serve_api(self, port: int = 0, account: Account | None = None) -> str:
        """Serve Lambda's own API, for boto3 and the `aws` command; gives its address."""
        from .account import Account
        from .api import ApiFront

        if account is None:
            account = Account(self)
            self._fronts.append(account)
        return self._listen(ApiFront(account), port)

    def new_folder(self, prefix: str) -> str:
        """A temporary folder that is gone when the emulator is, even where its process is killed."""
        self._check_open()
        return self._host.new_folder(prefix)

    def _listen(self, front: Front, port: int) -> str:
        from .listener import Listener

        self._check_open()
        listener = Listener(front, port=port)
        self._fronts.insert(0, listener)
        return listener.address

    def arn(self, name: str, qualifier: str | None = None) -> str:
        """The ARN that an invocation names."""
        named = f":{qualifier}" if qualifier and qualifier != LATEST else ""
        return f"arn:aws:lambda:{self.region}:{self.account}:function:{name}{named}"

    def close(self) -> None:
        """End all processes, threads and front ends. What is asked of the emulator afterwards is refused."""
        from contextlib import ExitStack

        with ExitStack() as all_of_it:
            all_of_it.callback(self._host.close)
            for front in reversed(self._fronts):
                all_of_it.callback(front.close)

    def _pool(self, name: str, version: str) -> Pool:
        self._check_open()
        pool = self._pools.get((name, version))
        if pool is None:
            raise FunctionNotFoundError(f"Function not found: {self.arn(name, version)}")
        return pool

    def _check_open(self) -> None:
        if self._host.closed:
            raise EmulatorError("The emulator is closed. Make a new one.")

    def _check(self, payload: bytes, kind: Kind) -> None:
        most = self.limits.async_bytes if kind == "Event" else self.limits.sync_bytes
        if len(payload) > most:
            said = f"{len(payload)} byte payload is too large for the {kind} invocation type (limit {most} bytes)"
            raise PayloadTooLargeError(said)


def _text(client_context: str | Mapping[str, Any] | None) -> str | None:
    return client_context if isinstance(client_context, str | None) else json.dumps(dict(client_context))
