"""`TiktokenCounter`: exact counts for OpenAI's models, from encodings in a folder."""

from __future__ import annotations

from ...errors import ConfigurationError
from .base import TextCounter
from .encodings import loaded
from .families import family_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class TiktokenCounter(TextCounter):
    """Counts with tiktoken (the extra `tokens`), each model by its own encoding; never over the network.

        counter = TiktokenCounter(folder="encodings")
        counter.count("Hello!", "gpt-4o")

    `folder` is where the encodings are, by default TIKTOKEN_CACHE_DIR and `encodings` beside the function's code
    (`encodings.fetch_encodings` puts them there). `encoding` counts every model by one encoding; without it, a model
    that tiktoken has none for raises `ConfigurationError`. A call without a model is counted by `o200k_base`.
    """

    def __init__(self, *, folder: str | None = None, encoding: str | None = None) -> None:
        self._places = None if folder is None else [folder]
        self._encoding = encoding
        self._loaded: dict[str, Any] = {}

    def count(self, text: str, model: str | None = None) -> int:
        """The tokens of a text. Names of special tokens in it count as the text they are."""
        name = self._name(model)
        if name not in self._loaded:
            self._loaded[name] = loaded(name, self._places)
        return len(self._loaded[name].encode_ordinary(text))

    def _name(self, model: str | None) -> str:
        name = self._encoding or ("o200k_base" if model is None else family_of(model).encoding)
        if not name:
            raise ConfigurationError(
                f"tiktoken has no encoding for {model!r}.",
                fix="Use EstimatingCounter, HuggingFaceCounter with the model's tokenizer.json, or pass encoding=….",
            )
        return name
