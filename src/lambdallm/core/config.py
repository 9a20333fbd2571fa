"""`lambdallm.yaml`: what applies to every handler of a project, below the environment and below what code says.

    model: openai/gpt-4o-mini
    fallback_model: local
    max_retries: 3

JSON is read too (`lambdallm.json`), and needs no package; YAML needs the extra `yaml`.
"""

from __future__ import annotations

import os

from .._value import Value
from ..llm.errors import ConfigurationError, MissingExtraError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike
    from typing import Any

FILES = ("lambdallm.yaml", "lambdallm.yml", "lambdallm.json")


class Config(Value):
    """A project's settings; `None` leaves the documented default."""

    model: str | None = None
    fallback_model: str | None = None
    timeout_strategy: str | None = None
    timeout_buffer: int | None = None
    max_retries: int | None = None
    max_tokens: int | None = None
    temperature: float | None = None


_KINDS: dict[str, tuple[str, tuple[type, ...]]] = {
    "model": ("text, such as openai/gpt-4o-mini", (str,)),
    "fallback_model": ("text, such as local", (str,)),
    "timeout_strategy": ("text", (str,)),
    "timeout_buffer": ("a whole number of seconds", (int,)),
    "max_retries": ("a whole number", (int,)),
    "max_tokens": ("a whole number", (int,)),
    "temperature": ("a number", (int, float)),
}


def load_config(path: str | PathLike[str] | None = None, environ: Mapping[str, str] | None = None) -> Config:
    """The settings of a project: the file's, with those of the environment (`LAMBDALLM_MODEL`, …) over them.

    Without a `path` it looks for `lambdallm.yaml`, `.yml` or `.json` in the function's folder (`LAMBDA_TASK_ROOT`, or
    the current one); no file is no settings. Raises `ConfigurationError` naming the file, the line or field.
    """
    environ = os.environ if environ is None else environ
    found = path or environ.get("LAMBDALLM_CONFIG") or _find(environ.get("LAMBDA_TASK_ROOT") or os.getcwd())
    values = _checked(read_mapping(found), str(found)) if found else {}
    return Config(**{**values, **_from_environment(environ)})


def read_mapping(path: str | PathLike[str]) -> dict[str, Any]:
    """The mapping in a YAML or JSON file. Raises `ConfigurationError` naming the file and the line."""
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except OSError as error:
        raise ConfigurationError(f"{path} can't be read: {error.strerror}.", fix="Check the path.") from error
    content = _parsed(text, str(path))
    if not isinstance(content, dict):
        raise ConfigurationError(
            f"{path} holds {content!r:.60}.", fix="Write fields and values, `model: openai/gpt-4o`."
        )
    return content


def _find(folder: str) -> str | None:
    places = (os.path.join(folder, name) for name in FILES)
    return next((place for place in places if os.path.isfile(place)), None)


def _parsed(text: str, path: str) -> Any:
    if path.endswith(".json") or text.lstrip().startswith("{"):
        import json

        try:
            return json.loads(text)
        except ValueError as error:
            raise ConfigurationError(f"{path} is not JSON: {error}.", fix="Correct that place.") from error
    try:
        import yaml
    except ImportError as error:
        raise MissingExtraError(f"Reading {path}", "yaml") from error
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{path}, line {mark.line + 1}, column {mark.column + 1}" if mark else path
        problem = getattr(error, "problem", None) or "it can't be read"
        raise ConfigurationError(f"{place}: invalid YAML: {problem}.", fix="Correct that line.") from error


def _checked(values: dict[str, Any], where: str) -> dict[str, Any]:
    for field, value in values.items():
        if field not in _KINDS:
            from ..llm.catalog.definition import suggestion

            raise ConfigurationError(f"{where} has an unknown field {field!r}.", fix=suggestion(str(field), _KINDS))
        words, kinds = _KINDS[field]
        if isinstance(value, bool) or not isinstance(value, kinds):
            raise ConfigurationError(f"{where}: {field} is {value!r}.", fix=f"It should be {words}.")
    return values


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    values = {}
    for field, (words, kinds) in _KINDS.items():
        name = f"LAMBDALLM_{field.upper()}"
        if text := environ.get(name):
            try:
                values[field] = kinds[-1](text)
            except ValueError as error:
                raise ConfigurationError(f"{name} is {text!r}.", fix=f"It should be {words}.") from error
    return values


_loaded: dict[tuple[object, ...], Config] = {}


def project_config() -> Config:
    """The settings of this environment, read once while the variables that decide them stay the same."""
    names = ("LAMBDALLM_CONFIG", "LAMBDA_TASK_ROOT", *(f"LAMBDALLM_{field.upper()}" for field in _KINDS))
    key = (os.getcwd(), *(os.environ.get(name) for name in names))
    if key not in _loaded:
        _loaded[key] = load_config()
    return _loaded[key]
