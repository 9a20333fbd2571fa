"""What a chain does next, given what is done: a tree of sequences, groups and maps that hands out work.

Pure: it is told outcomes, and knows no clock, model, store or money. Whoever drives it takes work, has it done in any
order, and says what it gave; the outputs are the same for every order. Values that a step may see are those of the
steps before its group, never of those beside it.
"""

from __future__ import annotations

from collections import deque

from .._value import Value
from ..llm.errors import ConfigurationError
from .references import Scope, Template
from .step import Map, Parallel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, Literal

    from .step import Node, Step

    Done = Callable[["Ended"], None]


class Work(Value):
    """Something to do. `path` names it within the run: `facts`, `review/grade` in a chain, `summaries/3` in a map.

    `decide` wants to know whether the node's condition holds, `run` what its step gives.
    """

    kind: Literal["decide", "run"]
    path: str
    node: Any
    scope: Scope
    told: Any
    """Whoever waits for it; the plan's own."""


class Ended(Value):
    """What a node gave. `outputs` are the names that it defines for those after it."""

    output: Any
    outputs: Mapping[str, Any]
    skipped: bool = False


class Plan:
    """The work of one run. `take` gives the next piece, `decided` and `finished` say what came of one."""

    def __init__(self, steps: Sequence[Node], inputs: Mapping[str, Any]) -> None:
        self._ready: deque[Work] = deque()
        self.ended: Ended | None = None
        """What the chain gave, when nothing is left to do."""
        self._root = _Sequence(self, steps, inputs, "", self._end)

    def begin(self) -> None:
        """Find the first work. Raises, as `decided`, `skipped` and `finished` do, for a value that is not there."""
        self._root.proceed()

    @property
    def outputs(self) -> Mapping[str, Any]:
        """The outputs so far, by the names of the chain's own steps and groups."""
        return self._root.outputs

    @property
    def output_so_far(self) -> Any:
        """The output of the last step that has ended."""
        return self._root.output

    def take(self) -> Work | None:
        """The next piece of work; `None` where all waits for what is under way."""
        return self._ready.popleft() if self._ready else None

    def decided(self, work: Work, holds: bool) -> None:
        """Whether the condition holds. A node whose condition does not is skipped."""
        if holds:
            self._enter(work.node, work.path, work.scope, work.told)
        else:
            self.skipped(work)

    def skipped(self, work: Work) -> None:
        """The node is not done, nor anything in it: its `default` is its output."""
        output = _skipped_output(work.node)
        work.told(Ended(output, _skipped_names(work.node), skipped=True))

    def finished(self, work: Work, output: Any) -> None:
        """What a step gave."""
        work.told(Ended(output, {work.node.name: output}))

    def add(self, node: Node, path: str, scope: Scope, told: Done) -> None:
        """A node whose turn it is."""
        if node.condition is not None:
            self._ready.append(Work("decide", path, node, scope, told))
        else:
            self._enter(node, path, scope, told)

    def _enter(self, node: Node, path: str, scope: Scope, told: Done) -> None:
        if isinstance(node, Parallel):
            _Group(self, node, path, scope, told).proceed()
        elif isinstance(node, Map):
            _Items(self, node, path, scope, told).proceed()
        elif node.chain is None:
            self._ready.append(Work("run", path, node, bound(node, scope), told))
        else:
            self._enter_chain(node, path, bound(node, scope), told)

    def _enter_chain(self, step: Step, path: str, scope: Scope, told: Done) -> None:
        chain: Any = step.chain
        needs, given = chain.needs, scope.all()
        wanted = given if needs.open else (*needs.variables, *needs.optional)
        inputs = {name: given[name] for name in wanted if name in given and name not in chain.names}

        def end(ended: Ended) -> None:
            told(Ended(ended.output, {step.name: ended.output}))

        _Sequence(self, chain.steps, inputs, f"{path}/", end).proceed()

    def _end(self, ended: Ended) -> None:
        self.ended = ended


