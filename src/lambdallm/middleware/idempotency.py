"""`IdempotencyMiddleware`: a request that comes again is not done again; its first result answers it.

What a run leaves in the store is tied to Lambda's time: one that was killed is in nobody's way after the moment at
which Lambda would have stopped it. Whoever takes its place owns the record then; the first can neither finish nor
remove it.
"""

from __future__ import annotations

import os

from ..llm.backends.errors import BackendError
from ..llm.errors import ConfigurationError
from ..llm.flow import NOW
from ..runtime.response import TRUNCATED_HEADER
from .base import FlowMiddleware, ShortCircuit
from .callers import caller
from .errors import ConflictError, InvalidEventError, KeyReusedError
from .http import body_json, header, is_http, method, path, query
from .idempotency_record import Record, decoded, encoded, fingerprint, kept_piece, kept_response
from .idempotency_stores import idempotency_store
from .parts import reader
from .streamed import content_of, followed, is_stream, response_of, status_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Literal

    from ..llm.backends import DynamoDBBackend, RedisBackend
    from ..llm.flow import Flow
    from .context import InvocationContext
    from .idempotency_record import IdempotencyStore
    from .parts import Part

_LONGEST_SECONDS = 900.0
"""Lambda's own limit for an invocation: no run is believed to be under way for longer."""

_PASSING_STATUSES = frozenset((408, 425, 429))


