"""References to the environment's variables in settings: `${NAME}`, and `${NAME:-what else}` where it may be unset.

`$${` stands for `${` itself; a default holds no reference. What a variable holds is in no error: it may be a secret.
"""

from __future__ import annotations

from .kinds import Problem, name_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from .kinds import Kind, Path

_ESCAPED = "$${"


def filled(value: Any, kind: Kind | None, environ: Mapping[str, str], path: Path, problems: list[Problem]) -> Any:
    """A setting with its references filled in and read as its kind; what is wrong goes to `problems`."""
    if isinstance(value, dict):
        return {
            name: filled(held, _kind_within(kind, name), environ, (*path, name), problems)
            for name, held in value.items()
        }
    if isinstance(value, list):
        return [filled(item, _kind_of_items(kind), environ, (*path, at), problems) for at, item in enumerate(value)]
    if not isinstance(value, str) or "${" not in value:
        return value
    return _filled(value, kind, environ, path, problems)


def _filled(text: str, kind: Kind | None, environ: Mapping[str, str], path: Path, problems: list[Problem]) -> Any:
    parts: list[str] = []
    for part, name, default in _pieces(text):
        parts.append(part)
        if name is None:
            continue
        if not _is_name(name) or "${" in (default or ""):
            said = f"{name_of(path)} is {_quoted(text, kind)}, where a '${{' is left open."
            problems.append(Problem(path, said, _CLOSE))
            return None
        found = environ.get(name) or default
        if found is None:
            fix = f"Set it, or write ${{{name}:-…}} with what is used otherwise."
            problems.append(Problem(path, f"{name_of(path)} needs the variable {name}, which is not set.", fix))
            return None
        parts.append(found)
    return _read("".join(parts), text, kind, path, problems)


def _read(found: str, text: str, kind: Kind | None, path: Path, problems: list[Problem]) -> Any:
    if kind is None:
        return found
    try:
        return kind.read(found)
    except ValueError:
        said = f"{name_of(path)} is {_quoted(text, kind)}, and what that stands for does not fit."
        problems.append(Problem(path, said, f"It should be {kind.words}."))
        return None


def _quoted(text: str, kind: Kind | None) -> str:
    """A text as errors say it: not where it may hold a secret, as options of middleware do."""
    return "a text" if kind is None or kind.secret else f"{text!r:.80}"


_CLOSE = "Write ${NAME} or ${NAME:-default}; $${ stands for '${' itself."


def _pieces(text: str) -> Iterator[tuple[str, str | None, str | None]]:
    """Plain text, the name that follows it and its default; `None` for a name where the text ends."""
    plain = ""
    while True:
        before, mark, rest = text.partition("${")
        if not mark:
            yield plain + before, None, None
            return
        if before.endswith("$"):
            plain += before[:-1] + "${"
            text = rest
            continue
        inside, closed, text = rest.partition("}")
        name, has_default, default = inside.partition(":-")
        yield plain + before, name if closed else "", default if has_default else None
        plain = ""


def _is_name(name: str) -> bool:
    return name.isascii() and name.isidentifier()


def _kind_within(kind: Kind | None, name: Any) -> Kind | None:
    for each in (kind, *(kind.either if kind else ())):
        if each is not None and (each.fields or each.values):
            return each.fields[name].kind if name in each.fields else each.values
    return None


def _kind_of_items(kind: Kind | None) -> Kind | None:
    return next((each.items for each in (kind, *(kind.either if kind else ())) if each and each.items), None)
