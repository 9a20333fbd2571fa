"""A look at whether a provider answers: its cheapest question, asked once."""

from __future__ import annotations

from ...transport.types import HttpRequest, Timeouts
from ..auth import authorized
from ..call import codec_named, url_of
from ..errors import LambdaLLMError
from ..flow import ENVIRONMENT, NOW, Send
from ..pipeline import chat
from ..result import Err, Ok
from ..types import ChatMessage, ChatRequest, HealthCheckResult

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..call import CallSettings
    from ..catalog.resolve import Target
    from ..errors import LLMError
    from ..flow import Flow
    from ..result import Result


def probe(target: Target, settings: CallSettings, timeout: float) -> Flow[HealthCheckResult]:
    """Whether a provider answers within `timeout` seconds and takes the key.

    Asks for the path `health` of its definition, such as the list of models; where there is none, for a word from the
    model.
    """
    begun = yield NOW
    limited = settings.replace(total=timeout, max_retries=0)
    ask = _fetched if "health" in target.provider.paths else _word
    why: LambdaLLMError | None = None
    try:
        result = yield from ask(target, limited)
        why = result.error.located(target.provider.name, target.model.id) if isinstance(result, Err) else None
    except LambdaLLMError as reason:  # no key, no endpoint
        why = reason
    ended = yield NOW
    milliseconds = (ended.monotonic - begun.monotonic) * 1000
    return HealthCheckResult(why is None, target.provider.name, milliseconds, why)


def _fetched(target: Target, settings: CallSettings) -> Flow[Result[Any, LLMError]]:
    environ = yield ENVIRONMENT
    url = url_of(target, target.provider.paths["health"], settings.base_url, environ)
    headers = (*target.provider.headers.items(), *settings.headers)
    request = yield from authorized(HttpRequest("GET", url, headers), target.provider, settings.api_key, environ)
    timeouts = Timeouts(settings.connect_timeout, settings.total, settings.total)
    reply = yield Send(request, timeouts, target.provider.transport)
    if isinstance(reply, Err):
        return reply
    answer = reply.value
    if answer.status < 300:
        return Ok(answer)
    return Err(codec_named(target.wire).decode_error(answer.status, answer.headers, answer.body))


def _word(target: Target, settings: CallSettings) -> Flow[Result[Any, LLMError]]:
    request = ChatRequest(target.model.id, (ChatMessage("user", "Say OK."),), max_tokens=16)
    return (yield from chat(request, target, settings))
