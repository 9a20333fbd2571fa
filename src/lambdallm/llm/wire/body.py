"""A request's body as JSON bytes, written the same way for every protocol."""

from __future__ import annotations

import json

from ..errors import InvalidRequestError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def plain(value: Any) -> Any:
    """What JSON has no word for: read-only mappings become the dictionary they show."""
    if hasattr(value, "keys"):
        return dict(value)
    raise TypeError(f"{value!r} of type {type(value).__name__} is no JSON value")


def body_writer(plain: Callable[[Any], Any] = plain) -> Callable[[Any], bytes]:
    """A function that writes bodies: compact JSON in UTF-8, in ASCII where text holds half a surrogate pair.

    It raises `InvalidRequestError` for what is no JSON value. `plain` turns other values into ones that are.
    """
    options: dict[str, Any] = {"allow_nan": False, "separators": (",", ":"), "default": plain}
    in_unicode = json.JSONEncoder(ensure_ascii=False, **options).encode
    in_ascii = json.JSONEncoder(**options).encode

    def write(body: Any) -> bytes:
        try:
            try:
                return in_unicode(body).encode()
            except UnicodeEncodeError:
                return in_ascii(body).encode()
        except (TypeError, ValueError, RecursionError) as reason:
            fix = "Give plain strings, numbers, lists and dicts."
            raise InvalidRequestError(f"The request can't be written as JSON: {reason}.", fix=fix) from None

    return write
