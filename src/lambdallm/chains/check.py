"""Whether the steps of a chain fit together: every reference leads to an input, or to a step that comes before.

Pure. Found when a chain is made, so that no run is paid for that can't end. What depends on a run (which inputs it is
given, what a model answers) is seen there.
"""

from __future__ import annotations

from .._value import Value
from ..llm.errors import ConfigurationError, PromptError
from .calling import GIVEN, parameters
from .references import Reference, Template, suggestion
from .step import Map, Parallel, Step

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from .step import Node

_ITEM = ("item", "index")


class Needs(Value):
    """What a chain wants of a run.

    `variables` are the inputs it can't do without, `optional` those it can; `open` says it may look at any other.
    """

    variables: tuple[str, ...]
    optional: tuple[str, ...]
    open: bool


def names(nodes: Iterable[Node]) -> Iterator[str]:
    """The names that references in a chain can say: those of its steps, of its groups, and of the steps in groups."""
    for node in nodes:
        if isinstance(node, Parallel):
            yield from names(node.steps)
        yield node.name


def checked(chain: str, nodes: Sequence[Node], inputs: Iterable[str] | None) -> Needs:
    """What the steps need. Raises `PromptError` and `ConfigurationError` naming the step and the nearest name.

    `inputs` are the names that a run may be given, where the chain declares them.
    """
    declared = None if inputs is None else tuple(inputs)
    _unique(chain, [*names(nodes), *(declared or ())])
    walk = _Walk(chain, nodes, declared)
    walk.sequence(nodes)
    wanted = dict.fromkeys(walk.variables)
    return Needs(tuple(wanted), tuple(name for name in dict.fromkeys(walk.optional) if name not in wanted), walk.open)


def _unique(chain: str, found: list[str]) -> None:
    twice = [name for at, name in enumerate(found) if name in found[:at]]
    if twice:
        raise ConfigurationError(
            f"Chain {chain!r} has {twice[0]!r} twice.", fix="Give every step, group and input a name of its own."
        )


class _Walk:
    """Goes through the steps in their order, and knows which outputs there are by then."""

    def __init__(self, chain: str, nodes: Sequence[Node], declared: tuple[str, ...] | None) -> None:
        self.chain, self.declared = chain, declared
        self.all = {name: node for node in nodes for name, node in _flat(node)}
        self.seen: set[str] = set()
        self.variables: list[str] = []
        self.optional: list[str] = []
        self.open = False

    def sequence(self, nodes: Sequence[Node]) -> None:
        for node in nodes:
            self.node(node, node.name, ())
            self.seen.update(name for name, _ in _flat(node))

    def node(self, node: Node, name: str, own: tuple[str, ...]) -> None:
        if node.condition is not None:
            self.function(node.condition, f"The condition of {name!r}", name, own)
        if isinstance(node, Parallel):
            for member in node.steps:
                self.node(member, member.name, own)
        elif isinstance(node, Map):
            if isinstance(node.over, Template):
                self.template(node.over, name, own)
            self.node(node.step, name, (*own, *_ITEM))
        else:
            self.step(node, name, own)

    def step(self, step: Step, name: str, own: tuple[str, ...]) -> None:
        for value in step.inputs.values():
            if isinstance(value, Template):
                self.template(value, name, own)
        own = (*own, *step.inputs)
        for reference in step.references.values():
            known = reference.name in own or reference.name in self.all
            if reference.name in step.optional and not known:
                self.optional.append(reference.name)
            else:
                self.reference(reference, name, own)
        if step.func is not None:
            self.function(step.func, f"The function of step {name!r}", name, own)
        if step.chain is not None:
            self.open = self.open or step.chain.needs.open
            for variable in step.chain.needs.variables:
                self.reference(Reference(variable), name, own)
            self.optional += [one for one in step.chain.needs.optional if one not in own and one not in self.all]

    def template(self, text: Template, name: str, own: tuple[str, ...]) -> None:
        for reference in text.references.values():
            self.reference(reference, name, own)

    def function(self, function: Callable[..., Any], who: str, name: str, own: tuple[str, ...]) -> None:
        wanted = parameters(function)
        self.open = self.open or wanted.takes_everything
        for parameter in wanted.required:
            if parameter in GIVEN or (parameter == wanted.sole and parameter not in self.all):
                continue
            self.reference(Reference(parameter), name, own, who)

    def reference(self, reference: Reference, name: str, own: tuple[str, ...], who: str = "") -> None:
        """One value that a step asks for."""
        asks = f"{who or f'Step {name!r}'} of chain {self.chain!r} asks for {{{reference}}}"
        if reference.name in own:
            return
        if reference.name in self.seen:
            _check_fields(self.all[reference.name], reference, asks)
        elif reference.name in self.all:
            raise PromptError(f"{asks}: {self.why_not_yet(reference.name, name)}.", fix=_LATER)
        elif reference.fields and reference.name not in (self.declared or ()):
            near = suggestion(reference.name, [*self.seen, *own]) if self.seen or own else "It is the first step."
            fix = f"{near} An input that has fields is declared: Chain(…, inputs=[{reference.name!r}])."
            raise PromptError(f"{asks}, and no step is named {reference.name!r}.", fix=fix)
        elif self.declared is not None and reference.name not in self.declared:
            fix = suggestion(reference.name, [*self.declared, *self.seen, *own])
            raise PromptError(f"{asks}, which is no input and no step.", fix=fix)
        else:
            self.variables.append(reference.name)

    def why_not_yet(self, asked: str, name: str) -> str:
        if asked == name:
            return "that is its own output"
        way = self.way(asked, name, ())
        if way:
            return f"the steps go in a circle, {' → '.join((name, *way))}"
        group = next(
            (one for one in self.all.values() if isinstance(one, Parallel) and {asked, name} <= _inside(one)), None
        )
        if group is not None:
            return f"{asked!r} runs beside it, in {group.name!r}"
        return f"{asked!r} comes later"

    def way(self, start: str, end: str, gone: tuple[str, ...]) -> tuple[str, ...]:
        """The names from a step to another that it asks for, by way of others; empty where there is none."""
        for asked in sorted(_asked(self.all[start])):
            if asked == end:
                return (*gone, start, end)
            if asked in self.all and asked not in (*gone, start):
                found = self.way(asked, end, (*gone, start))
                if found:
                    return found
        return ()