class IdempotencyMiddleware(FlowMiddleware):
    """Does each request once, by its key, for all environments that share a store.

        IdempotencyMiddleware(store=DynamoDBBackend("lambdallm"))                       # header Idempotency-Key
        IdempotencyMiddleware("detail.order_id", store=RedisBackend("redis://cache"))   # a field of the event

    `key` is a part of the event (see `middleware.parts`), by itself for every caller (see `middleware.callers`): who
    `AuthMiddleware` or API Gateway found it to be, else who shows the same credentials. An event without a key is done
    as ever, or refused with 400 where it is `required`. `payload` is what must be the same when a key comes again: by
    default method, path, query and body of an HTTP request, and nothing of other events.

    - While the first run is under way the second gets `ConflictError` (409); with another payload `KeyReusedError`
      (422).
    - A result is kept for `expires_after_seconds`, with the headers that were added within, and answers the next; the
      header `Idempotency-Replayed: true` says so.
    - A run that fails leaves nothing, and nor does an answer of 5xx, 408, 425 or 429: the request may be sent again.
    - A stream is kept when it has been read to its end, and goes out again as the first caller got it: head, format,
      pieces, and what its last event said; all at once. An invocation that paused at a checkpoint is kept
      as such, and the event that goes on from it is another request.

    `name` separates functions that share a store, by default the function's own. While the store is down events are
    refused (`BackendError`), or with `on_backend_failure="open"` done without a check.
    """

    def __init__(
        self,
        key: Part = "header:Idempotency-Key",
        *,
        store: DynamoDBBackend | RedisBackend | IdempotencyStore | None = None,
        payload: Part | None = None,
        expires_after_seconds: float = 3600.0,
        required: bool = False,
        name: str | None = None,
        on_backend_failure: Literal["open", "closed"] = "closed",
    ) -> None:
        if not expires_after_seconds > 0:
            raise ConfigurationError(f"expires_after_seconds is {expires_after_seconds!r}.", fix="Give more than 0.")
        if on_backend_failure not in ("open", "closed"):
            raise ConfigurationError(f"on_backend_failure is {on_backend_failure!r}.", fix="Give 'open' or 'closed'.")
        self._key, self._shown_key = reader(key), key
        self._payload = _request if payload is None else reader(payload)
        self._store = idempotency_store(store)
        self.expires_after_seconds, self.required, self.name = expires_after_seconds, required, name
        self._open = on_backend_failure == "open"

    def beginning(self, event: Any, context: InvocationContext) -> Flow[Any]:
        """Claim the request, or answer it. Raises as the class says."""
        value = self._key(event, context)
        if value is None or value == "":
            if self.required:
                raise InvalidEventError(f"There is no idempotency key: {self._shown_key!r} is missing.")
            return None
        key, now = self._named([value, _goes_on_from(event)], event, context), (yield NOW).wall
        busy = min(context.remaining_time_ms / 1000, _LONGEST_SECONDS)
        payload = fingerprint(self._payload(event, context))
        claim = Record(os.urandom(16).hex(), payload, now + max(self.expires_after_seconds, busy), now + busy)
        try:
            known = yield from self._store.begin(key, claim)
        except BackendError as error:
            if not self._open:
                raise
            _warn(f"It is not known whether {key!r} was done before, so it is done: {error}")
            return None
        if known is None:
            self.remember(context, (key, claim, dict(context.response_headers)))
            return None
        return self._answered(known, payload, now, context)

    def ending(self, event: Any, result: Any, context: InvocationContext) -> Flow[Any]:
        """Keep the result, or forget the request where it may be sent again."""
        held = self.recalled(context)
        if held is None:
            return None
        key, claim, before = held
        if not is_stream(result):
            yield from self._finished(key, claim, result, _headers_since(before, context))
            return None
        pieces: list[Any] = []

        def seen(piece: Any) -> None:
            pieces.append(kept_piece(content_of(piece)))

        def ended(reason: BaseException | None) -> Flow[None]:
            if reason is not None:
                return self._released(key, claim)
            facts = getattr(getattr(context, "answer", None), "facts", None)
            kept = kept_response(response_of(result, context), pieces, facts() if facts else None)
            return self._finished(key, claim, kept, _headers_since(before, context))

        awaits = getattr(context, "awaits", False)
        return followed(result, context.driver, ended, seen, awaits=awaits)

    def failing(self, event: Any, error: Exception, context: InvocationContext) -> Flow[Any]:
        """Forget the request."""
        if (held := self.recalled(context)) is not None:
            yield from self._released(held[0], held[1])

    def _named(self, value: Any, event: Any, context: Any) -> str:
        """The key of a record: whose function, and a hash of who asks and for what."""
        who = caller(event, getattr(context, "principal", None))
        return f"{self.name or getattr(context, 'function_name', '')}#{fingerprint([who, value])}"

    def _answered(self, known: Record, payload: str, now: float, context: InvocationContext) -> None:
        """The answer to a request that came before. Raises it, or why there is none."""
        if known.payload != payload:
            raise KeyReusedError("This idempotency key was used for another payload.")
        if known.busy_until is not None:
            left = max(0.0, known.busy_until - now)
            raise ConflictError(f"The same request is under way, for {left:.0f} s at most.", retry_after=1.0)
        result, sent = decoded(known.result)
        context.response_headers.update(sent)
        context.response_headers["Idempotency-Replayed"] = "true"
        raise ShortCircuit(result)

    def _finished(self, key: str, claim: Record, result: Any, sent: dict[str, str]) -> Flow[None]:
        if _may_be_sent_again(result):
            yield from self._released(key, claim)
            return
        try:
            text = encoded(result, sent)
        except (TypeError, ValueError) as error:
            _warn(f"The result of {key!r} is no JSON, so it is not kept: {error}")
            yield from self._released(key, claim)
            return
        now = (yield NOW).wall
        done = claim.replace(until=now + self.expires_after_seconds, busy_until=None, result=text)
        try:
            if not (yield from self._store.finish(key, done)):
                _warn(f"The result of {key!r} is not kept: another run took its place, or too much time has passed.")
        except BackendError as error:
            _warn(f"The result of {key!r} could not be kept: {error}")

    def _released(self, key: str, claim: Record) -> Flow[None]:
        try:
            yield from self._store.release(key, claim.owner)
        except BackendError as error:
            _warn(f"{key!r} stays claimed until its time has passed: {error}")


def _headers_since(before: Mapping[str, str], context: Any) -> dict[str, str]:
    """The headers that were added within, and the one that says that time has cut the answer off."""
    sent = {name: value for name, value in context.response_headers.items() if before.get(name) != value}
    return sent | ({TRUNCATED_HEADER: "deadline"} if getattr(context, "truncated", False) else {})


def _request(event: Any, context: Any) -> Any:
    """What must be the same of an HTTP request; of other events nothing."""
    if not is_http(event):
        return None
    try:
        body = body_json(event)
    except ValueError:
        body = event.get("body")
    return [method(event), path(event), query(event), body]


def _goes_on_from(event: Any) -> Any:
    """The checkpoint that an event goes on from (see `core.journal`): that is another request than the first."""
    if (named := header(event, "x-lambdallm-checkpoint")) is not None:
        return named
    try:
        sent = body_json(event) if is_http(event) else event
    except ValueError:
        return None
    return sent.get("checkpoint") if isinstance(sent, dict) else None


def _may_be_sent_again(result: Any) -> bool:
    """Whether a response says that the same request may succeed later."""
    status = status_of(result)
    return isinstance(status, int) and (status >= 500 or status in _PASSING_STATUSES)


def _warn(message: str) -> None:
    import logging

    logging.getLogger("lambdallm.idempotency").warning("%s", message)
