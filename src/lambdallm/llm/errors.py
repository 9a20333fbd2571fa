"""Every error of LambdaLLM, in one tree whose first fork says whose fault it is.

    LambdaLLMError (AIError)
    ├── CallerError                      you: the request or the configuration needs a change
    │   ├── ConfigurationError           a setting is missing, misspelt or of the wrong kind
    │   │   ├── MissingKeyError          no API key where the provider's definition looks for one
    │   │   ├── MissingExtraError        an optional package is not installed
    │   │   └── UnknownProviderError     no definition of that name
    │   ├── PromptError                  a template and its variables don't fit
    │   ├── UnauthorizedError            whoever sent the event may not do this
    │   ├── LLMAuthenticationError  *    the key is wrong or may not do this
    │   ├── LLMModelNotFoundError   *    no such model, or not for this account
    │   ├── InvalidRequestError     *    the provider refused the request as malformed
    │   │   └── UnsupportedParameterError  it can't be expressed for this model; nothing was sent
    │   ├── LLMContentFilterError   *    a safety filter stopped the request or the answer
    │   └── TokenLimitError         *    the messages do not fit the context window
    ├── ProviderError                    them: the provider or the way to it failed
    │   ├── LLMRateLimitError       *    too many requests
    │   ├── ProviderServerError     *    a 5xx answer, overload included
    │   │   └── CircuitOpenError         it failed too often; no call was made
    │   ├── ProviderConnectionError *    no connection, or it broke
    │   │   └── ProviderTimeoutError     no connection or no byte in time
    │   ├── ProviderResponseError   *    the answer can't be read
    │   ├── StreamError             *    a stream broke off, turned malformed, or carried an error
    │   └── ExtractionError         *    the model's text is not the structure asked for
    │       ├── ExtractionParseError
    │       ├── ExtractionValidationError
    │       └── ExtractionMaxRetriesError
    ├── InternalError                    us: a bug; please report it
    ├── DeadlineExceededError            time: the function's deadline leaves too little
    └── MoneyError                       money
        ├── LLMQuotaExceededError   *    the provider's billing limit is reached
        └── BudgetExceededError          your own budget is reached

    * also an LLMError: something a call to a model can return in `Err`.

An error carries facts, never a key, and its last sentence says what to do.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, Self

    from .routing.decision import RoutingDecision
    from .types import Completion, Usage


class LambdaLLMError(Exception):
    """The root: catch it to catch everything this package raises on purpose.

    `message` says what happened with the value that caused it; `fix` says what to do. `str(error)` is both.
    """

    fix: str = ""

    def __init__(self, message: str, *, fix: str = "") -> None:
        self.message = message
        self.fix = fix or self.fix
        super().__init__(message)

    def __str__(self) -> str:
        return f"{self.message} {self.fix}".strip()


AIError = LambdaLLMError


class CallerError(LambdaLLMError):
    """The request or the configuration needs a change; trying again as it is can't help.

    `data_path` is where in given data the fault is, by keys and indices, so that who read a file can name the line.
    """

    data_path: tuple[str | int, ...] = ()


class ProviderError(LambdaLLMError):
    """The provider or the network failed; the same request may succeed later or elsewhere."""


class InternalError(LambdaLLMError):
    """A bug in LambdaLLM."""

    fix = "This is a bug in LambdaLLM: please report it."


class MoneyError(LambdaLLMError):
    """A limit on money is reached."""


class LLMError(LambdaLLMError):
    """What a call to a model can fail with.

    `status` is the HTTP status, `type` and `code` are the provider's own words, `retry_after` is in seconds,
    `attempts` counts the tries made, `usage` and `cost_usd` are what all of them used and cost (`None` where that is
    unknown), and `partial` is what a broken stream had delivered. `retryable` says whether the same request may succeed
    if sent again; `sent` is false where it was refused here and no call was made. `routing` is how a router chose.
    """

    retryable: bool = False
    sent: bool = True
    routing: RoutingDecision | None = None

    def __init__(
        self,
        message: str,
        *,
        fix: str = "",
        provider: str | None = None,
        model: str | None = None,
        status: int | None = None,
        type: str | None = None,
        code: str | int | None = None,
        param: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        retryable: bool | None = None,
        attempts: int | None = None,
        usage: Usage | None = None,
        cost_usd: float | None = None,
        partial: Completion | None = None,
        sent: bool | None = None,
    ) -> None:
        super().__init__(message, fix=fix)
        self.provider, self.model, self.status = provider, model, status
        self.type, self.code, self.param = type, code, param
        self.request_id, self.retry_after = request_id, retry_after
        self.usage, self.cost_usd, self.partial = usage, cost_usd, partial
        if retryable is not None:
            self.retryable = retryable
        if sent is not None:
            self.sent = sent
        self.attempts = int(self.sent) if attempts is None else attempts

    def located(self, provider: str, model: str) -> Self:
        """Itself, told which provider and model it came from, where it did not know."""
        self.provider = self.provider or provider
        self.model = self.model or model
        return self

    def __str__(self) -> str:
        where = "/".join(part for part in (self.provider, self.model) if part)
        facts = [f"HTTP {self.status}" if self.status else "", f"request {self.request_id}" if self.request_id else ""]
        context = ", ".join(fact for fact in (where, *facts) if fact)
        return f"{self.message.strip()}{f' ({context})' if context else ''} {self.fix}".strip()


class ConfigurationError(CallerError):
    """A setting is missing, misspelt or of the wrong kind."""


class MissingKeyError(ConfigurationError):
    """No API key was found where the provider's definition says to look."""