class _Beside:
    """Nodes side by side, some at a time. What ends at once is no recursion."""

    def __init__(self, count: int, limit: int | None) -> None:
        self._count, self._limit = count, limit or count
        self._begun = self._open = 0
        self._proceeding = False

    def proceed(self) -> None:
        """Begin what may begin; end where nothing is left."""
        if self._proceeding:
            return
        self._proceeding = True
        try:
            while self._begun < self._count and self._open < self._limit:
                self._begun += 1
                self._open += 1
                self._begin(self._begun - 1)
        finally:
            self._proceeding = False
        if self._begun == self._count and not self._open:
            self._end()

    def _one_ended(self) -> None:
        self._open -= 1
        self.proceed()

    def _begin(self, at: int) -> None:
        raise NotImplementedError

    def _end(self) -> None:
        raise NotImplementedError


class _Sequence(_Beside):
    """The steps of a chain: side by side, one at a time. Its output is that of the last that was not skipped."""

    def __init__(self, plan: Plan, steps: Sequence[Node], inputs: Mapping[str, Any], inside: str, told: Done) -> None:
        super().__init__(len(steps), 1)
        self._plan, self._steps, self._inputs, self._inside, self._told = plan, steps, inputs, inside, told
        self.output: Any = None
        self.outputs: dict[str, Any] = {}

    def _begin(self, at: int) -> None:
        node = self._steps[at]
        scope = Scope(self._inputs, dict(self.outputs), {})
        self._plan.add(node, self._inside + node.name, scope, self._take)

    def _take(self, ended: Ended) -> None:
        self.outputs.update(ended.outputs)
        if not ended.skipped or ended.output is not None:
            self.output = ended.output
        self._one_ended()

    def _end(self) -> None:
        self._told(Ended(self.output, self.outputs))


class _Group(_Beside):
    """The steps of a `Parallel`."""

    def __init__(self, plan: Plan, group: Parallel, path: str, scope: Scope, told: Done) -> None:
        super().__init__(len(group.steps), group.concurrency)
        self._plan, self._group, self._scope, self._told = plan, group, scope, told
        self._inside = path[: len(path) - len(group.name)]
        self._ended: dict[str, Ended] = {}

    def _begin(self, at: int) -> None:
        node = self._group.steps[at]

        def told(ended: Ended) -> None:
            self._ended[node.name] = ended
            self._one_ended()

        self._plan.add(node, self._inside + node.name, self._scope, told)

    def _end(self) -> None:
        ended = [self._ended[node.name] for node in self._group.steps]
        outputs = {name: value for one in ended for name, value in one.outputs.items()}
        self._told(Ended(outputs, {**outputs, self._group.name: outputs}))


class _Items(_Beside):
    """The items of a `Map`."""

    def __init__(self, plan: Plan, node: Map, path: str, scope: Scope, told: Done) -> None:
        self._items = _items(node, scope)
        super().__init__(len(self._items), node.concurrency)
        self._plan, self._node, self._path, self._scope, self._told = plan, node, path, scope, told
        self._outputs: list[Any] = [None] * len(self._items)

    def _begin(self, at: int) -> None:
        def told(ended: Ended) -> None:
            self._outputs[at] = ended.output
            self._one_ended()

        scope = self._scope.with_own({"item": self._items[at], "index": at})
        self._plan.add(self._node.step, f"{self._path}/{at}", scope, told)

    def _end(self) -> None:
        self._told(Ended(self._outputs, {self._node.name: self._outputs}))


def bound(step: Step, scope: Scope) -> Scope:
    """The scope with the names that the step's `inputs` give."""
    if not step.inputs:
        return scope
    own = {name: value.value(scope) if isinstance(value, Template) else value for name, value in step.inputs.items()}
    return scope.with_own(own)


def _items(node: Map, scope: Scope) -> list[Any]:
    over = node.over.value(scope) if isinstance(node.over, Template) else node.over
    if over is None:
        return []
    if hasattr(type(over), "keys"):
        return [{"key": key, "value": over[key]} for key in over]
    if isinstance(over, (list, tuple)):
        return list(over)
    raise ConfigurationError(
        f"Map {node.name!r} goes over {type(over).__name__} {over!r:.60}.",
        fix="Refer to a list; an output_schema such as {'parts': [str]} makes a model give one.",
    )


def _skipped_output(node: Node) -> Any:
    return None if isinstance(node, Parallel) else node.default


def _skipped_names(node: Node) -> dict[str, Any]:
    """What the names of a node that was skipped are."""
    if not isinstance(node, Parallel):
        return {node.name: node.default}
    inner = {name: value for member in node.steps for name, value in _skipped_names(member).items()}
    return {**inner, node.name: inner}
