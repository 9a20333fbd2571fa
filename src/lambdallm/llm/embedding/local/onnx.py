"""A sentence embedding model in ONNX Runtime, without PyTorch: tokens, graph, pooling, length one."""

from __future__ import annotations

import os

from ...errors import ConfigurationError, MissingExtraError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from .folder import SentenceModel

_AT_ONCE = 32
"""Texts run through the graph together; more only make the longest one's padding dearer."""


class OnnxEngine:
    """Runs a folder's graph. Its output is a vector for each token, which is pooled, or one for each text."""

    def __init__(self, model: SentenceModel) -> None:
        try:
            import numpy
            import onnxruntime
            from tokenizers import Tokenizer
        except ModuleNotFoundError as error:
            raise MissingExtraError("A local embedding model", "embeddings-onnx") from error
        self.model, self._numpy = model, numpy
        try:
            self._tokenizer = Tokenizer.from_file(os.path.join(model.place, "tokenizer.json"))
            self._session = onnxruntime.InferenceSession(
                model.graph, _options(onnxruntime), providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # both raise bare exceptions of their own
            raise ConfigurationError(
                f"The embedding model in {model.place!r} can't be loaded: {error}.",
                fix="Fetch it again; `lambdallm local pull --embeddings --force` does that for the default one.",
            ) from error
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._inputs = [given.name for given in self._session.get_inputs()]

    def count(self, texts: Sequence[str]) -> list[int]:
        """The tokens of each text, uncut."""
        return [len(encoding.ids) for encoding in self._tokenizer.encode_batch(list(texts))]

    def encode(self, texts: Sequence[str]) -> list[list[float]]:
        """A vector for each text. Texts of like length go together, so that little of the work is padding."""
        tokens = [self._cut(encoding.ids) for encoding in self._tokenizer.encode_batch(list(texts))]
        order = sorted(range(len(tokens)), key=lambda place: len(tokens[place]))
        vectors: list[list[float]] = [[]] * len(tokens)
        for start in range(0, len(order), _AT_ONCE):
            places = order[start : start + _AT_ONCE]
            for place, vector in zip(places, self._run([tokens[place] for place in places]), strict=True):
                vectors[place] = vector
        return vectors

    def _cut(self, ids: list[int]) -> list[int]:
        """At most the model's tokens, the closing one kept."""
        limit = self.model.max_tokens
        return ids if len(ids) <= limit else [*ids[: limit - 1], ids[-1]]

    def _run(self, tokens: list[list[int]]) -> list[list[float]]:
        numpy = self._numpy
        longest = max(map(len, tokens))
        ids = numpy.array([row + [0] * (longest - len(row)) for row in tokens], dtype="int64")
        mask = numpy.array([[1] * len(row) + [0] * (longest - len(row)) for row in tokens], dtype="int64")
        known = {"input_ids": ids, "attention_mask": mask, "token_type_ids": numpy.zeros_like(ids)}
        output = self._session.run(None, {name: known[name] for name in self._inputs})[0]
        vectors = self._pooled(output, mask) if output.ndim == 3 else output
        if self.model.normalize:
            vectors = vectors / numpy.linalg.norm(vectors, axis=1, keepdims=True).clip(1e-12)
        found: list[list[float]] = vectors.astype("float32").tolist()
        return found

    def _pooled(self, output: Any, mask: Any) -> Any:
        """One vector from those of a text's tokens, padding left out."""
        if self.model.pooling == "cls":
            return output[:, 0]
        shown = mask[:, :, None].astype("float32")
        if self.model.pooling == "max":
            return (output * shown - (1 - shown) * 1e9).max(axis=1)
        return (output * shown).sum(axis=1) / shown.sum(axis=1)


def _options(onnxruntime: Any) -> Any:
    """Threads that sleep while they wait: spinning ones take a busy machine's cores from those that work."""
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return options