class MissingExtraError(ConfigurationError, ImportError):
    """A feature needs an optional package that is not installed."""

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(f"{feature} needs an optional package.", fix=f"Run: pip install 'lambdallm[{extra}]'.")


class UnknownProviderError(ConfigurationError):
    """No provider is defined under that name."""


class PromptError(CallerError, ValueError):
    """A template and the variables given to it don't fit."""


class UnauthorizedError(CallerError):
    """Whoever sent the event may not do this: for a function's own middleware to raise."""

    fix = "Send valid credentials."


class DeadlineExceededError(LambdaLLMError, TimeoutError):
    """The function's deadline leaves too little time."""

    fix = "Raise the function's timeout, or lower max_tokens."


class BudgetExceededError(MoneyError):
    """Your own budget is reached."""


class LLMAuthenticationError(LLMError, CallerError):
    """The key is wrong, expired, or may not do this."""

    fix = "Check the API key and its permissions."


class LLMModelNotFoundError(LLMError, CallerError):
    """No such model, or this account may not use it."""

    fix = "Check the model's name with `lambdallm models`."


class InvalidRequestError(LLMError, CallerError):
    """The provider refused the request as malformed."""

    fix = "Change the request; sending it again as it is can't help."


class UnsupportedParameterError(InvalidRequestError):
    """The model or its protocol has no way to express a parameter. Nothing was sent."""

    sent = False
    fix = "Leave the parameter out, or choose a model that takes it."


class LLMContentFilterError(LLMError, CallerError):
    """A safety filter stopped the request or the answer."""

    fix = "Reformulate the request."


class TokenLimitError(LLMError, CallerError):
    """The messages do not fit the model's context window."""

    fix = "Shorten the messages, or choose a model with a larger context window."


class LLMRateLimitError(LLMError, ProviderError):
    """Too many requests or tokens in a short time."""

    retryable = True
    fix = "Wait and try again."


class LLMQuotaExceededError(LLMError, MoneyError):
    """The provider's billing limit is reached."""

    fix = "Raise the limit with the provider, or switch to another one."


class ProviderServerError(LLMError, ProviderError):
    """The provider failed: a 5xx answer, or overload."""

    retryable = True
    fix = "Try again, or switch to another provider."


