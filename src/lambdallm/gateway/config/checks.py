"""What no table can tell of a gateway's settings: names that mean nothing, options nobody has, circles.

Nothing is opened but the files of definitions that the settings name; no secret is read.
"""

from __future__ import annotations

import os

from ...core.config.kinds import Problem
from ...core.config.reading import unknown_providers
from ...llm.catalog.definition import suggestion
from ...llm.catalog.loader import Catalog
from ...llm.catalog.resolve import resolve
from ...llm.errors import LambdaLLMError
from .fields import STRATEGIES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    from ...core.config.kinds import Path


def mistakes(values: Mapping[str, Any], folder: str, environ: Mapping[str, str]) -> Iterator[Problem]:
    """What is wrong with the settings as a whole. Files in them are below `folder`."""
    wrong = list(_files(values, folder))
    yield from wrong
    if wrong:
        return  # what they define is not known
    try:
        known = catalog_with(tuple(os.path.join(folder, each) for each in values.get("providers") or ()), environ)
        for name in known.own_names():
            known.find(name)
    except LambdaLLMError as error:
        yield _problem(("providers",), error)
        return
    if keys := values.get("api_keys"):
        yield from unknown_providers(keys, known.names())
    models = values.get("models") or {}
    for name in models:
        yield from _of_model(name, models, known)
    yield from _filters(values.get("filters") or {}, ("filters",))
    yield from _default(values, models)
    yield from _stores(values)
    yield from _servers(values)


def catalog_with(places: tuple[str, ...], environ: Mapping[str, str]) -> Catalog:
    """The catalog, with these files and folders of definitions over the project's own."""
    own = os.path.join(environ.get("LAMBDA_TASK_ROOT") or os.getcwd(), "providers")
    return Catalog(environ, (own, *places))


def _files(values: Mapping[str, Any], folder: str) -> Iterator[Problem]:
    for at, place in enumerate(values.get("providers") or ()):
        if not os.path.exists(os.path.join(folder, place)):
            yield Problem(("providers", at), f"there is no {place!r} beside this file.", "Correct the path.")


def _of_model(name: str, models: Mapping[str, Any], known: Catalog) -> Iterator[Problem]:
    given = models[name]
    path: Path = ("models", name)
    if isinstance(given, dict):
        if ("target" in given) == ("group" in given):
            said = f"the model {name!r} has {'both a' if 'target' in given else 'neither'} target and a group."
            yield Problem(path, said.replace("neither target and", "neither a target nor"), "Give it one of them.")
            return
        yield from _strategy(given, path)
        yield from _tried(lambda: _fallback(given.get("on_error")), (*path, "on_error"))
        yield from _filters(given.get("filters") or {}, (*path, "filters"))
        if "group" in given and (left := [each for each in _OF_ONE if each in given]):
            fix = "Give it to the targets of the group."
            yield Problem((*path, left[0]), f"{left[0]!r} is for one target, and {name!r} has a group.", fix)
    for place, target in _targets(given, path):
        yield from _target(place, target, models, known)
    circle = _circle(name, models)
    if circle is not None and name == next(each for each in models if each in circle):  # each circle is told once
        yield Problem(path, f"{' → '.join(circle)} is a circle.", "Have one of them name a model of a provider.")


_OF_ONE = (
    "engine", "api_key", "base_url", "wire", "timeout_seconds", "options", "max_retries", "requests_per_minute",
    "tokens_per_minute", "max_concurrency", "failure_threshold", "recovery_seconds",
)  # fmt: skip


