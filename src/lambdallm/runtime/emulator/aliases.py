"""Aliases of a function: names for a version, or for two of them by weight. Pure.

Source: "AliasRoutingConfiguration" in the AWS Lambda API Reference; "Lambda alias routing" in the Developer Guide.
"""

from __future__ import annotations

from ..._value import Value
from ..events import NOTHING
from .service_errors import wrong

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

LATEST = "$LATEST"
NAME = r"(?!^[0-9]+$)([a-zA-Z0-9-_]+)"


class Alias(Value):
    """A name for a version. `weights` has one further version and the share of invocations, 0 to 1, that it gets."""

    name: str
    version: str
    weights: Mapping[str, float] = NOTHING
    description: str = ""
    revision: str = ""


def check_alias(alias: Alias, published: Collection[str]) -> None:
    """Raise `ServiceError` for an alias that Lambda would not take."""
    if not alias.weights:
        return
    if len(alias.weights) > 1:
        raise wrong("Number of items in AdditionalVersionWeights cannot be greater than 1")
    (version, weight), *_ = alias.weights.items()
    if LATEST in (alias.version, version):
        raise wrong(f"{LATEST} is not supported for an alias pointing to more than 1 version")
    if version == alias.version:
        said = f"Function version {version} is already included in routing configuration."
        raise wrong(f"Invalid function version {version}. {said}")
    if version not in published:
        raise wrong(f"Function version {version} does not exist. Publish it, or correct AdditionalVersionWeights.")
    if isinstance(weight, bool) or not isinstance(weight, (int, float)) or not 0 <= weight <= 1:
        raise wrong(f"The weight {weight!r} of version {version} is none. Give a number from 0.0 to 1.0.")


def chosen(alias: Alias, number: float) -> str:
    """The version that an invocation goes to, by a number of at least 0 and below 1."""
    bound = 0.0
    for version, weight in alias.weights.items():
        bound += weight
        if number < bound:
            return version
    return alias.version
