"""The extractor that blocks, under the name of the one that awaits: for Lambda handlers, over a blocking client.

from lambdallm.llm.structured.sync import StructuredExtractor
"""

from __future__ import annotations

from ..clients.accepted import accepted
from ..drivers import shared_driver
from ..result import Ok
from .template import ExtractorTemplate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import Any, TypeVar, overload

    from ..coerce import Messages
    from ..drivers import Driver
    from ..errors import LLMError
    from ..protocols import BlockingLLMClientProtocol
    from ..result import Result
    from ..types import StreamChunk
    from .extraction import Extraction
    from .flow import Wanted
    from .modes import AskedMode
    from .partial import Partial
    from .stream import ObjectStream

    T = TypeVar("T")


class StructuredExtractor(ExtractorTemplate):
    """The blocking twin of `structured.StructuredExtractor`, over a client that blocks.

    with OpenAIClient() as client:
        extractor = StructuredExtractor(client, default_model="gpt-4o")
        print(extractor.extract("Analyze the sentiment: I love it!", Sentiment).unwrap().label)
    """

    def __init__(
        self,
        llm_client: BlockingLLMClientProtocol,
        default_model: str | None = None,
        *,
        mode: AskedMode = "auto",
        max_retries: int = 2,
        driver: Driver | None = None,
    ) -> None:
        super().__init__(accepted(llm_client, blocking=True), default_model, mode, max_retries)
        self._driver = driver or shared_driver()

    if TYPE_CHECKING:

        @overload
        def extract(
            self,
            prompt: Messages,
            output_model: type[T],
            *,
            model: str | None = None,
            mode: AskedMode | None = None,
            max_retries: int | None = None,
            system: str | None = None,
            **options: Any,
        ) -> Result[T, LLMError]: ...

        @overload
        def extract(
            self,
            prompt: Messages,
            output_model: object,
            *,
            model: str | None = None,
            mode: AskedMode | None = None,
            max_retries: int | None = None,
            system: str | None = None,
            **options: Any,
        ) -> Result[Any, LLMError]: ...

    def extract(
        self,
        prompt: Messages,
        output_model: object,
        *,
        model: str | None = None,
        mode: AskedMode | None = None,
        max_retries: int | None = None,
        system: str | None = None,
        **options: Any,
    ) -> Result[Any, LLMError]:
        """A value of the output model. `options` are those of the client's call, such as `temperature`.

        What goes wrong at the provider or with the answer comes as `Err`: `ExtractionParseError` and
        `ExtractionValidationError` with `max_retries=0`, `ExtractionMaxRetriesError` when all tries are used up,
        `LLMContentFilterError` where the model declines. Raises `ConfigurationError` and its kin for what is wrong
        before anything is sent.
        """
        result = self.extract_full(
            prompt, output_model, model=model, mode=mode, max_retries=max_retries, system=system, **options
        )
        return Ok(result.value.value) if isinstance(result, Ok) else result

    if TYPE_CHECKING:

        @overload
        def extract_full(
            self,
            prompt: Messages,
            output_model: type[T],
            *,
            model: str | None = None,
            mode: AskedMode | None = None,
            max_retries: int | None = None,
            system: str | None = None,
            **options: Any,
        ) -> Result[Extraction[T], LLMError]: ...

        @overload
        def extract_full(
            self,
            prompt: Messages,
            output_model: object,
            *,
            model: str | None = None,
            mode: AskedMode | None = None,
            max_retries: int | None = None,
            system: str | None = None,
            **options: Any,
        ) -> Result[Extraction[Any], LLMError]: ...

    def extract_full(
        self,
        prompt: Messages,
        output_model: object,
        *,
        model: str | None = None,
        mode: AskedMode | None = None,
        max_retries: int | None = None,
        system: str | None = None,
        **options: Any,
    ) -> Result[Extraction[Any], LLMError]:
        """A value of the output model with its completion, and the usage and cost of all tries."""
        wanted = self._wanted(prompt, output_model, model, mode, max_retries, system, options.get("deadline"))
        return self._driver.run(self._extracted(wanted, self._options(model, options)))

    if TYPE_CHECKING:

        @overload
        def stream(
            self,
            prompt: Messages,
            output_model: type[T],
            *,
            model: str | None = None,
            mode: AskedMode | None = None,
            system: str | None = None,
            **options: Any,
        ) -> ObjectStream[T]: ...

        @overload
        def stream(
            self,
            prompt: Messages,
            output_model: object,
            *,
            model: str | None = None,
            mode: AskedMode | None = None,
            system: str | None = None,
            **options: Any,
        ) -> ObjectStream[Any]: ...

    def stream(
        self,
        prompt: Messages,
        output_model: object,
        *,
        model: str | None = None,
        mode: AskedMode | None = None,
        system: str | None = None,
        **options: Any,
    ) -> ObjectStream[Any]:
        """The structure while it is written, then its validated value. Nothing is sent before iteration begins.

        Iterating raises what `extract` gives as `Err`; a streamed answer that is wrong is not asked for again.
        """
        from .stream import ObjectStream

        wanted = self._wanted(prompt, output_model, model, mode, 0, system)
        done: list[Extraction[Any]] = []
        return ObjectStream(self._partials(wanted, self._options(model, options), done), done)

    def _partials(
        self, wanted: Wanted, options: dict[str, Any], done: list[Extraction[Any]]
    ) -> Generator[Partial[Any], None, None]:
        opened: list[Any] = []

        def following(chunks: Any) -> Callable[[], StreamChunk | None]:
            iterator = iter(chunks)
            opened.append(iterator)
            return lambda: next(iterator, None)

        try:
            yield from self._driver.iterate(self._streamed(wanted, options, done, following))
        finally:
            for iterator in opened:
                if (close := getattr(iterator, "close", None)) is not None:
                    close()
