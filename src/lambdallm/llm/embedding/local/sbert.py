"""A sentence embedding model in sentence-transformers: any model that it knows, from a folder or a hub."""

from __future__ import annotations

import os

from ...errors import ConfigurationError, MissingExtraError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from .folder import SentenceModel


class SentenceTransformersEngine:
    """Runs a model with PyTorch. One that is not on this machine is fetched from its hub by the package itself."""

    def __init__(self, model: SentenceModel) -> None:
        try:
            from sentence_transformers import SentenceTransformer
        except ModuleNotFoundError as error:
            raise MissingExtraError("A local embedding model", "embeddings") from error
        try:
            self._transformer = SentenceTransformer(_source(model))
        except (OSError, ValueError) as error:
            raise ConfigurationError(
                f"sentence-transformers can't load {model.place!r}: {error}.",
                fix="Name a folder with a model, or one that its hub has.",
            ) from error
        self.model = model.replace(max_tokens=self._transformer.max_seq_length or model.max_tokens)

    def count(self, texts: Sequence[str]) -> list[int]:
        """The tokens of each text, uncut."""
        tokenizer = self._transformer.tokenizer
        return [len(ids) for ids in tokenizer(list(texts), truncation=False, padding=False, verbose=False)["input_ids"]]

    def encode(self, texts: Sequence[str]) -> list[list[float]]:
        """A vector for each text."""
        vectors: list[list[float]] = self._transformer.encode(list(texts), show_progress_bar=False).tolist()
        return vectors


def _source(model: SentenceModel) -> str:
    """The model's folder, or its name on the hub where the folder has a graph for ONNX Runtime and no weights."""
    bare = os.path.isdir(model.place) and not os.path.isfile(os.path.join(model.place, "config.json"))
    return f"sentence-transformers/{model.id}" if bare else model.place
