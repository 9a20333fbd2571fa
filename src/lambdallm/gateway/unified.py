"""One function for all providers: an event names one, and gets the answer in one form.

    handler = UnifiedLLMHandler()
    handler.handle_request({"provider": "openai", "messages": [{"role": "user", "content": "Hello"}], "tools": []})

It walks as the document draws it: configuration, key, request transformer, call, response transformer. Around the call
stand the provider's own breaker and retries; before it the flags that say who gets the request; around all of it a
boundary, out of which come answers and this package's errors alone. Each request is one line of the log.
"""

from __future__ import annotations

import os
from _thread import get_ident
from time import monotonic, time

from ..llm.errors import ConfigurationError, InternalError, LambdaLLMError, LLMError
from ..llm.flow import Perform, Send
from ..llm.result import Err, Ok
from ..transport.types import HttpRequest, Timeouts
from .rollout import chosen
from .transformers import ProviderResponse, TransformerRegistry, UnifiedAnswer
from .unified_event import check_event, settings_in
from .unified_provider import UnifiedProvider, unified_provider

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike
    from typing import Any

    from ..llm.drivers import Driver
    from ..llm.flow import Flow
    from ..llm.result import Result
    from ..transport.types import Headers

TTL_SECONDS = 300.0


class AnswerRefused(Exception):
    """An answer that is none: a status of 300 or more. The handler makes an error of it, in the provider's words."""

    def __init__(self, status: int, headers: Headers = (), body: bytes = b"") -> None:
        super().__init__(f"HTTP {status}")
        self.status, self.headers, self.body = status, headers, body


class SecretsHeld(dict[str, str]):
    """Keys by their paths, which alone its `repr` shows."""

    def __repr__(self) -> str:
        return f"SecretsHeld({', '.join(map(repr, self))})"


