"""The variables that functions see under `lambdallm dev`: this process's own, and those of the project's `.env` file.

A variable that is set already is left as it is, so that one can be tried on the command line.
"""

from __future__ import annotations

import os
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*?)\s*$")
_QUOTED = re.compile(r"""(["'])(.*?)\1\s*(?:#.*)?$""")


def environment(root: str, environ: Mapping[str, str]) -> dict[str, str]:
    """The variables for the functions of a folder."""
    # Bytecode is dated in whole seconds: two saves in one second would run the older one.
    return {**dotenv(root), **environ, "PYTHONDONTWRITEBYTECODE": "1"}


def dotenv(root: str) -> dict[str, str]:
    """What the folder's `.env` file says: `NAME=value` in lines, quotes and comments as shells have them."""
    try:
        with open(os.path.join(root, ".env"), encoding="utf-8-sig") as file:
            lines = file.read().splitlines()
    except (OSError, UnicodeDecodeError):
        return {}
    return {found[1]: _value(found[2]) for line in lines if (found := _LINE.match(line))}


def _value(text: str) -> str:
    if (quoted := _QUOTED.match(text)) is None:
        return re.split(r"(?:^|\s)#", text)[0].strip()
    if quoted[1] == "'":
        return quoted[2]
    return re.sub(r"\\(.)", lambda escape: "\n" if escape[1] == "n" else escape[1], quoted[2])
