"""What every client does around its hooks, written once for those that await and those that block.

The order is the documented one: breaker, token limit, attempts with backoff, thinking told apart. Nothing here sends or
waits: the methods give flows, and the client's driver performs them.
"""

from __future__ import annotations

from ..call import labelled
from ..catalog.definition import ProviderDefinition
from ..catalog.loader import catalog
from ..catalog.resolve import Target, targeted
from ..coerce import messages_of, options_of, thinking_of
from ..config import ClientConfig
from ..errors import ConfigurationError
from ..flow import NOW
from ..health.circuit_breaker import ProviderCircuitBreaker
from ..lifecycle import Guards, guarded, performed, relayed
from ..options import check_options
from ..result import Err, Ok
from ..retry import RetryPolicy
from ..streaming.accumulator import as_chunks
from ..thinking.tags import normalized
from ..types import ChatMessage, HealthCheckResult

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any, ClassVar

    from ..coerce import Messages
    from ..errors import LLMError
    from ..flow import Flow
    from ..lifecycle import Next
    from ..protocols import TokenCounterProtocol
    from ..result import Result
    from ..streaming.record import StreamRecord
    from ..types import Completion, StreamChunk, Thinking


class ClientTemplate:
    """The state of a client and the flows around its hooks.

    A subclass names its `provider`. Where the catalog has no such entry, the client is its own: its model has no known
    price and no known limits.
    """

    provider: ClassVar[str] = ""
    default_model: ClassVar[str | None] = None

    def __init__(
        self,
        config: ClientConfig | None = None,
        *,
        circuit_breaker: ProviderCircuitBreaker | None = None,
        token_counter: TokenCounterProtocol | None = None,
        **options: Any,
    ) -> None:
        self.config = self._configured(config, options)
        self.circuit_breaker = circuit_breaker or ProviderCircuitBreaker(
            self.provider or type(self).__name__,
            failure_threshold=self.config.failure_threshold,
            recovery_seconds=self.config.recovery_seconds,
        )
        self.token_counter = token_counter
        self._targets: dict[str | None, Target] = {}

    def _configured(self, config: ClientConfig | None, options: dict[str, Any]) -> ClientConfig:
        check_options(options, ClientConfig._fields)
        config = config or ClientConfig()
        provider = self.provider or options.get("provider", config.provider)
        return config.replace(**{**options, "provider": provider})

    @property
    def model(self) -> str:
        """The model it calls when a call names none."""
        return self._target(None).model.id

    def get_models(self) -> list[str]:
        """The models of this provider that the catalog knows."""
        return list(self._definition().models)

    def _definition(self) -> ProviderDefinition:
        name = self.config.provider
        return catalog().find(name) or ProviderDefinition(name, "", "", default_model=self.default_model)

    def _target(self, model: str | None) -> Target:
        """The model to call, at this client's provider whatever its id looks like."""
        if model not in self._targets:
            self._targets[model] = self._found_target(model)
        return self._targets[model]

    def _found_target(self, model: str | None) -> Target:
        definition = self._definition()
        named = model or self.config.model or self.default_model or definition.default_model
        if named is None:
            raise ConfigurationError(f"{type(self).__name__} has no default model.", fix="Pass model=….")
        return targeted(definition, named.removeprefix(f"{definition.name}/"))

    def _asked(self, messages: Messages, given: Mapping[str, Any]) -> tuple[tuple[ChatMessage, ...], dict[str, Any]]:
        """A call's messages and options; the configuration's stand behind those of the call."""
        options = {**self.config.options, **given}
        thinking = options.pop("thinking", None)
        options = options_of(options)
        if thinking is not None:
            options = self._apply_thinking(options, thinking_of(thinking))
        return messages_of(messages), options

    def _apply_thinking(self, payload: dict[str, Any], thinking: Thinking) -> dict[str, Any]:
        """The options of a call with what asks for thinking.

        The catalog's codecs know each protocol's own words, so this only hands the setting on. Override it for a
        provider with words of its own: `payload | {"extra": {"think_hard": True}}`.
        """
        return {**payload, "thinking": thinking}

    def _normalize_thinking(self, completion: Completion) -> Completion:
        """The completion with thinking that the model wrote between tags told apart from its answer."""
        return normalized(completion)

    def _exceeds_token_limit(self, messages: Sequence[ChatMessage], model: str | None = None) -> bool:
        """Whether the messages can't fit the model's context window.

        With a `token_counter` that is counted, without one only what is sure is refused: more words than tokens.
        """
        window = self._target(model).model.context_window
        if window is None or not self.config.check_token_limit:
            return False
        if self.token_counter is not None:
            return self.token_counter.count_messages(messages, model) > window
        return least_tokens(messages, window) > window

    def _guards(self, model: str | None) -> Guards:
        return Guards(
            self.circuit_breaker,
            lambda messages: self._exceeds_token_limit(messages, model),
            RetryPolicy(self.config.max_retries),
        )

    def _whole(
        self, hook: Callable[[], Any], messages: Sequence[ChatMessage], model: str | None
    ) -> Flow[Result[Completion, LLMError]]:
        """A whole answer by a hook that makes one attempt."""
        begun = yield NOW
        attempts = 0

        def attempt() -> Flow[Result[Any, LLMError]]:
            nonlocal attempts
            attempts += 1
            return performed(hook)

        result = yield from guarded(attempt, messages, self._guards(model))
        target = self._target(model)
        if isinstance(result, Err):
            return Err(result.error.located(target.provider.name, target.model.id))
        ended = yield NOW
        latency = (ended.monotonic - begun.monotonic) * 1000
        answer = self._normalize_thinking(result.value)
        if answer.provider is None:
            answer = labelled(answer, target)
        return Ok(answer.replace(latency_ms=latency, attempts=attempts))

    def _pieces(
        self, begin: Callable[[], Next], messages: Sequence[ChatMessage], model: str | None, record: StreamRecord
    ) -> Flow[Result[None, LLMError]]:
        """A streamed answer by a hook whose iterator `begin` opens."""
        record.begun = (yield NOW).monotonic

        def attempt() -> Flow[Result[Any, LLMError]]:
            return relayed(begin, record, self._chunk_seconds())

        result = yield from guarded(attempt, messages, self._guards(model), may_emit=True)
        record.ended = (yield NOW).monotonic
        if isinstance(result, Err):
            target = self._target(model)
            return Err(record.explained(result.error.located(target.provider.name, target.model.id)))
        return Ok(None)

    def _ping(self) -> ChatMessage:
        return ChatMessage("user", "Say OK.")

    def _health(self, error: Exception | None, latency_ms: float) -> HealthCheckResult:
        return HealthCheckResult(error is None, self.config.provider, latency_ms, error)

    def _in_one_piece(self, answer: Completion) -> Iterable[StreamChunk]:
        """A whole answer as the chunks of a stream."""
        return as_chunks(answer)

    def _chunk_seconds(self) -> float | None:
        """The longest wait for a hook's next chunk."""
        return self.config.chunk_timeout


def least_tokens(messages: Sequence[ChatMessage], enough: int) -> int:
    """A number of tokens that the messages have for certain: one for each word, whatever the tokenizer.

    Texts too short to have `enough` words are not looked at. An estimate would be nearer, and would refuse what fits.
    """
    texts = [message.text for message in messages]
    if sum(map(len, texts)) <= enough:
        return 0
    return sum(len(text.split()) for text in texts)
