"""Which counter counts for which model: the best at hand, or one that is registered."""

from __future__ import annotations

from ...errors import ConfigurationError
from .base import TextCounter, request_tokens
from .encodings import ENCODINGS, folders, located
from .families import family_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...protocols import TokenCounterProtocol
    from ...types import ChatMessage, ChatRequest


class BestCounter(TextCounter):
    """Counts with tiktoken where it is installed, has an encoding for the model, and its file is at hand; else it
    estimates. Nothing is fetched.
    """

    def __init__(self) -> None:
        self._made: dict[str, TextCounter] = {}

    def count(self, text: str, model: str | None = None) -> int:
        """The tokens of a text."""
        return self.counter_for(model).count(text, model)

    def counter_for(self, model: str | None) -> TextCounter:
        """What counts for a model."""
        encoding = family_of(model).encoding
        if encoding not in self._made:
            self._made[encoding] = self._exact(encoding) or self._estimating()
        return self._made[encoding]

    def _exact(self, encoding: str) -> TextCounter | None:
        from importlib.util import find_spec

        if encoding not in ENCODINGS or located(encoding, folders()) is None or find_spec("tiktoken") is None:
            return None
        from .tiktoken_counter import TiktokenCounter

        return TiktokenCounter()

    def _estimating(self) -> TextCounter:
        from .estimate import EstimatingCounter

        return EstimatingCounter()

    def _of_texts(self, texts: list[str], model: str | None) -> int:
        return self.counter_for(model)._of_texts(texts, model)


class TokenCounterRegistry:
    """Counters by the beginning of a model's name; itself a counter that asks the right one.

        registry = TokenCounterRegistry()
        registry.register("groq/llama", HuggingFaceCounter("llama-3.3/tokenizer.json"))
        registry.count_messages(messages, "groq/llama-3.3-70b-versatile")

    The longest registered prefix decides, of the whole name or of the model's id after its provider. Any other model is
    counted by `default_counter`, which is the best at hand unless another is given.
    """

    def __init__(self, default_counter: TokenCounterProtocol | None = None) -> None:
        self.default_counter: TokenCounterProtocol = default_counter or BestCounter()
        self._counters: dict[str, TokenCounterProtocol] = {}

    def register(self, prefix: str, counter: TokenCounterProtocol) -> None:
        """Have models whose names begin with `prefix` (`gpt-4o`, `anthropic/`) counted by a counter."""
        if not prefix or not hasattr(counter, "count_messages"):
            fix = "Give the beginning of a model's name, and a counter with count and count_messages."
            raise ConfigurationError(f"{counter!r} can't be registered for {prefix!r}.", fix=fix)
        self._counters[prefix] = counter

    def get(self, model: str | None = None) -> TokenCounterProtocol:
        """The counter for a model."""
        if not self._counters or model is None:
            return self.default_counter
        name = model.replace(":", "/", 1)
        names = (name, name.partition("/")[2] or name)
        fitting = [prefix for prefix in self._counters if any(each.startswith(prefix) for each in names)]
        return self._counters[max(fitting, key=len)] if fitting else self.default_counter

    def count(self, text: str, model: str | None = None) -> int:
        """The tokens of a text."""
        return self.get(model).count(text, model)

    def count_messages(self, messages: Sequence[ChatMessage], model: str | None = None) -> int:
        """The tokens of a conversation."""
        return self.get(model).count_messages(messages, model)

    def count_request(self, request: ChatRequest) -> int:
        """The tokens of all of a request's input, as far as the model's counter counts more than messages."""
        return request_tokens(self.get(request.model), request)
