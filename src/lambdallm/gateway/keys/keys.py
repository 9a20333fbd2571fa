"""`Keys`: whose key a request has, by one read of the store for a key that is new here, and none for some time after.

A key that was recognised is good for `stale_seconds` without being looked at again: that is how long one that was
revoked elsewhere may go on working. While the store does not answer, keys recognised before stay good for
`outage_seconds` more, and others are answered with 503.
"""

from __future__ import annotations

from ...llm.backends.outage import Outage
from ...llm.errors import ConfigurationError, LambdaLLMError
from ...llm.flow import NOW, Await
from ...llm.task import Signal
from . import refusals
from .guesses import Guesses
from .key import PREFIX, fits, read
from .known import Known, KnownKeys
from .record import decode
from .shown import shown_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from ...llm.flow import Clock, Flow
    from ..caller import Caller
    from ..http import GatewayRequest
    from .admins import Admins
    from .key import Shown
    from .ledger import KeyLedger
    from .record import KeyRecord
    from .store import KeyStore

STALE_SECONDS = 60.0
OUTAGE_SECONDS = 300.0
_SHORTEST_PEPPER = 32
_LONGEST_PREFIX = 32
_OF_PREFIXES = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
_PATIENCE_SECONDS = 5.0
"""How long a reading of the same key by another request is waited for."""
_WRONG_SECONDS = 10.0
"""How long a wrong key is refused unread at most: a store may show a new key late."""
_NOBODY = "A" * 43
"""Compared where there is no record, so that it takes as long."""


class Keys:
    """The keys of a gateway.

        keys = Keys(key_store("sqlite"), peppers=(pepper,), admins=Admins(admin_key))

    New keys are made under the first of `peppers`; the others are those before, still accepted. A pepper has at least
    32 characters. `audit` is the store of state that changes are written down in, that of the keys unless
    given. Safe to share between threads and
    event loops. Raises `ConfigurationError`.
    """

    def __init__(
        self,
        store: KeyStore,
        *,
        prefix: str = PREFIX,
        peppers: Iterable[str] = (),
        admins: Admins | None = None,
        audit: Any = None,
        stale_seconds: float = STALE_SECONDS,
        outage_seconds: float = OUTAGE_SECONDS,
        guesses: Guesses | None = None,
        most_known: int = 10_000,
    ) -> None:
        self.store, self.prefix, self.admins = store, _prefix(prefix), admins
        self.peppers = tuple(map(_pepper, peppers)) or (b"",)
        self.stale_seconds, self.outage_seconds = stale_seconds, outage_seconds
        self._audit = getattr(store, "state", None) if audit is None else audit
        self._ledger: KeyLedger | None = None
        self._known, self._guesses = KnownKeys(most_known), guesses or Guesses()
        self._outage = Outage("API keys", "those recognised before go on for a while, others get 503", rest_seconds=1.0)

    def ledger(self) -> KeyLedger:
        """What makes and changes these keys; this process sees its changes at once."""
        if self._ledger is None:
            from .audit import Audit
            from .ledger import KeyLedger

            audit = Audit(self._audit)
            self._ledger = KeyLedger(self.store, audit, prefix=self.prefix, peppers=self.peppers, changed=self.forget)
        return self._ledger

    def forget(self) -> None:
        """Have every key looked at again."""
        self._known.forget()

    def authorized(self, request: GatewayRequest) -> Flow[Caller]:
        """Who asks. Raises `GatewayError` 401, 403, 429 or 503."""
        from hashlib import sha256

        token = shown_key(request)
        digest = sha256(token.encode("utf-8", "surrogatepass")).digest()
        admin = self._admin(request, token, digest)
        if admin is not None:
            return admin
        if not token:
            raise refusals.missing()
        clock = yield NOW
        known = self._known.good.get(digest)
        if known is None or clock.monotonic >= known.read_at + self.stale_seconds:
            known = yield from self._looked_up(token, digest, request.client_ip, known)
        return _admitted(known, clock.wall)

    def _admin(self, request: GatewayRequest, token: str, digest: bytes) -> Caller | None:
        """Whose admin key it is; a principal of AWS's acts as itself where it shows no key."""
        if self.admins is None:
            return None
        return self.admins.with_key(digest) if token else self.admins.with_arn(request.caller_arn)

    def _looked_up(self, token: str, digest: bytes, address: str, known: Known | None) -> Flow[Known]:
        """A key that is not known, or has to be looked at again."""
        shown = read(token, self.prefix, self.peppers)
        clock: Clock = yield NOW
        if shown is None or clock.monotonic < self._known.wrong.get(digest, 0.0):
            raise refusals.wrong()
        wait = self._guesses.wait_seconds(address, clock.monotonic) if known is None else 0.0
        if wait:
            raise refusals.too_many(wait)
        found = yield from self._flown(shown, digest, known, address)
        if found is None:
            raise refusals.wrong()
        return found

    def _flown(self, shown: Shown, digest: bytes, known: Known | None, address: str) -> Flow[Known | None]:
        """One reading for all who show the same key at the same time; who waits in vain reads too."""
        flights = self._known.flights
        flight = flights.get(digest)
        if flight is not None:
            yield Await((flight,), _PATIENCE_SECONDS)
            found = self._known.good.get(digest)
            if digest in self._known.wrong or (found is not None and found is not known):
                return found
        signal = flights[digest] = Signal()
        try:
            found = yield from self._read(shown, digest, known)
            if found is None:
                now = (yield NOW).monotonic
                self._guesses.add(address, now)
                self._known.refused(digest, now + min(self.stale_seconds, _WRONG_SECONDS))
            return found
        finally:
            if flights.get(digest) is signal:
                del flights[digest]
            signal.fire()

    def _read(self, shown: Shown, digest: bytes, known: Known | None) -> Flow[Known | None]:
        """What the store says of a key; what was known of it while the store does not answer."""
        clock: Clock = yield NOW
        good = self._known
        error: LambdaLLMError | None = self._outage.error if self._outage.resting(clock.monotonic) else None
        if error is None:
            try:
                owner = yield from self.store.load(shown.user)
            except LambdaLLMError as failure:
                error = failure
                self._outage.failed(failure, clock.monotonic)  # type: ignore[arg-type]  # it tells any error
        if error is not None:
            if known is not None and clock.monotonic < known.read_at + self.stale_seconds + self.outage_seconds:
                return known
            raise refusals.unavailable() from error
        self._outage.answered()
        records = () if owner is None else (decode(text, owner.user, self.peppers) for text in owner.keys)
        record = next((one for one in records if one is not None and one.id == shown.id), None)
        found = _recognised(shown, record, self.peppers, clock, owner is None or owner.enabled)
        if found is not None:
            good.recognised(digest, found)
        return found

    def __repr__(self) -> str:
        return f"Keys({self.store!r})"


