"""Outputs of steps as plain data, which is what a checkpoint keeps, and back as what the step says they are.

Plain data is text, bytes, numbers, lists, tuples and dictionaries. Functions may return dataclasses, named tuples,
enums and pydantic models; in a chain that has a store they go on as plain data, so that a resumed run sees what the
first one saw.
"""

from __future__ import annotations

from ..llm.errors import ConfigurationError
from ..llm.stored import MESSAGE_TYPES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_PLAIN = (str, int, float, bool, bytes, type(None))
KEPT = frozenset(MESSAGE_TYPES.values())
"""Images, documents, messages: what conversations are made of is kept as it is."""


def plain(value: Any) -> Any:
    """A value as plain data. Raises `TypeError` naming the type that can't be."""
    if hasattr(type(value), "__members__"):
        return plain(value.value)
    if isinstance(value, _PLAIN) or type(value) in KEPT:
        return value
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if hasattr(type(value), "keys"):
        return {plain(key): plain(value[key]) for key in value}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return plain(value._asdict())
    if isinstance(value, tuple):
        return tuple(plain(item) for item in value)
    if isinstance(value, (list, set, frozenset)):
        return [plain(item) for item in (value if isinstance(value, list) else sorted(value, key=repr))]
    if hasattr(type(value), "__dataclass_fields__"):
        return {name: plain(getattr(value, name)) for name in type(value).__dataclass_fields__}
    if hasattr(value, "isoformat"):
        return value.isoformat()
    raise TypeError(type(value).__name__)


def storable(value: Any, step: str) -> Any:
    """What a step gave, as plain data. Raises `ConfigurationError` for what a checkpoint can't keep."""
    try:
        return plain(value)
    except (TypeError, RecursionError) as error:
        raise ConfigurationError(
            f"Step {step!r} gave a value that a checkpoint can't keep: {value!r:.80} ({error}).",
            fix="Return plain data: text, numbers, lists, dictionaries; or run the chain without a store.",
        ) from error


def shaped(value: Any, shape: Any) -> Any:
    """Plain data as what a shape says: an instance of a type, or data that fits a schema.

    Raises `ExtractionValidationError` with a path for each problem.
    """
    if shape is None or value is None:
        return value
    from ..llm.structured.output_model import validate_against_model

    return validate_against_model(value, shape)


def readable(value: Any) -> Any:
    """Any value as JSON can say it: bytes in base64, what there is no word for as Python shows it."""
    if isinstance(value, bytes):
        from binascii import b2a_base64

        return b2a_base64(value, newline=False).decode("ascii")
    if type(value) in KEPT:
        return {name: readable(getattr(value, name)) for name in value._fields}
    try:
        found = plain(value)
    except (TypeError, RecursionError):
        found = value
    if isinstance(found, dict):
        return {str(key): readable(item) for key, item in found.items()}
    if isinstance(found, (list, tuple)):
        return [readable(item) for item in found]
    return found if isinstance(found, (str, int, float, bool, type(None))) else repr(found)