def _targets(given: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """Each target of a model, as text or as a mapping, and where it stands."""
    if isinstance(given, str):
        yield path, given
        return
    if "target" in given:
        yield (*path, "target"), {name: given[name] for name in ("target", "engine", "wire") if name in given}
    for field in ("group", "fallbacks"):
        for at, target in enumerate(given.get(field) or ()):
            yield (*path, field, at), target


def _target(path: Path, given: Any, models: Mapping[str, Any], known: Catalog) -> Iterator[Problem]:
    target = given if isinstance(given, str) else given.get("target")
    if target is None:
        yield Problem(path, "this target names no model.", "Write target: provider/model.")
        return
    if target in models or (isinstance(given, dict) and given.get("engine") == "litellm"):
        return
    try:
        found = resolve(target, known)
    except LambdaLLMError as error:
        yield Problem(path, error.message, error.fix)
        return
    if isinstance(given, dict) and (wire := given.get("wire")):
        from ...llm.call import codec_named

        yield from _tried(lambda: codec_named(wire), path)
    if not found.wire and not found.provider.embedding_wire:
        yield Problem(path, f"{found.name!r} is spoken to by no protocol.", "Choose another model.")


def _circle(name: str, models: Mapping[str, Any]) -> list[str] | None:
    """The names that lead from a model back to itself."""
    trails = [[name]]
    seen: set[str] = set()
    while trails:
        trail = trails.pop()
        for _, target in _targets(models[trail[-1]], ()):
            word = target if isinstance(target, str) else target.get("target")
            if word == name:
                return [*trail, name]
            if word in models and word not in seen:
                seen.add(word)
                trails.append([*trail, word])
    return None


def _strategy(given: Mapping[str, Any], path: Path) -> Iterator[Problem]:
    if (strategy := given.get("strategy")) is None:
        return
    where = (*path, "strategy")
    if isinstance(strategy, dict) and len(strategy) != 1:
        yield Problem(where, "a model has one strategy.", "Write its name, or {name: {option: value}}.")
        return
    name, options = (strategy, {}) if isinstance(strategy, str) else next(iter(strategy.items()))
    if name not in STRATEGIES:
        yield Problem(where, f"no strategy is called {name!r}.", suggestion(name, STRATEGIES))
        return
    if "group" not in given:
        yield Problem(where, "a strategy chooses among several targets, and there is one.", "Write group: […].")
    from ...llm.routing.factory import strategy_named

    yield from _tried(lambda: strategy_named(name, **(options or {})), where)


def _fallback(on_error: Any) -> object:
    from ...llm.routing.fallback import fallback_of

    return fallback_of(on_error)


def _filters(given: Mapping[str, Any], path: Path) -> Iterator[Problem]:
    from ..filtering import filter_named
    from .load import named

    for way in ("input", "output"):
        for at, each in enumerate(given.get(way) or ()):
            where = (*path, way, at)
            if isinstance(each, dict) and len(each) != 1:
                yield Problem(where, "one filter has one name.", "Write a list item for each.")
                continue
            one = named(each)
            yield from _tried(lambda one=one: filter_named(one), where)  # type: ignore[misc]  # bound at once


def _default(values: Mapping[str, Any], models: Mapping[str, Any]) -> Iterator[Problem]:
    name = values.get("default_model")
    if name is not None and models and name not in models and not values.get("expose"):
        yield Problem(("default_model",), f"no model here is called {name!r}.", suggestion(name, models))


_PLACES = {
    "usage": ("memory", "sqlite", "dynamodb", "redis", "rediss"),
    "cache": ("memory", "dynamodb", "redis", "rediss"),
}


def _stores(values: Mapping[str, Any]) -> Iterator[Problem]:
    for section, kinds in _PLACES.items():
        held = values.get(section)
        store = held.get("store") if isinstance(held, dict) else None
        kind = None if store is None else store.partition(":")[0]
        if kind is not None and kind not in kinds:
            fix = f"Write one of {', '.join(kinds)}, with its place behind a colon."
            yield Problem((section, "store"), f"{section}.store names no store.", fix)
    keys = values.get("keys") or {}
    if keys.get("store") == "cognito" and not keys.get("pool"):
        yield Problem(("keys", "store"), "keys in Cognito need a user pool.", "Write pool: region_Id.")


def _servers(values: Mapping[str, Any]) -> Iterator[Problem]:
    for name, server in ((values.get("mcp") or {}).get("servers") or {}).items():
        if not str(server.get("url", "")).startswith(("https://", "http://")):
            fix = "Write url: https://…"
            yield Problem(("mcp", "servers", name), f"the server {name!r} has no address.", fix)


def _tried(make: Callable[[], object], path: Path) -> Iterator[Problem]:
    """What is wrong with something, by making it."""
    try:
        make()
    except LambdaLLMError as error:
        yield _problem(path, error)
    except TypeError as error:
        yield Problem(path, f"its options don't fit: {error}.", "Check their names.")


def _problem(path: Path, error: LambdaLLMError) -> Problem:
    return Problem(path, error.message, error.fix)
