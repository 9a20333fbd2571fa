"""What the folder of a sentence embedding model says: where its graph lies, how token vectors become one.

The layout is that of sentence-transformers, as model hubs have it: `tokenizer.json`, `1_Pooling/config.json`,
`modules.json`, `sentence_bert_config.json`, and the ONNX graph in `onnx/` or beside them. What a folder does not say is
as in all-MiniLM-L6-v2: the mean, of length one, of at most 256 tokens.
"""

from __future__ import annotations

import json
import os

from ...._value import Value
from ...clients.model_file import MINILM, pulled_path
from ...errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_DEFAULT = MINILM[0].id
_NAMES = (_DEFAULT, f"sentence-transformers/{_DEFAULT}")
_GRAPHS = ("onnx/model.onnx", "model.onnx", "onnx/model_quantized.onnx", "model_quantized.onnx")
_POOLINGS = (("pooling_mode_cls_token", "cls"), ("pooling_mode_max_tokens", "max"))


class SentenceModel(Value):
    """A model to run: `place` is its folder, or the name under which a hub knows it.

    `graph` is the ONNX file, `None` where there is none; `pooling` is `mean`, `cls` or `max`.
    """

    id: str
    place: str
    graph: str | None = None
    max_tokens: int = 256
    pooling: str = "mean"
    normalize: bool = True


def is_sentence_model(name: object) -> bool:
    """Whether a model's name means an embedding model of its own: the default one, a folder, a hub's `owner/name`."""
    return isinstance(name, str) and (name in _NAMES or "/" in name or os.path.isdir(name))


def located(name: str, environ: Mapping[str, str] | None = None) -> SentenceModel:
    """The model of that name. Raises `ConfigurationError` for a folder that holds none."""
    ours = name in _NAMES
    folder = os.path.dirname(pulled_path(environ, MINILM[0])) if ours else os.path.expanduser(name)
    if not os.path.isdir(folder):
        return SentenceModel(_DEFAULT, _NAMES[1]) if ours else SentenceModel(name, name)
    return _described(_DEFAULT if ours else os.path.basename(os.path.normpath(folder)), folder)


def _described(id: str, folder: str) -> SentenceModel:
    graph = next((path for name in _GRAPHS if os.path.isfile(path := os.path.join(folder, name))), None)
    pooling = _read(folder, "1_Pooling/config.json")
    limit = _read(folder, "sentence_bert_config.json").get("max_seq_length")
    return SentenceModel(
        id,
        folder,
        graph,
        limit if type(limit) is int else 256,
        next((word for key, word in _POOLINGS if pooling.get(key)), "mean"),
        _normalizes(folder),
    )


def _normalizes(folder: str) -> bool:
    """Whether the last module makes vectors of length one; without a list of modules, yes."""
    path = os.path.join(folder, "modules.json")
    return not os.path.isfile(path) or "Normalize" in json.dumps(_json(path))


def _read(folder: str, name: str) -> dict[str, Any]:
    path = os.path.join(folder, name)
    found = _json(path) if os.path.isfile(path) else {}
    return found if isinstance(found, dict) else {}


def _json(path: str) -> Any:
    try:
        with open(path, "rb") as file:
            return json.loads(file.read())
    except ValueError as error:
        raise ConfigurationError(f"{path!r} is not JSON: {error}.", fix="Fetch the model's folder again.") from error
