"""Secrets that are named instead of written: `secret:…`, read from SSM or Secrets Manager when they are first needed.

    secret:prod/llm                     a secret of Secrets Manager, by name
    secret:prod/llm#openai              the key `openai` of the JSON object that it holds
    secret:arn:aws:secretsmanager:…     by ARN, in its own region; an ARN of SSM too
    secret:ssm:/app/{env}/openai        a parameter of SSM; `{env}` is what LAMBDALLM_ENV says

What was read is kept for the life of the environment and read again after a while, by one caller, while the others go
on with what there is. Where the service does not answer, what was read before stays in use, and the log says so. What a
secret holds is in no error, no log and no repr.
"""

from __future__ import annotations

from _thread import allocate_lock

from ..._hooks import kept_out_of_snapshots
from ..._value import Value
from ..backends.errors import BackendError
from ..errors import ConfigurationError
from ..flow import ENVIRONMENT, NOW, Await
from ..forks import renewed_in_children
from ..task import Signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeGuard

    from ..flow import Environ, Flow

PREFIX = "secret:"
TTL_SECONDS = 300.0
_ASK_AGAIN_SECONDS = 30.0
_TIMEOUT_SECONDS = 4.0
"""The longest try to read one, so that a call which waits for its key keeps its deadline."""
_PATIENCE_SECONDS = 10.0
"""How long a first reading by somebody else is waited for."""

_FORMS = "secret:name, secret:name#key, secret:ssm:/path or secret:arn:aws:…"


class SecretReference(Value):
    """Where a secret is: `service` is `ssm` or `secretsmanager`, `key` one of the JSON object there."""

    service: str
    name: str
    key: str | None = None
    region: str | None = None


def is_reference(text: object) -> TypeGuard[str]:
    """Whether a setting names a secret instead of being it."""
    return isinstance(text, str) and text.startswith(PREFIX)


def reference_of(text: str, environ: Environ) -> SecretReference:
    """What a text such as `secret:ssm:/app/key` names. Raises `ConfigurationError`."""
    rest = text.removeprefix(PREFIX)
    if "{env}" in rest:
        if not (stage := environ.get("LAMBDALLM_ENV")):
            raise ConfigurationError(f"{text!r} needs the name of the environment.", fix="Set LAMBDALLM_ENV.")
        rest = rest.replace("{env}", stage)
    name, marked, key = rest.partition("#")
    service, region = "secretsmanager", None
    if name.startswith("ssm:"):
        service, name = "ssm", name.removeprefix("ssm:")
    if name.startswith("arn:"):
        parts = name.split(":", 5)
        if len(parts) < 6 or parts[2] not in ("ssm", "secretsmanager"):
            raise ConfigurationError(f"{text!r} is no ARN of a secret or parameter.", fix=f"Write {_FORMS}.")
        service, region = parts[2], parts[3] or None
    if not name or (marked and not key):
        raise ConfigurationError(f"{text!r} names no secret.", fix=f"Write {_FORMS}.")
    return SecretReference(service, name, key or None, region)


def read_secret(reference: SecretReference) -> Flow[str]:
    """What a secret holds, from its service. Raises `ServiceError`."""
    from ..services.parameters import ParameterStore
    from ..services.secrets import SecretsManager, within

    if reference.service == "secretsmanager":
        secrets = SecretsManager(region=reference.region, timeout_seconds=_TIMEOUT_SECONDS)
        return (yield from secrets.get(reference.name, json_key=reference.key))
    parameters = ParameterStore(region=reference.region, timeout_seconds=_TIMEOUT_SECONDS)
    text = yield from parameters.get(reference.name)
    return text if reference.key is None else within(text, reference.key, reference.name)


class _Held:
    """What was read and when, by the monotonic clock; and until when nobody else reads it again."""

    __slots__ = ("quiet_until", "read_at", "value")

    def __init__(self, value: str, read_at: float) -> None:
        self.value, self.read_at, self.quiet_until = value, read_at, read_at

    def serves(self, now: float, seconds: float) -> bool:
        """Whether it need not be read again by who takes it for new for so long."""
        return now < self.read_at + seconds or now < self.quiet_until


