"""What a chain looks like, as digests: whether a checkpoint was written by the same chain, and if not, what differs.

Its names, their order, templates, shapes, and the names of functions count. What may change under a run does not: the
model, retries, limits of time and money, and the code inside a function.
"""

from __future__ import annotations

from .calling import function_name
from .outputs import plain
from .references import Template
from .step import Map, Parallel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from .step import Node

_PASSING = ("name", "version", "labels", "model", "max_tokens", "temperature")
"""What of a prompt may change under a run."""


def shape(nodes: Sequence[Node], inside: str = "") -> dict[str, dict[str, str]]:
    """For each step its facts as digests, in the steps' order."""
    return {path: {fact: digest(value) for fact, value in facts.items()} for path, facts in _described(nodes, inside)}


def digest(value: Any) -> str:
    """A few letters that stand for data."""
    import json
    from hashlib import sha256

    text = json.dumps(_ordered(value), sort_keys=True, default=repr, ensure_ascii=False)
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _ordered(value: Any) -> Any:
    """Data whose text is the same in every process: what has no order of its own is sorted."""
    if isinstance(value, dict):
        if all(isinstance(key, str) for key in value):
            return {key: _ordered(item) for key, item in value.items()}
        return sorted([repr(key), digest(item)] for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return [_ordered(item) for item in value]
    return sorted(map(repr, value)) if isinstance(value, (set, frozenset)) else value


def _described(nodes: Sequence[Node], inside: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for node in nodes:
        path = inside + node.name
        yield path, _facts(node)
        if isinstance(node, Parallel):
            yield from _described(node.steps, f"{path}|")
        elif (chain := (node.step if isinstance(node, Map) else node).chain) is not None:
            yield from _described(chain.steps, f"{path}/")


def _facts(node: Node) -> dict[str, Any]:
    found: dict[str, Any] = {"kind": node.kind}
    if node.condition is not None:
        found["condition"] = function_name(node.condition)
    if isinstance(node, Parallel):
        return found
    if isinstance(node, Map):
        found["list"] = _of_template(node.over)
        inner = {word: fact for word, fact in _facts(node.step).items() if word != "condition"}
        within = node.step.condition
        return {**inner, **found, **({"inner condition": function_name(within)} if within is not None else {})}
    if node.prompt is not None:
        prompt = {word: value for word, value in node.prompt.to_dict().items() if word not in _PASSING}
        own = prompt.pop("output_schema", None)
        found["output_schema"] = _of_shape(own if node.output_schema is None else node.output_schema)
        found["prompt"] = [prompt, {name: str(one) for name, one in node.references.items()}]
    elif node.func is not None:
        found |= {"function": function_name(node.func), "output_schema": _of_shape(node.output_schema)}
    found["inputs"] = {name: _of_template(value) for name, value in node.inputs.items()}
    found["default"] = _constant(node.default)
    return found


def _of_template(value: Any) -> Any:
    if not isinstance(value, Template):
        return _constant(value)
    return [value.text, {name: str(reference) for name, reference in value.references.items()}]


def _constant(value: Any) -> str:
    """A value as a text that other processes have too: of an object without words of its own, its type's name."""
    try:
        return repr(plain(value))
    except (TypeError, RecursionError):
        return f"{type(value).__module__}.{type(value).__qualname__}"


def _of_shape(given: Any) -> Any:
    if isinstance(given, type):
        return f"{given.__module__}.{given.__qualname__}"
    from ..llm.structured.schema import type_name

    return type_name(dict(given)) if hasattr(type(given), "keys") else repr(given)


def changes(old: Mapping[str, Mapping[str, str]], new: Mapping[str, Mapping[str, str]]) -> tuple[str, ...]:
    """What differs between two chains, in words; nothing where they are the same."""
    gone = [f"{path!r} is gone" for path in old if path not in new]
    added = [f"{path!r} is new" for path in new if path not in old]
    both = [path for path in old if path in new]
    changed = [f"the {fact} of {path!r}" for path in both for fact in _differing(old[path], new[path])]
    moved = not gone and not added and list(old) != list(new)
    return (*gone, *added, *changed, *(["the order of the steps"] if moved else []))


def _differing(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    return [fact for fact in dict.fromkeys((*old, *new)) if old.get(fact) != new.get(fact)]