def _recognised(
    shown: Shown, record: KeyRecord | None, peppers: tuple[bytes, ...], clock: Clock, enabled: bool
) -> Known | None:
    """What is known of a key by its record; `None` where its secret is a wrong one. Compares both hashes always."""
    is_new = fits(shown, _NOBODY if record is None else record.hash, peppers)
    is_old = fits(shown, _NOBODY if record is None else record.old_hash or _NOBODY, peppers)
    if record is None or not (is_new or is_old):
        return None
    problem = "revoked" if record.revoked_at is not None else None if enabled else "disabled"
    until, means = record.expires_at, "expired"
    if not is_new and (until is None or record.old_until is None or record.old_until < until):
        until, means = record.old_until or 0, "rotated"
    return Known(record.caller(), clock.monotonic, until, means, problem)


def _admitted(known: Known, wall: float) -> Caller:
    if known.problem is not None:
        raise refusals.ended(known.problem)
    if known.until is not None and known.until <= wall:
        raise refusals.ended(known.until_means)
    return known.caller


def _prefix(prefix: str) -> str:
    text = prefix.rstrip("-")
    if not 0 < len(text) <= _LONGEST_PREFIX or not text.isascii() or text.strip(_OF_PREFIXES):
        fix = f"Use 1 to {_LONGEST_PREFIX} letters, digits, - and _."
        raise ConfigurationError(f"The prefix of keys is {prefix!r}.", fix=fix)
    return text


def _pepper(pepper: str) -> bytes:
    """A pepper's bytes. An empty one stands for keys that were made without. What a pepper is, no error says."""
    if pepper and len(pepper) < _SHORTEST_PEPPER:
        fix = f"Use {_SHORTEST_PEPPER} random characters or more."
        raise ConfigurationError(f"A pepper has {len(pepper)} characters.", fix=fix)
    return pepper.encode()
