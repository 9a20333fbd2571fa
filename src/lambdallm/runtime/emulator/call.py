"""A request to Lambda's API, as an operation reads it. Pure."""

from __future__ import annotations

import json

from ..._value import Value
from ..events import NOTHING
from .listener import HttpRequest
from .names import split_name
from .service_errors import ServiceError
from .validate import check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, TypeVar

    from .validate import Rule

    T = TypeVar("T")


class Call(Value):
    """`path` has what stands in the path, decoded, and `query` the query's parameters."""

    request: HttpRequest
    path: Mapping[str, str] = NOTHING
    query: Mapping[str, str] = NOTHING

    @property
    def name(self) -> str:
        """The function's name, without its qualifier."""
        return split_name(self.path["FunctionName"], self.query.get("Qualifier"))[0]

    @property
    def qualifier(self) -> str | None:
        """The version or alias, of the name or of the query."""
        return split_name(self.path["FunctionName"], self.query.get("Qualifier"))[1]

    def body(self, rules: Mapping[str, Rule]) -> dict[str, Any]:
        """The body's JSON object, checked. Raises `ServiceError`."""
        if self.request.length > len(self.request.body):
            raise ServiceError("RequestTooLargeException", f"The body has {self.request.length} bytes. Send fewer.")
        try:
            body = json.loads(self.request.body or b"{}")
        except ValueError as error:
            raise ServiceError("SerializationException", f"The body is no JSON: {error}.") from error
        if not isinstance(body, dict):
            raise ServiceError("SerializationException", "The body is no JSON object.")
        check(body, rules)
        return body

    def page(self, items: Sequence[T]) -> tuple[Sequence[T], dict[str, str]]:
        """One page of a list by `Marker` and `MaxItems`, and the `NextMarker` where there is more."""
        most, marker = self.query.get("MaxItems", "50"), self.query.get("Marker", "0")
        if not (most.isdecimal() and marker.isdecimal()):
            raise ServiceError(
                "InvalidParameterValueException", f"Marker is {marker!r} and MaxItems {most!r}. Give numbers."
            )
        begin, end = int(marker), int(marker) + max(1, int(most))
        return items[begin:end], {"NextMarker": f"{end}"} if end < len(items) else {}
