"""`StructuredExtractor`: typed values from any client. Its blocking twin is in `sync`; the policy is in `flow`."""

from __future__ import annotations

from ..clients.accepted import accepted
from ..drivers import shared_async_driver
from ..result import Ok
from .template import ExtractorTemplate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
    from typing import Any, TypeVar, overload

    from ..coerce import Messages
    from ..drivers import AsyncDriver
    from ..errors import LLMError
    from ..protocols import LLMClientProtocol
    from ..result import Result
    from ..types import StreamChunk
    from .extraction import Extraction
    from .flow import Wanted
    from .modes import AskedMode
    from .partial import Partial
    from .stream import AsyncObjectStream

    T = TypeVar("T")


class StructuredExtractor(ExtractorTemplate):
    """Extracts values of a type from what a model says.

        extractor = StructuredExtractor(client, default_model="gpt-4o")
        result = await extractor.extract("Analyze the sentiment: I love it!", Sentiment)
        print(result.unwrap().label)

    `llm_client` is any client of the protocol: ours, a router, one's own. `mode` is how the structure is asked for, see
    `modes`; `max_retries` is how often the model is asked again when its answer is wrong.
    """

    def __init__(
        self,
        llm_client: LLMClientProtocol,
        default_model: str | None = None,
        *,
        mode: AskedMode = "auto",
        max_retries: int = 2,
        driver: AsyncDriver | None = None,
    ) -> None:
        super().__init__(accepted(llm_client, blocking=False), default_model, mode, max_retries)
        self._driver = driver or shared_async_driver()

    if TYPE_CHECKING:

        @overload
        async def extract(
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
        async def extract(
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

    async def extract(
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
        result = await self.extract_full(
            prompt, output_model, model=model, mode=mode, max_retries=max_retries, system=system, **options
        )
        return Ok(result.value.value) if isinstance(result, Ok) else result

    if TYPE_CHECKING:

        @overload
        async def extract_full(
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
        async def extract_full(
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

    async def extract_full(
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
        return await self._driver.run(self._extracted(wanted, self._options(model, options)))

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
        ) -> AsyncObjectStream[T]: ...

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
        ) -> AsyncObjectStream[Any]: ...

    def stream(
        self,
        prompt: Messages,
        output_model: object,
        *,
        model: str | None = None,
        mode: AskedMode | None = None,
        system: str | None = None,
        **options: Any,
    ) -> AsyncObjectStream[Any]:
        """The structure while it is written, then its validated value. Nothing is sent before iteration begins.

        Iterating raises what `extract` gives as `Err`; a streamed answer that is wrong is not asked for again.
        """
        from .stream import AsyncObjectStream

        wanted = self._wanted(prompt, output_model, model, mode, 0, system)
        done: list[Extraction[Any]] = []
        return AsyncObjectStream(self._partials(wanted, self._options(model, options), done), done)

    async def _partials(
        self, wanted: Wanted, options: dict[str, Any], done: list[Extraction[Any]]
    ) -> AsyncGenerator[Partial[Any], None]:
        opened: list[Any] = []

        def following(chunks: Any) -> Callable[[], Awaitable[StreamChunk | None]]:
            iterator = aiter(chunks)
            opened.append(iterator)
            return lambda: _next(iterator)

        partials = self._driver.iterate(self._streamed(wanted, options, done, following))
        try:
            async for partial in partials:
                yield partial
        finally:
            await partials.aclose()
            for iterator in opened:
                if (close := getattr(iterator, "aclose", None)) is not None:
                    await close()


async def _next(chunks: AsyncIterator[StreamChunk]) -> StreamChunk | None:
    return await anext(chunks, None)