class CircuitOpenError(ProviderServerError):
    """The circuit breaker is open: the provider failed too often, and no call was made. `retry_after` says how long."""

    sent = False
    fix = "Wait, or switch to another provider."


class ProviderConnectionError(LLMError, ProviderError):
    """No connection, or it broke."""

    retryable = True
    fix = "Check the endpoint and the network."


class ProviderTimeoutError(ProviderConnectionError, TimeoutError):
    """No connection or no byte of the answer in time."""

    fix = "Raise the timeout, or ask for less."


class ProviderResponseError(LLMError, ProviderError):
    """The provider's answer can't be read."""

    retryable = True
    fix = "Check that the endpoint speaks the protocol its definition names."


class StreamError(LLMError, ProviderError):
    """A stream broke off, turned malformed, or carried an error. `partial` holds what had come."""

    retryable = True
    fix = "Try again; what had come is in `partial`."


class ExtractionError(LLMError, ProviderError):
    """The model's text is not the structure asked for. `text` is what it said, `problems` what is wrong with it."""

    fix = "Simplify the schema, or choose a stronger model."

    def __init__(self, message: str, *, text: str = "", problems: tuple[str, ...] = (), **facts: Any) -> None:
        super().__init__(message, **facts)
        self.text = text
        self.problems = problems


class ExtractionParseError(ExtractionError):
    """The text holds no JSON."""


class ExtractionValidationError(ExtractionError):
    """The JSON does not match the schema."""


class ExtractionMaxRetriesError(ExtractionError):
    """No try gave a valid structure."""


_BY_STATUS: dict[int, type[LLMError]] = {
    401: LLMAuthenticationError,
    402: LLMQuotaExceededError,
    403: LLMAuthenticationError,
    404: LLMModelNotFoundError,
    408: ProviderTimeoutError,
    429: LLMRateLimitError,
}

_BY_WORD: tuple[tuple[type[LLMError], tuple[str, ...]], ...] = (
    (LLMQuotaExceededError, ("insufficient_quota", "insufficient_balance", "billing", "credit balance",
                             "servicequota")),
    (TokenLimitError, ("context_length_exceeded", "exceed_context_size", "prompt is too long", "maximum context length",
                       "input is too long", "too many input tokens", "context window", "exceeds the context length")),
    (LLMContentFilterError, ("content_filter", "content_policy", "responsibleaipolicy", "content management policy")),
    (LLMModelNotFoundError, ("model_not_found", "model identifier is invalid", "resourcenotfound", "not_found_error")),
    (LLMAuthenticationError, ("invalid_api_key", "authentication_error", "permission_error", "accessdenied",
                              "unrecognizedclient", "invalidsignature", "expiredtoken")),
    (LLMRateLimitError, ("rate_limit", "throttling", "too many requests", "rate limit")),
    (ProviderServerError, ("overloaded", "internalserver", "serviceunavailable", "modelnotready", "modelerror",
                           "modelstreamerror", "server_error", "api_error")),
    (ProviderTimeoutError, ("modeltimeout", "timeout_error")),
)  # fmt: skip


def error_for(
    status: int | None, message: str, *, type: str | None = None, code: object = None, **facts: Any
) -> LLMError:
    """The leaf that a provider's answer means, from its own words first and its HTTP status second."""
    words = f"{type or ''} {code or ''} {message}".lower().replace("exception", "")
    kind = next((leaf for leaf, marks in _BY_WORD if _mentions(words, marks)), None)
    if kind is None or (status and status >= 500 and not kind.retryable):
        kind = _BY_STATUS.get(status or 0) or (ProviderServerError if (status or 0) >= 500 else InvalidRequestError)
    safe_code = code if isinstance(code, (str, int)) or code is None else str(code)
    return kind(message, status=status, type=type, code=safe_code, **facts)


def _mentions(words: str, marks: Iterable[str]) -> bool:
    return any(mark in words for mark in marks)
