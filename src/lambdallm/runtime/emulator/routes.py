"""Which function an API's request goes to: routes of REST APIs (`/things/{id}`, `/{proxy+}`) and HTTP APIs. Pure.

A route is a key as in an HTTP API: a method and a path (`GET /things/{id}`, `ANY /{proxy+}`), or `$default`. The most
specific one wins: at each part, one that is written out before a variable, and that before one that takes the rest.

Source: the API Gateway guide, "Create routes for HTTP APIs" (routing API requests).
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from ..._value import Value
from .payloads import Matched

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT = "$default"
_VARIABLE = re.compile(r"\{([^{}+]+)(\+?)\}")
_METHODS = frozenset(("ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"))


class Route(Value):
    """A route and the function it goes to, `name` or `name:alias`. `streams`: REST's `responseTransferMode=STREAM`."""

    key: str
    function: str
    streams: bool = False

    @property
    def method(self) -> str:
        """The method of the key; `ANY` is every one."""
        return "ANY" if self.key == DEFAULT else self.key.partition(" ")[0]

    @property
    def path(self) -> str:
        """The path of the key, with its variables."""
        return DEFAULT if self.key == DEFAULT else self.key.partition(" ")[2]


def routes_of(table: Mapping[str, str | Route]) -> tuple[Route, ...]:
    """Routes of a table from keys to functions, the most specific first. Raises `ValueError` for a key that is none."""
    routes = [
        target.replace(key=key) if isinstance(target, Route) else Route(key, target) for key, target in table.items()
    ]
    for route in routes:
        _check(route)
    return tuple(sorted(routes, key=_rank))


def match(routes: tuple[Route, ...], method: str, path: str, *, decodes: bool) -> tuple[Route, Matched] | None:
    """The route of a request, and what stands for its variables; decoded where the API decodes paths."""
    for route in routes:
        if route.method not in ("ANY", method):
            continue
        found = _variables(route.path, path)
        if found is not None:
            decoded = {name: unquote(value) if decodes else value for name, value in found.items()}
            return route, Matched(route.key, route.path, decoded)
    return None


def _check(route: Route) -> None:
    if route.key == DEFAULT:
        return
    if route.method not in _METHODS or not route.path.startswith("/"):
        raise ValueError(
            f"{route.key!r} is no route. Write it like 'GET /things/{{id}}', 'ANY /{{proxy+}}' or $default."
        )


def _rank(route: Route) -> tuple[object, ...]:
    """Sorts the most specific first."""
    if route.key == DEFAULT:
        return ([(3, "")], 1)
    return ([_weight(part) for part in route.path.strip("/").split("/")], route.method == "ANY")


def _weight(part: str) -> tuple[int, str]:
    variable = _VARIABLE.fullmatch(part)
    return (0, part) if variable is None else (2 if variable[2] else 1, "")


def _variables(pattern: str, path: str) -> dict[str, str] | None:
    """What stands for the variables of a pattern in a path; `None` where it does not fit."""
    if pattern == DEFAULT:
        return {}
    wanted, given = pattern.strip("/").split("/"), path.lstrip("/").split("/")
    found: dict[str, str] = {}
    for at, part in enumerate(wanted):
        variable = _VARIABLE.fullmatch(part)
        if variable is not None and variable[2]:
            rest = "/".join(given[at:])
            return found | {variable[1]: rest} if rest else None
        if at >= len(given) or not (given[at] == part if variable is None else given[at]):
            return None
        if variable is not None:
            found[variable[1]] = given[at]
    left = given[len(wanted) :]
    return found if not any(left) else None
