"""A chain as a picture, in Mermaid's language: https://mermaid.js.org/syntax/flowchart.html. Pure."""

from __future__ import annotations

from .references import Template
from .step import Map, Parallel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from .chain import Chain
    from .step import Node, Step


def picture(chain: Chain) -> str:
    """The chain from top to bottom. Prompts are boxes, functions are rounded, what has a condition is reached by a
    dashed line; groups, maps and chains within are boxes around their steps."""
    drawing = _Drawing()
    ends = drawing.sequence(chain.steps, ["start"], "")
    lines = [f'    start(["{_escaped(chain.name)}"])', *drawing.lines, '    finish(["end"])']
    return "\n".join(["flowchart TD", *lines, *(f"    {end} --> finish" for end in ends)]) + "\n"


class _Drawing:
    """Lines drawn so far; nodes are numbered, because names may be words of the language."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._count = 0

    def sequence(self, nodes: Sequence[Node], before: list[str], indent: str) -> list[str]:
        """Draw nodes after others; gives the last ones."""
        for node in nodes:
            before = self.node(node, before, indent)
        return before

    def node(self, node: Node, before: list[str], indent: str) -> list[str]:
        if isinstance(node, Parallel):
            id = self._open(f"{node.name} (side by side)", indent)
            ends = [end for member in node.steps for end in self.node(member, [], f"{indent}    ")]
        elif isinstance(node, Map):
            over = node.over.whole if isinstance(node.over, Template) else f"{len(node.over)} items"
            id = self._open(f"{node.name}, for each of {over}", indent)
            ends = self.node(node.step, [], f"{indent}    ")
        elif node.chain is not None:
            id = self._open(f"{node.name} (chain)", indent)
            ends = self.sequence(node.chain.steps, [], f"{indent}    ")
        else:
            return self._step(node, before, indent)
        self._put(f"{indent}end")
        self._arrows(node, before, id, indent)
        return [id] if ends else before

    def _step(self, step: Step, before: list[str], indent: str) -> list[str]:
        id, label = self._id(), _escaped(step.name)
        self._put(f'{indent}{id}["{label}"]' if step.prompt is not None else f'{indent}{id}("{label}")')
        self._arrows(step, before, id, indent)
        return [id]

    def _open(self, label: str, indent: str) -> str:
        id = self._id()
        self._put(f'{indent}subgraph {id}["{_escaped(label)}"]')
        return id

    def _arrows(self, node: Node, before: list[str], id: str, indent: str) -> None:
        for one in before:
            self._put(f"{indent}{one} -.->|if| {id}" if node.condition is not None else f"{indent}{one} --> {id}")

    def _put(self, line: str) -> None:
        self.lines.append(f"    {line}")

    def _id(self) -> str:
        self._count += 1
        return f"n{self._count}"


def _escaped(label: str) -> str:
    """A label between quotes: Mermaid reads entities there, and HTML."""
    marks = {"&": "#38;", '"': "#34;", "<": "#60;", ">": "#62;", "#": "#35;", "`": "#96;", "{": "#123;", "}": "#125;"}
    return "".join(marks.get(mark, mark) for mark in label)