class _Reading:
    """A first reading that is under way: others wait for `ended`, then look at `error`."""

    __slots__ = ("ended", "error")

    def __init__(self) -> None:
        self.ended = Signal()
        self.error: Exception | None = None


class SecretCache:
    """Secrets in hand. Safe to share between threads and event loops; a forked process keeps what was read.

    A secret is read again after `ttl_seconds`. `read` is what reads one.
    """

    def __init__(
        self, *, ttl_seconds: float = TTL_SECONDS, read: Callable[[SecretReference], Flow[str]] = read_secret
    ) -> None:
        self.ttl_seconds, self._read = ttl_seconds, read
        self._held: dict[SecretReference, _Held] = {}
        self._under_way: dict[SecretReference, _Reading] = {}
        self._lock = allocate_lock()
        renewed_in_children(self)
        kept_out_of_snapshots(self)

    def renew(self) -> None:
        """Forget the readings under way: who made them is in another process."""
        self._lock = allocate_lock()
        self._under_way = {}

    def clear(self) -> None:
        """Forget what was read."""
        self._held = {}

    forget = clear

    def value(self, text: str, seconds: float | None = None) -> Flow[str]:
        """The secret that a reference names, read within the last `seconds` where that is less than the cache's time.

        Raises `ConfigurationError` for a bad reference, else as `read` does.
        """
        reference = reference_of(text, (yield ENVIRONMENT))
        while True:
            now = (yield NOW).monotonic
            held = self._held.get(reference)
            if held is not None:
                fresh = self.ttl_seconds if seconds is None else min(seconds, self.ttl_seconds)
                return held.value if held.serves(now, fresh) else (yield from self._renewed(reference, held, now))
            reading, leads = self._joined(reference)
            if leads:
                return (yield from self._first(reference, reading))
            yield Await((reading.ended,), _PATIENCE_SECONDS)
            if reading.error is not None:
                raise reading.error
            if not reading.ended.fired:  # whoever reads it was stopped, or has a slower clock
                return (yield from self._read(reference))

    def _joined(self, reference: SecretReference) -> tuple[_Reading, bool]:
        with self._lock:
            reading = self._under_way.get(reference)
            if reading is not None:
                return reading, False
            reading = self._under_way[reference] = _Reading()
            return reading, True

    def _first(self, reference: SecretReference, reading: _Reading) -> Flow[str]:
        """Read it; whoever waits is told, and where this caller leaves, one of them reads it."""
        try:
            value = yield from self._read(reference)
            self._hold(reference, value, (yield NOW).monotonic)
            return value
        except Exception as error:
            reading.error = error
            raise
        finally:
            with self._lock:
                if self._under_way.get(reference) is reading:
                    del self._under_way[reference]
            reading.ended.fire()

    def _renewed(self, reference: SecretReference, held: _Held, now: float) -> Flow[str]:
        """Read it again; meanwhile, and for half a minute after a failure, others use what there is.

        What is refused is forgotten: the secret may have been taken back.
        """
        held.quiet_until = now + _ASK_AGAIN_SECONDS
        try:
            value = yield from self._read(reference)
        except BackendError as error:
            if not error.retryable:
                self._held.pop(reference, None)
                raise
            _log(f"The secret {reference.name!r} can't be read again, and stays as it was: {error}")
            return held.value
        self._hold(reference, value, (yield NOW).monotonic)
        return value

    def _hold(self, reference: SecretReference, value: str, now: float) -> None:
        self._held[reference] = _Held(value, now)

    def __repr__(self) -> str:
        return f"SecretCache({len(self._held)} in hand)"


def _log(message: str) -> None:
    import logging

    logging.getLogger("lambdallm.secrets").warning(message)


CACHE = SecretCache()
"""The secrets of this process."""


def secret_value(text: str, seconds: float | None = None) -> Flow[str]:
    """The secret that a reference names, from this process's cache; see `SecretCache.value`."""
    return CACHE.value(text, seconds)
