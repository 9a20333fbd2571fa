"""Tokens that another service issues: kept per environment, fetched again ahead of their end, never shown.

One cache serves every call of a process. It holds values only, no socket and no lock, so a forked process may use
what it inherited.
"""

from __future__ import annotations

import json

from ..._hooks import kept_out_of_snapshots
from ..._value import Value
from ...transport.types import Timeouts
from ..errors import ConfigurationError, LLMAuthenticationError, LLMError, ProviderConnectionError, ProviderServerError
from ..flow import NOW, Send, Sleep
from ..result import Err

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from ...transport.types import Headers, HttpRequest, HttpResponse
    from ..flow import Flow

_REFRESH_AHEAD_SECONDS = 300.0
_ASK_AGAIN_SECONDS = 60.0
_ATTEMPTS = 3
_SHORTEST_WAIT_SECONDS = 0.2
_TIMEOUTS = Timeouts(connect=5.0, read=10.0, total=20.0)
_LOCAL_TIMEOUTS = Timeouts(connect=1.0, read=5.0, total=6.0)
"""For a service on this machine or next to it; where there is none, the wait for it is lost."""

_FORM = (("Content-Type", "application/x-www-form-urlencoded"), ("Accept", "application/json"))


class Token(Value):
    """A bearer token, with the headers that belong beside it. `expires_at` is in epoch seconds."""

    value: str
    expires_at: float
    headers: Headers = ()

    def __repr__(self) -> str:
        return f"Token('***', expires_at={self.expires_at!r})"


class TokenCache:
    """The tokens in hand, by what they were asked for with, and when to ask for newer ones."""

    __slots__ = ("__weakref__", "_held")

    def __init__(self) -> None:
        self._held: dict[tuple[str, ...], tuple[Token, float]] = {}
        kept_out_of_snapshots(self)

    def serving(self, key: tuple[str, ...], now: float) -> Token | None:
        """What is held, unless it is time to ask for a newer one."""
        token, ask_at = self._held.get(key, (None, 0.0))
        return token if token is not None and now < min(ask_at, token.expires_at) else None

    def hold(self, key: tuple[str, ...], token: Token, now: float) -> None:
        """Keep a token until five minutes before its end; a shorter-lived one for half of its time."""
        left = token.expires_at - now
        self._held[key] = token, token.expires_at - min(_REFRESH_AHEAD_SECONDS, left / 2)

    def postponed(self, key: tuple[str, ...], now: float) -> Token | None:
        """The token in hand if it has not ended; other calls use it too for the next minute."""
        token, _ = self._held.get(key, (None, 0.0))
        if token is None or now >= token.expires_at:
            return None
        self._held[key] = token, now + _ASK_AGAIN_SECONDS
        return token

    def clear(self) -> None:
        """Forget everything."""
        self._held.clear()

    forget = clear


CACHE = TokenCache()


def cached(key: tuple[str, ...], ask: Callable[[float], Flow[Token]], cache: TokenCache = CACHE) -> Flow[Token]:
    """The token for a key: the one in hand, or the one that `ask` fetches, given the time in epoch seconds.

    While a newer one is fetched, and when that fails, the one in hand serves until its end.
    """
    now = (yield NOW).wall
    if (held := cache.serving(key, now)) is not None:
        return held
    in_hand = cache.postponed(key, now)
    try:
        newer = yield from ask(now)
    except (LLMError, ConfigurationError):
        if in_hand is None:
            raise
        return in_hand
    cache.hold(key, newer, now)
    return newer


def answered(request: HttpRequest, who: str, *, local: bool = False) -> Flow[HttpResponse]:
    """What a token service answers. A passing failure is tried again, twice; one next to this machine is asked once.

    Raises `ProviderConnectionError` where no answer comes, `ProviderServerError` for one that says "later".
    """
    timeouts, attempts = (_LOCAL_TIMEOUTS, 1) if local else (_TIMEOUTS, _ATTEMPTS)
    for attempt in range(attempts):
        if attempt:
            yield Sleep(_SHORTEST_WAIT_SECONDS * 2**attempt)
        reply = yield Send(request, timeouts)
        response: HttpResponse | None = None if isinstance(reply, Err) else reply.value
        if response is not None and response.status != 429 and response.status < 500:
            return response
    if response is None:
        raise ProviderConnectionError(f"{who} did not answer: {reply.error.message}", fix="Check the network.")
    raise ProviderServerError(f"{who} answered with status {response.status}.", fix="Try again in a moment.")


def form_post(url: str, fields: Mapping[str, str]) -> HttpRequest:
    """A POST of form fields."""
    from ...transport.types import HttpRequest
    from . import percent_encoded

    body = "&".join(f"{name}={percent_encoded(value)}" for name, value in fields.items())
    return HttpRequest("POST", url, _FORM, body.encode())


def read_token(response: HttpResponse, now: float, who: str, fix: str) -> Token:
    """The token in an OAuth answer (RFC 6749, section 5): `access_token` with `expires_in` or `expires_on` seconds.

    Raises `LLMAuthenticationError` with the error's code, which names the cause and never holds a secret, and `fix`.
    """
    answer = json_object(response.body)
    value = answer.get("access_token")
    if response.status != 200 or not isinstance(value, str) or not is_plain(value):
        raise refused(response, answer, who, fix)
    return Token(value, _end(answer, now))


def refused(response: HttpResponse, answer: Mapping[str, Any], who: str, fix: str) -> LLMAuthenticationError:
    """The error for an answer that brings no token."""
    code = answer.get("error")
    code = code.get("status") if isinstance(code, dict) else code
    shown = f" ({code})" if isinstance(code, str) and code.replace("_", "").isalnum() and len(code) < 64 else ""
    said = f"answered with status {response.status}{shown}" if response.status != 200 else f"sent no token{shown}"
    return LLMAuthenticationError(f"{who} {said}.", fix=fix, status=response.status)


def _end(answer: Mapping[str, Any], now: float) -> float:
    """When the token ends, in epoch seconds; an hour from now where the answer does not say, as services do."""
    for name, since in (("expires_in", now), ("expires_on", 0.0)):
        try:
            return since + float(answer[name])
        except (KeyError, TypeError, ValueError):
            continue
    return now + 3600.0


def json_object(body: bytes) -> dict[str, Any]:
    """The body's JSON object, empty when it is anything else."""
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return parsed if isinstance(parsed, dict) else {}


def is_plain(text: str) -> bool:
    """Whether a text may stand in a header: something, visible ASCII, without space."""
    return bool(text) and text.isascii() and text.isprintable() and " " not in text


def read_file(path: str, variable: str) -> str:
    """The text of a file that a variable names. Raises `ConfigurationError` naming both and what is wrong."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not text"
        fix = "Check the path and its permissions."
        raise ConfigurationError(f"{variable} is {path!r}, which can't be read: {reason}.", fix=fix) from None
