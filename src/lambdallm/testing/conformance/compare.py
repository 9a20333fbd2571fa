"""Where what we decoded differs from what was expected, as lines that name the place."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_REMARKS = ("note",)
_SHOWN = 200


def compare(expected: dict[str, Any], got: dict[str, Any]) -> list[str]:
    """The differences, each `path: expected …, got …`; none when both say the same.

    They are equal as JSON is, with four normalisations:

    1. A field that is absent is a field that is `null`: SDKs differ in which of their empty fields they print.
    2. An empty `arguments_raw` is an absent one: a stream can't tell "no arguments" from none sent.
    3. `note` in what is expected is a remark for the reader.
    4. Usage in which nothing is counted is no usage.
    """
    return list(_differences("", _without_remarks(expected), got))


def _without_remarks(expected: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in expected.items() if key not in _REMARKS}


def _differences(path: str, expected: Any, got: Any) -> Iterator[str]:
    if isinstance(expected, dict) and isinstance(got, dict):
        for key in sorted(expected.keys() | got.keys()):
            yield from _differences(f"{path}.{key}".lstrip("."), _field(expected, key), _field(got, key))
    elif isinstance(expected, list) and isinstance(got, list) and len(expected) == len(got):
        for place, (wanted, found) in enumerate(zip(expected, got, strict=True)):
            yield from _differences(f"{path}[{place}]", wanted, found)
    elif expected != got or isinstance(expected, bool) != isinstance(got, bool):
        yield f"{path}: expected {_show(expected)}, got {_show(got)}"


def _field(record: dict[str, Any], key: str) -> Any:
    value = record.get(key)
    if key == "usage" and isinstance(value, dict) and all(said is None or said == {} for said in value.values()):
        return None
    return None if key == "arguments_raw" and value == "" else value


def _show(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}…"