class UnifiedLLMHandler:
    """Answers events that name a provider. One of it serves an environment; it may be shared between threads.

    `configs` are the entries of `provider_configs.json` by provider, `transformers` turns messages and answers,
    `secret_cache` holds the keys that were read, each for five minutes. `_load_provider_configs`, `_get_api_key` and
    `_call_api` can be overridden. Without a `path` the file is the one in PROVIDER_CONFIGS, or of this name in the
    function's folder. `logger` is as in `LoggingMiddleware`; without one, lines of JSON go to standard output.
    """

    def __init__(
        self, path: str | PathLike[str] | None = None, *, logger: Any = None, driver: Driver | None = None
    ) -> None:
        from ..llm.drivers import shared_driver
        from ..middleware.log_lines import writer

        self._path, self._driver, self._write = path, driver or shared_driver(), writer(logger)
        self._providers: dict[str, UnifiedProvider] = {}
        self._read_at: dict[str, float] = {}
        self._limits: dict[int, Timeouts] = {}
        self.configs: Any = self._load_provider_configs()
        self.transformers = TransformerRegistry()
        self.secret_cache: dict[str, str] = SecretsHeld()

    def handle_request(self, event: Mapping[str, Any], *, deadline: float | None = None) -> Any:
        """The answer to an event: `provider`, `messages`, `tools`, and fields of `ChatRequest` such as `max_tokens`.

        It is a dictionary (see `transformers.unified`) with `provider`, `cost_usd`, `attempts` and `latency_ms` added,
        or whatever a response transformer of one's own gives. `deadline` is a reading of the monotonic clock. Raises
        errors of this package alone: what somebody else's code raises is the cause of an `InternalError`.
        """
        begun = monotonic()
        asked: list[Any] = [event.get("provider") if hasattr(event, "get") else None, None]
        try:
            answer = self._answered(event, deadline, asked)
        except LambdaLLMError as error:
            self._log_failure(asked, error, begun)
            raise
        except Exception as bug:
            failure = InternalError(
                f"The provider {asked[0]!r} could not be asked: {type(bug).__name__}.",
                fix="The cause is in the function's log; other providers are not affected.",
            )
            self._log_failure(asked, failure, begun, bug)
            raise failure from bug
        self._log_answer(asked, answer, begun)
        return answer

    def _load_provider_configs(self) -> dict[str, dict[str, Any]]:
        """The entries by provider. Raises `ConfigurationError` where there is no file, or for what is wrong in it."""
        from .provider_configs import configs_path, read_configs

        path = self._path or configs_path(os.environ)
        if path is None:
            fix = "Put provider_configs.json beside the function, or name it in PROVIDER_CONFIGS."
            raise ConfigurationError("There is no configuration of providers.", fix=fix)
        return read_configs(path)

    def _get_api_key(self, secret_path: str) -> str:
        """The key at a path, from the cache for five minutes. `{env}` in it is what LAMBDALLM_ENV says.

        Raises `ConfigurationError` and `ServiceError` where it can't be read.
        """
        held = self.secret_cache.get(secret_path)
        if held is not None and monotonic() - self._read_at.setdefault(secret_path, monotonic()) < TTL_SECONDS:
            return held
        from ..llm.auth.secrets import secret_value
        from .keyed import FRESH_SECONDS

        reference = f"secret:{secret_path.removeprefix('secret:')}"
        key = self._driver.run(secret_value(reference, FRESH_SECONDS))
        self.secret_cache[secret_path], self._read_at[secret_path] = key, monotonic()
        return key

    def _call_api(
        self, endpoint: str, provider_request: Mapping[str, Any], api_key: str | None, auth_type: str, auth_header: str
    ) -> Any:
        """One call: the answer's JSON object. Raises `AnswerRefused` for a status that is no success, and `LLMError`
        where no answer comes."""
        import json

        proof = () if auth_type == "none" or api_key is None else ((auth_header, _proof(auth_type, api_key)),)
        protocol = getattr(provider_request, "headers", ())
        headers = (("Content-Type", "application/json"), *protocol, *proof)
        body = json.dumps(provider_request, ensure_ascii=False).encode("utf-8", "surrogatepass")
        timeouts = self._limits.get(get_ident()) or Timeouts(connect=10.0, read=30.0)
        response = self._driver.run(_sent(HttpRequest("POST", endpoint, headers, body), timeouts))
        if response.status >= 300:
            raise AnswerRefused(response.status, response.headers, response.body)
        return _response(response.headers, response.body)

    def _answered(self, event: Mapping[str, Any], deadline: float | None, asked: list[Any]) -> Any:
        """The answer; who is asked is told in `asked`, for the log."""
        entries = self.configs
        check_event(event, entries)
        asked[0] = name = chosen(event["provider"], entries, event)
        provider = self._provider(name)
        options = {**provider.config.get("options", {}), **settings_in(event)}
        provider = provider.asked_for(options.pop("model", None))
        asked[1], target = provider.target.model.id, provider.target
        transformer = self.transformers.get(provider.config["request_transformer"])
        if hasattr(transformer, "facts") and hasattr(transformer, "replace"):
            transformer = transformer.replace(model=target.model.id, facts=target.facts, options=options)
        provider_request = transformer.transform(event["messages"], event.get("tools") or [])
        return self._driver.run(self._guarded(provider, provider_request, deadline))

    def _guarded(self, provider: UnifiedProvider, provider_request: Any, deadline: float | None) -> Flow[Any]:
        """The answer within the provider's breaker and retries. Raises the error that the last of them ended with."""
        from ..llm.lifecycle import guarded
        from ..llm.streaming.record import StreamRecord

        target, begun = provider.target, monotonic()

        def attempt(record: StreamRecord) -> Flow[Result[Any, LLMError]]:
            record.attempts += 1
            result: Result[Any, LLMError] = yield Perform(lambda: self._once(provider, provider_request, deadline))
            return result

        record = StreamRecord(target)
        guards = provider.policies.guards(target, deadline, _never, int)
        result = yield from guarded(attempt, (), guards, record)
        if isinstance(result, Err):
            raise record.explained(result.error.located(provider.name, target.model.id))
        return _told(result.value, provider, record.attempts, begun, getattr(provider_request, "warnings", ()))

    def _once(self, provider: UnifiedProvider, provider_request: Any, deadline: float | None) -> Result[Any, LLMError]:
        """One attempt, made a second time where the key was refused and there is a new one."""
        config = provider.config
        read = config["timeout"]
        self._limits[get_ident()] = Timeouts(connect=min(read, 10.0), read=read, deadline=deadline)
        try:
            key = self._key_of(provider)
            try:
                response = self._called(config, provider_request, key)
            except AnswerRefused as refused:
                newer = self._newer_key(config, key) if refused.status == 401 else None
                if newer is None:
                    raise
                response = self._called(config, provider_request, newer)
        except AnswerRefused as refused:
            return Err(self._error_of(provider, refused))
        finally:
            del self._limits[get_ident()]
        return Ok(self.transformers.get(config["response_transformer"]).transform(response))

    def _called(self, config: Mapping[str, Any], provider_request: Any, key: str | None) -> Any:
        return self._call_api(config["endpoint"], provider_request, key, config["auth_type"], config["auth_header"])

    def _key_of(self, provider: UnifiedProvider) -> str | None:
        """The key: that of the provider's variable where it is set, else that at its path."""
        schemes = provider.target.provider.auth
        found = next((key for each in schemes for name in each.env if (key := os.environ.get(name))), None)
        path = provider.config.get("secret_path")
        if found is not None and found.startswith("secret:"):
            return self._get_api_key(found)
        return found if found is not None or path is None else self._get_api_key(path)

    def _newer_key(self, config: Mapping[str, Any], refused: str | None) -> str | None:
        """The key as it is now, if it is another one."""
        path = config.get("secret_path")
        if path is None or self.secret_cache.pop(path, None) != refused:
            return None
        newer = self._get_api_key(path)
        return None if newer == refused else newer

    def _error_of(self, provider: UnifiedProvider, refused: AnswerRefused) -> LLMError:
        from ..llm.call import codec_named
        from ..llm.errors import error_for

        transformer = self.transformers.get(provider.config["response_transformer"])
        if (wire := getattr(transformer, "wire", None)) is None:
            return error_for(refused.status, refused.body.decode("utf-8", "replace")[:1000])
        error: LLMError = codec_named(wire).decode_error(refused.status, refused.headers, refused.body)
        return error

    def _provider(self, name: str) -> UnifiedProvider:
        config = self.configs[name]
        known = self._providers.get(name)
        if known is None or known.config is not config:
            known = self._providers[name] = unified_provider(name, config)
        return known

    def _log_answer(self, asked: list[Any], answer: Any, begun: float) -> None:
        """One line: who was asked and what it took, never what was said."""
        fields: dict[str, Any] = {"provider": asked[0], "model": asked[1], "outcome": "ok"}
        if isinstance(answer, UnifiedAnswer):
            fields |= {name: answer.get(name) for name in ("attempts", "cost_usd", "finish_reason", "usage")}
        self._log("INFO", fields, begun)

    def _log_failure(
        self, asked: list[Any], error: LambdaLLMError, begun: float, cause: Exception | None = None
    ) -> None:
        fields = {"provider": asked[0], "model": asked[1], "outcome": type(error).__name__, "error": str(error)[:1000]}
        for name in ("status", "request_id", "retry_after", "attempts"):
            if (value := getattr(error, name, None)) is not None:
                fields[name] = value
        if cause is not None:
            fields["cause"] = _frames(cause)
        self._log("ERROR", fields, begun)

    def _log(self, level: str, fields: dict[str, Any], begun: float) -> None:
        fields["latency_ms"] = round((monotonic() - begun) * 1000, 1)
        self._write(level, "llm request", fields, time(), os.environ)


