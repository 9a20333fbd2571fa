"""Templates: `{name}` is replaced by a variable, `{{` and `}}` are braces. Everything else stands as it is written.

A brace that opens no name, as in a piece of JSON, needs no escape.
"""

from __future__ import annotations

import re

from ..llm.errors import PromptError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_TOKEN = re.compile(r"\{\{|\}\}|\{([A-Za-z_]\w*)\}")


def variables(template: str) -> list[str]:
    """The names a template uses, in order, each once."""
    return list(dict.fromkeys(name for name in _TOKEN.findall(template) if name))


def fill(template: str, values: Mapping[str, Any], label: str = "The prompt") -> str:
    """The template with its variables filled in.

    Raises `PromptError` naming the variables that are missing, or that the template does not use.
    """
    wanted = variables(template)
    missing = [name for name in wanted if name not in values]
    if missing:
        raise PromptError(f"{label} needs {_listed(missing)}.", fix=f"Pass {_listed(missing, '=…')}.")
    surplus = [name for name in values if name not in wanted]
    if surplus:
        uses = f"It uses {_listed(wanted)}" if wanted else "It uses none"
        raise PromptError(
            f"{label} has no variable {_listed(surplus)}.", fix=f"{uses}; correct the name or leave it out."
        )
    return _TOKEN.sub(lambda found: _replacement(found, values), template)


def _replacement(found: re.Match[str], values: Mapping[str, Any]) -> str:
    name = found.group(1)
    return found.group(0)[0] if name is None else str(values[name])


def _listed(names: list[str], suffix: str = "") -> str:
    return ", ".join(f"{name}{suffix}" if suffix else repr(name) for name in names)