_LATER = "Put that step before it, or ask for another value."


def _flat(node: Node) -> Iterator[tuple[str, Node]]:
    """The names a node defines for the steps after it."""
    if isinstance(node, Parallel):
        for member in node.steps:
            yield from _flat(member)
    yield node.name, node


def _inside(node: Parallel) -> set[str]:
    return {name for name, _ in _flat(node)}


def _asked(node: Node) -> set[str]:
    """The names that a node's templates and functions say."""
    if isinstance(node, Parallel):
        return {name for member in node.steps for name in _asked(member)}
    step: Step = node.step if isinstance(node, Map) else node
    templates = [value for value in step.inputs.values() if isinstance(value, Template)]
    if isinstance(node, Map) and isinstance(node.over, Template):
        templates.append(node.over)
    found = {one.name for text in templates for one in text.references.values()}
    found |= {one.name for one in step.references.values()}
    for function in (step.func, step.condition):
        found |= set(parameters(function).required) if function is not None else set()
    return found | set(step.chain.needs.variables if step.chain is not None else ())


def _check_fields(node: Node, reference: Reference, asks: str) -> None:
    """Whether what a node gives can have that field, as far as is known before it runs."""
    if not reference.way:
        return
    field = reference.way[0]
    known = _known_fields(node)
    if known is not None and field not in known:
        fix = (
            suggestion(field, known) if known else f"Refer to {{{reference.name}.output}}, or give it an output_schema."
        )
        gives = "has no such field" if known else "gives text"
        raise PromptError(f"{asks}, and {reference.name!r} {gives}.", fix=fix)


def _known_fields(node: Node) -> list[str] | None:
    """The fields of a node's output: none of a text, `None` where that is not known before it runs."""
    if isinstance(node, Parallel):
        return list(_inside(node) - {node.name})
    if isinstance(node, Map) or node.default is not None:
        return None
    shape = node.output_schema
    if node.prompt is not None:
        shape = shape if shape is not None else node.prompt.output_schema
        if shape is None:
            return []
    return _fields_of_shape(shape)


def _fields_of_shape(shape: Any) -> list[str] | None:
    if hasattr(type(shape), "keys"):
        from ..llm.structured.schema import json_schema

        schema: Mapping[str, Any] = json_schema(shape)
        properties = schema.get("properties")
        return list(properties) if properties and schema.get("additionalProperties") is False else None
    fields = getattr(shape, "__dataclass_fields__", None) or getattr(shape, "model_fields", None)
    return list(fields) if fields else None
