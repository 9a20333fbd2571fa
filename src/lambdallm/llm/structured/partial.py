"""An answer's structure while it is written: which part of the stream is JSON, and what is known of it so far."""

from __future__ import annotations

from .json_text import first_start
from .partial_json import PartialJson

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Generic, TypeVar

    from ..types import StreamChunk
    from .modes import Ask
    from .output_model import OutputModel

    T_co = TypeVar("T_co", covariant=True)

    class _Of(Generic[T_co]): ...

else:

    class _Of:
        __slots__ = ()

        def __class_getitem__(cls, _item):
            return cls

    T_co = None


class Partial(_Of[T_co]):
    """A structure as it was known at one moment of a stream.

    `data` is plain JSON data, each a beginning of the next: strings grow, lists and objects gain members at their end.
    It is made when it is first looked at. `value` is the validated instance, on the last one of a stream alone, whose
    `data` is what that was made of: other data than before only where a model's first JSON was not its answer.
    """

    __slots__ = ("_data", "_look", "final", "value")

    def __init__(self, look: Callable[[], Any], value: T_co | None = None, *, final: bool = False) -> None:
        self._look: Callable[[], Any] | None = look
        self._data: Any = None
        self.value = value
        self.final = final

    @property
    def data(self) -> Any:
        """What is known, as dictionaries, lists and plain values; `None` where nothing is."""
        if self._look is not None:
            self._data, self._look = self._look(), None
        return self._data

    def __repr__(self) -> str:
        return f"Partial({self.data!r}{', final=True' if self.final else ''})"


class PartialAnswer:
    """Follows one answer: the text, or the arguments of the call that was demanded.

    Words before the JSON are read over. What begins as JSON and turns out to be none is forgotten; what follows the
    first whole value is not looked at.
    """

    _LONGEST_BLANK = 1000

    def __init__(self, model: OutputModel, ask: Ask) -> None:
        self._model, self._ask = model, ask
        self._reader: PartialJson | None = None
        self._before = ""
        self._call: int | None = None

    def add(self, chunk: StreamChunk) -> Partial[Any] | None:
        """What is known after a chunk; `None` where it told nothing new."""
        if chunk.index:
            return None
        news = [self._feed(piece) for piece in self._pieces(chunk)]
        if not any(news) or self._reader is None:
            return None
        moment, unwrapped = self._reader.moment(), self._model.unwrapped
        return Partial(lambda: unwrapped(moment.data()))

    def _pieces(self, chunk: StreamChunk) -> list[str]:
        if self._ask.tool is None:
            return [chunk.delta] if chunk.delta else []
        for call in chunk.tool_calls:
            if self._call is None and call.name == self._ask.tool.name:
                self._call = call.index
        return [call.arguments for call in chunk.tool_calls if call.index == self._call and call.arguments]

    def _feed(self, text: str) -> bool:
        news = False
        while text and (self._reader is None or not self._reader.done):
            if self._reader is None:
                text = self._started(text)
                if self._reader is None:
                    break
            news = self._reader.feed(text) or news
            text = ""
            if self._reader.failed:
                text, self._reader = self._reader.rest, None
        return news and self._reader is not None

    def _started(self, text: str) -> str:
        """The text from where JSON begins; a bracket at its end waits for what follows."""
        text = self._before + text
        start, whole = first_start(text, lists=self._model.wrapped)
        if whole:
            self._before, self._reader = "", PartialJson()
            return text[start:]
        self._before = text[start:] if len(text) - start < self._LONGEST_BLANK else ""
        return ""
