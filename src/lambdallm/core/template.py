"""Templates: `{name}` is replaced by a variable; `{user.name}` and `{items[0]}` by a part of one.

`{{` and `}}` are braces, as in `str.format`. A brace that opens no name stands as it is written, and so does the one
that closes it: a piece of JSON needs no escape. What a variable is replaced with is never read as a template.

A path leads through data alone: keys of mappings, indices of lists, declared fields of dataclasses, named tuples,
values and pydantic models; never through attributes, so that a template can't reach what its author was not given.

It compiles no regular expression: that takes longer than the rest of this module's import.
"""

from __future__ import annotations

from ..llm.errors import PromptError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from typing import Any, TypeAlias

    Path: TypeAlias = tuple[Any, ...]
    """The name of a variable, then names and indices that lead into it."""
    Piece: TypeAlias = str | Path

_MOST_KNOWN = 512
_LONG = 10**18
_known: dict[str, tuple[Piece, ...]] = {}


def variables(template: str) -> list[str]:
    """The names a template uses, in order, each once."""
    return list(dict.fromkeys(piece[0] for piece in pieces(template) if type(piece) is tuple))


def fill(template: str, values: Mapping[str, Any], label: str = "The prompt") -> str:
    """The template with its variables filled in.

    Raises `PromptError` naming the variables that are missing, or that the template does not use.
    """
    check_names(variables(template), values, label)
    return filled(template, values, label)


def filled(template: str, values: Mapping[str, Any], label: str) -> str:
    """The template filled in from values that may be more than it uses. Raises `PromptError`."""
    out: list[str] = []
    for piece in pieces(template):
        if isinstance(piece, str):
            out.append(piece)
        else:
            value = values[piece[0]] if len(piece) == 1 else _reached(piece, values, label)
            out.append(value if type(value) is str else _text(value, piece, label))
    return "".join(out)


def escape(text: str) -> str:
    """The text as a template that says it: its braces doubled."""
    return text.replace("{", "{{").replace("}", "}}")


def check_names(wanted: Collection[str], values: Mapping[str, Any], label: str, optional: Collection[str] = ()) -> None:
    """Raise `PromptError` naming the variables that are missing from the values, or that nothing uses."""
    missing = [name for name in wanted if name not in values and name not in optional]
    surplus = [name for name in values if name not in wanted]
    if missing or surplus:
        raise _misfit(missing, surplus, wanted, label)


def _misfit(missing: list[str], surplus: list[str], wanted: Collection[str], label: str) -> PromptError:
    said, fixes = [], []
    if missing:
        said.append(f"{label} needs {_listed(missing)}.")
        fixes.append(f"Pass {', '.join(f'{name}=…' for name in missing)}.")
    if surplus:
        said.append(f"{label} has no variable {_listed(surplus)}.")
        uses = f"It uses {_listed(wanted)}" if wanted else "It uses none"
        fixes += [*_nearest(str(surplus[0]), missing or wanted), f"{uses}; correct the name or leave it out."]
    return PromptError(" ".join(said), fix=" ".join(fixes))


def _nearest(word: str, known: Iterable[str]) -> list[str]:
    from difflib import get_close_matches

    return [f"Did you mean {name!r}?" for name in get_close_matches(word, known, n=1)]


def _listed(names: Iterable[object]) -> str:
    return ", ".join(map(repr, names))


def pieces(template: str) -> tuple[Piece, ...]:
    """The texts and paths that a template is made of, in order; read once for each template."""
    found = _known.get(template)
    if found is None:
        if len(_known) >= _MOST_KNOWN:
            _known.clear()
        found = _known[template] = _read(template)
    return found


def _read(template: str) -> tuple[Piece, ...]:
    """Split at each `{`: what follows one is a name, a second brace, or nothing of ours."""
    first, *parts = template.split("{")
    closers = _Closers()
    out: list[Piece] = [closers.text(first)]
    rest = iter(range(len(parts)))
    for at in rest:
        part = parts[at]
        if not part and at + 1 < len(parts):
            out.append("{" + closers.text(parts[at + 1], opened="{{"))
            next(rest)
            continue
        expression, brace, after = part.partition("}")
        path = _path(expression) if brace else None
        out += (path, closers.text(after)) if path else ("{" + closers.text(part, opened="{"),)
    return tuple(piece for piece in out if piece)


class _Closers:
    """Reads `}` by what it closes: a brace that stands for itself is closed by one, an escaped one by two."""

    def __init__(self) -> None:
        self.open: list[str] = []

    def text(self, text: str, opened: str = "") -> str:
        """The text with `}}` as `}` where that is an escape; `opened` is what stood before it."""
        if opened:
            self.open.append(opened)
        if "}" not in text:
            return text
        first, *parts = text.split("}")
        out = [first]
        skip = False
        for at, part in enumerate(parts):
            if skip:
                skip = False
                out.append(part)
                continue
            plain = self.open[-1:] == ["{"]
            skip = not plain and not part and at + 1 < len(parts)
            if self.open and (plain or skip):
                self.open.pop()
            out.append("}" if skip else "}" + part)
        return "".join(out)


def _path(expression: str) -> Path | None:
    """`name`, `user.name`, `items[0].title` as a path; `None` for anything else, which is then text."""
    if expression.isidentifier():
        return (expression,)
    if not expression or ".[" in expression or not ("." in expression or "[" in expression):
        return None
    steps = [_step(step) for step in expression.replace("[", ".[").split(".")]
    return None if None in steps or type(steps[0]) is int else tuple(steps)


def _step(step: str) -> str | int | None:
    if step.isidentifier():
        return step
    digits = step[1:-1]
    if step[:1] == "[" and step[-1:] == "]" and digits.isascii() and digits.isdigit() and len(digits) < 10:
        return int(digits)
    return None


def _reached(path: Path, values: Mapping[str, Any], label: str) -> Any:
    from .prompts.values import reached

    return reached(path, values, label)


def _text(value: Any, path: Path, label: str) -> str:
    if value is None or type(value) in (float, bool) or (type(value) is int and -_LONG < value < _LONG):
        return str(value)
    from .prompts.values import text_of

    return text_of(value, path, label)