def _frames(error: Exception) -> list[str]:
    """Where an exception comes from, the place itself last: lines of code, not what they worked on."""
    frames, at = [], error.__traceback__
    while at is not None:
        code = at.tb_frame.f_code
        frames.append(f"{code.co_filename}:{at.tb_lineno} in {code.co_name}")
        at = at.tb_next
    return frames[-_MOST_FRAMES:]


_MOST_FRAMES = 8


def _proof(auth_type: str, key: str) -> str:
    return f"Bearer {key.strip()}" if auth_type == "bearer" else key.strip()


def _sent(request: HttpRequest, timeouts: Timeouts) -> Flow[Any]:
    """The answer to a request. Raises the `LLMError` that the transport's failure is."""
    reply = yield Send(request, timeouts)
    return reply.unwrap()


def _response(headers: Headers, body: bytes) -> ProviderResponse:
    """An answer as its JSON object; what is none has no fields, and its transformer says what is wrong with it."""
    import json

    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        parsed = None
    response = ProviderResponse(parsed if isinstance(parsed, dict) else {})
    response.body, response.headers = body, headers
    return response


def _told(answer: Any, provider: UnifiedProvider, attempts: int, begun: float, warnings: tuple[str, ...]) -> Any:
    """An answer in the one form, with what only its call knows."""
    if not isinstance(answer, UnifiedAnswer) or answer.completion is None:
        return answer
    from ..llm.pricing.cost import cost_of

    answer["model"] = answer["model"] or provider.target.model.id
    answer["provider"], answer["attempts"] = provider.name, attempts
    answer["cost_usd"] = cost_of(answer.completion.usage, provider.target)
    answer["latency_ms"] = round((monotonic() - begun) * 1000, 1)
    answer["warnings"] = [*answer.completion.warnings, *warnings]
    return answer


def _never(_messages: Any) -> bool:
    """Stand in for a check of the context window, which the provider makes."""
    return False


_made_once: list[UnifiedLLMHandler] = []
_MARGIN_SECONDS = 0.5


def lambda_handler(event: Mapping[str, Any], context: Any) -> Any:
    """The function itself: a handler is made when the environment starts answering, and keeps what it has read."""
    if not _made_once:
        _made_once.append(UnifiedLLMHandler())
    left = context.get_remaining_time_in_millis() / 1000 - _MARGIN_SECONDS
    return _made_once[0].handle_request(event, deadline=monotonic() + left)
