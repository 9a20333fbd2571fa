"""`BaseProvider`: the smallest thing that can answer a prompt. Write one to plug in what no definition can describe."""

from __future__ import annotations

from abc import ABC, abstractmethod

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..llm.models import ModelConfig, ModelResponse


class BaseProvider(ABC):
    """Answers prompts, one at a time, in the calling thread. `register_provider` makes it known by name.

    class OpenAIProvider(BaseProvider):
        def invoke(self, prompt: str, config: ModelConfig) -> ModelResponse:
            ...

    register_provider("mine", OpenAIProvider())
    handler(model="mine/some-model")
    """

    @abstractmethod
    def invoke(self, prompt: str, config: ModelConfig) -> ModelResponse:
        """The whole answer. Raise an `LLMError` for what goes wrong; a retryable one is tried again."""

    def stream(self, prompt: str, config: ModelConfig) -> Iterator[str]:
        """The answer's text piece by piece. This one gives it in one piece."""
        yield self.invoke(prompt, config).content

    def supports_streaming(self) -> bool:
        """Whether `stream` gives pieces as they come."""
        return False

    def supports_schema(self) -> bool:
        """Whether `config.output_schema` is obeyed. Where it is not, the schema is put into the system prompt."""
        return False
