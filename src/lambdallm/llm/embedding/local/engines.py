"""What runs a sentence embedding model: ONNX Runtime where its folder has a graph, sentence-transformers otherwise.

An engine is loaded once and kept for the life of the process; after a fork the child loads its own, since threads do
not come along.
"""

from __future__ import annotations

import os

from ...errors import ConfigurationError, MissingExtraError
from .folder import located

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Protocol

    from .folder import SentenceModel

    class Engine(Protocol):
        """A loaded model. Safe to use from several threads."""

        model: SentenceModel

        def count(self, texts: Sequence[str]) -> list[int]:
            """The tokens of each text, uncut."""
            ...

        def encode(self, texts: Sequence[str]) -> list[list[float]]:
            """A vector for each text; what lies beyond the model's limit is cut off."""
            ...


_engines: dict[tuple[int, str], Engine] = {}


def engine(name: str) -> Engine:
    """The engine of a model, loading it at the first call.

    Raises `ConfigurationError` for a model that is not here, `MissingExtraError` when nothing is installed to run it.
    """
    key = (os.getpid(), name)
    if key not in _engines:
        with _lock():
            if key not in _engines:
                _engines[key] = _loaded(located(name))
    return _engines[key]


def _loaded(model: SentenceModel) -> Engine:
    if model.graph is not None and _installed("onnxruntime"):
        from .onnx import OnnxEngine

        return OnnxEngine(model)
    if _installed("sentence_transformers"):
        from .sbert import SentenceTransformersEngine

        return SentenceTransformersEngine(model)
    if model.graph is not None:
        raise MissingExtraError("A local embedding model", "embeddings-onnx")
    if _installed("onnxruntime"):
        raise ConfigurationError(
            f"The embedding model {model.id!r} is not on this machine.",
            fix="Run: lambdallm local pull --embeddings. Or name a folder with an ONNX graph.",
        )
    raise MissingExtraError("Local embeddings", "embeddings-onnx")


def _installed(package: str) -> bool:
    from importlib.util import find_spec

    return find_spec(package) is not None


_locks: dict[int, Any] = {}


def _lock() -> Any:
    """This process's lock: a parent's may be held by a thread that a fork left behind."""
    from threading import Lock

    return _locks.setdefault(os.getpid(), Lock())
