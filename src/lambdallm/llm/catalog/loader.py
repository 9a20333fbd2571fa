"""Find definitions on the search path and read them, each file once while it is unchanged.

Reads only what a question needs: asking for `openai` opens `openai.json` and the project's own files.
"""

from __future__ import annotations

import json
import os

from ..errors import ConfigurationError, UnknownProviderError
from .definition import ProviderDefinition, provider_definition, suggestion

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from .resolve import Target

    Entry = dict[str, Any]

_BUILT_IN = os.path.dirname(__file__)
_CLAIMS = "model_prefixes.json"
"""The `model_prefixes` of every built-in definition and whose they are; `scripts/update_models.py` writes it."""

_MERGED = ("models", "facts", "families", "paths", "headers", "variables", "endpoints")


class Catalog:
    """Every definition on one search path.

    `folders` are read after the built-in ones; `environ` names further places in `LAMBDALLM_PROVIDERS`, separated as
    in `PATH`.
    """

    def __init__(self, environ: Mapping[str, str] | None = None, folders: tuple[str, ...] | None = None) -> None:
        environ = os.environ if environ is None else environ
        if folders is None:
            folders = (os.path.join(environ.get("LAMBDA_TASK_ROOT") or os.getcwd(), "providers"),)
        named = [place for place in environ.get("LAMBDALLM_PROVIDERS", "").split(os.pathsep) if place]
        for place in named:
            if not os.path.exists(place):
                fix = "Correct the variable: files or folders, separated as in PATH."
                raise ConfigurationError(f"LAMBDALLM_PROVIDERS names {place!r}, which does not exist.", fix=fix)
        self._own = [entry for place in (*folders, *named) for entry in _entries_at(place)]
        self._definitions: dict[str, ProviderDefinition | None] = {}
        self.targets: dict[str, Target] = {}
        """What `resolve` found, by name."""
        self._claims: list[tuple[str, str]] | None = None

    def find(self, name: str) -> ProviderDefinition | None:
        """The definition of that name, or `None`. Raises `ConfigurationError` for a file that can't be read."""
        if name not in self._definitions:
            entry = self._entry(name)
            self._definitions[name] = None if entry is None else provider_definition(name, entry)
        return self._definitions[name]

    def provider(self, name: str) -> ProviderDefinition:
        """The definition of that name. Raises `UnknownProviderError` naming the nearest ones."""
        found = self.find(name)
        if found is None:
            raise UnknownProviderError(f"No provider is called {name!r}.", fix=suggestion(name, self.names()))
        return found

    def names(self) -> list[str]:
        """The names of all definitions, sorted."""
        built_in = (file[:-5] for file in os.listdir(_BUILT_IN) if file.endswith(".json") and file != _CLAIMS)
        return sorted({*built_in, *self.own_names()})

    def own_names(self) -> list[str]:
        """The names of the definitions that are not built in, or not only."""
        return sorted({name for name, _ in self._own})

    def claimant(self, model: str) -> str | None:
        """The name of the provider whose `model_prefixes` a model's id begins with, the longest of them first.

        Those built in are kept in one file, so that nothing else is read.
        """
        if self._claims is None:
            claims: dict[str, str] = _read(_CLAIMS) or {}
            claims |= {prefix: name for name, entry in self._own for prefix in _prefixes(entry)}
            self._claims = sorted(claims.items(), key=lambda claim: -len(claim[0]))
        return next((name for prefix, name in self._claims if model.startswith(prefix)), None)

    def all(self) -> Iterator[ProviderDefinition]:
        """Every definition, by name."""
        return (self.provider(name) for name in self.names())

    def _entry(self, name: str) -> Entry | None:
        entry = None
        if name.replace("-", "").replace("_", "").isalnum() and f"{name}.json" != _CLAIMS:
            entry = _read(f"{name}.json")
        for own, overlay in self._own:
            if own == name:
                entry = _overlaid(entry, overlay)
        return entry


def _overlaid(base: Entry | None, top: Entry) -> Entry:
    """One definition over another: what the upper one says wins, tables and models are merged key by key."""
    if base is None or "request_transformer" in top:
        return top
    merged = {k: {**base.get(k, {}), **top[k]} for k in _MERGED if isinstance(top.get(k), dict)}
    for id, facts in merged.get("models", {}).items():
        below = base.get("models", {}).get(id)
        if isinstance(below, dict) and isinstance(facts, dict):
            merged["models"][id] = {**below, **facts}
    return {**base, **top, **merged}


def _prefixes(entry: Entry) -> tuple[str, ...]:
    named = entry.get("model_prefixes", ())
    return (named,) if isinstance(named, str) else tuple(named)


def _read(file_name: str) -> Entry | None:
    try:
        with open(os.path.join(_BUILT_IN, file_name), "rb") as file:
            entry: Entry = json.loads(file.read())
            return entry
    except FileNotFoundError:
        return None


def _entries_at(place: str) -> list[tuple[str, Entry]]:
    """The definitions in a file, or in the JSON files of a folder, in the order of their names."""
    if os.path.isdir(place):
        files = sorted(file for file in os.listdir(place) if file.endswith(".json"))
        return [entry for file in files for entry in _entries_in(os.path.join(place, file))]
    return _entries_in(place) if os.path.isfile(place) else []


def _entries_in(path: str) -> list[tuple[str, Entry]]:
    try:
        with open(path, "rb") as file:
            content = json.loads(file.read())
    except ValueError as error:
        raise ConfigurationError(f"{path} is not JSON: {error}.", fix="Correct the file.") from error
    if not isinstance(content, dict):
        raise ConfigurationError(f"{path} holds no JSON object.", fix="Define one provider, or several by name.")
    if any(field in content for field in ProviderDefinition._fields):
        stem = os.path.basename(path).removesuffix(".json")
        return [(content.get("name", stem), content)]
    several = list(content.items())
    for name, entry in several:
        if not isinstance(entry, dict):
            raise ConfigurationError(f"{path}: {name!r} is {entry!r}.", fix="A definition is a JSON object.")
    return several


_cached: dict[tuple[str, str, str], Catalog] = {}


def catalog() -> Catalog:
    """The catalog of this environment, read once for each value of the variables it depends on."""
    key = (os.environ.get("LAMBDALLM_PROVIDERS", ""), os.environ.get("LAMBDA_TASK_ROOT", ""), os.getcwd())
    if key not in _cached:
        _cached[key] = Catalog()
    return _cached[key]
