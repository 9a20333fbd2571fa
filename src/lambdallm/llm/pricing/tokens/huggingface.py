"""`HuggingFaceCounter`: exact counts for models whose `tokenizer.json` is at hand."""

from __future__ import annotations

import os

from ...errors import ConfigurationError, MissingExtraError
from .base import TextCounter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class HuggingFaceCounter(TextCounter):
    """Counts with a model's own tokenizer (the extra `tokens`), from its file; never over the network.

        counter = HuggingFaceCounter("models/llama-3.3/tokenizer.json")

    `path` is a `tokenizer.json` or the folder that holds it. Every model is counted by it: register it in a
    `TokenCounterRegistry` for those it is right for. Raises `ConfigurationError` for a path that holds no tokenizer.
    """

    def __init__(self, path: str) -> None:
        try:
            from tokenizers import Tokenizer
        except ModuleNotFoundError as error:
            raise MissingExtraError("Counting with a tokenizer.json", "tokens") from error
        file = os.path.join(path, "tokenizer.json") if os.path.isdir(path) else path
        try:
            self._tokenizer: Any = Tokenizer.from_file(file)
        except Exception as error:  # the package raises bare exceptions of its own
            fix = "Give the path of a tokenizer.json, or of the folder that holds it."
            raise ConfigurationError(f"{file!r} is no tokenizer: {error}.", fix=fix) from error
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()

    def count(self, text: str, model: str | None = None) -> int:
        """The tokens of a text, without those that begin and end a prompt."""
        return len(self._tokenizer.encode(text, add_special_tokens=False).ids)
