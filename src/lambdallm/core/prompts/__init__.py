"""What prompts can have beyond one template with plain variables: turns, examples, types, files, versions.

    from lambdallm.core.prompts import PromptRegistry

`Prompt` itself is in `core/prompt.py`, and imports each of these when it is used.
"""

from __future__ import annotations

from ..._door import door

_HOMES = {
    "Example": "examples",
    "Placeholder": "turns",
    "PromptRegistry": "registry",
    "Turn": "turns",
}

__all__ = ["Example", "Placeholder", "PromptRegistry", "Turn"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .examples import Example
    from .registry import PromptRegistry
    from .turns import Placeholder, Turn

__getattr__, __dir__ = door(__name__, _HOMES)
