"""What must hold of a store with `get` and `put`: each check is a flow of the store and a key that nobody has."""

from __future__ import annotations

from ...llm.backends.adapt import called
from ...llm.backends.errors import BackendError
from ...state.documents import says_missing
from .journals import Failed, expect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from ...llm.flow import Flow

_SECONDS = 30.0
_TTL = 600
_DOCUMENT = {
    "text": 'Zürich 東京 "quoted" \n',
    "numbers": [0, -1, 2**53],
    "nested": {"list": [{"a": [1, [2, []]]}, None, True], "empty": {}, "": ""},
}


def _get(store: Any, key: str) -> Flow[Any]:
    return (yield from called(store.get, key, seconds=_SECONDS))


def _put(store: Any, key: str, data: object, ttl_seconds: int = _TTL) -> Flow[None]:
    yield from called(store.put, key, data, ttl_seconds, seconds=_SECONDS)


def _missing(store: Any, key: str) -> Flow[None]:
    try:
        found = yield from _get(store, key)
    except BackendError as error:
        if not says_missing(error.__cause__):
            raise Failed(f"A session that is not there raised {error.__cause__!r}, not KeyError.") from error
        return
    if found:
        raise Failed(f"A session that is not there is {found!r:.200}.")


def _kept(store: Any, key: str) -> Flow[None]:
    yield from _put(store, key, _DOCUMENT)
    expect((yield from _get(store, key)), _DOCUMENT, "What was put")


def _replaced(store: Any, key: str) -> Flow[None]:
    yield from _put(store, key, {"old": 1, "both": 1})
    yield from _put(store, key, {"both": 2})
    expect((yield from _get(store, key)), {"both": 2}, "What was put the second time")


def _own(store: Any, key: str) -> Flow[None]:
    given = {"list": [1]}
    yield from _put(store, key, given)
    given["list"].append(2)
    found = yield from _get(store, key)
    expect(found, {"list": [1]}, "What was changed after it was put")
    found["list"].append(3)
    expect((yield from _get(store, key)), {"list": [1]}, "What was changed after it was got")


def _apart(store: Any, key: str) -> Flow[None]:
    keys = [key, f"{key}:1", f"{key}/", key.upper()]
    for one in keys:
        yield from _put(store, one, {"key": one})
    for one in keys:
        expect((yield from _get(store, one)), {"key": one}, "What was put under a key of its own")


def _long(store: Any, key: str) -> Flow[None]:
    document = {"entries": ["x" * 1000] * 300}
    yield from _put(store, key, document)
    expect((yield from _get(store, key)), document, "A document of 300 KB")


DOCUMENT_CHECKS: Mapping[str, Callable[[Any, str], Flow[None]]] = {
    "a session that is not there is None, {} or a KeyError": _missing,
    "what is put is got": _kept,
    "what is put replaces what was there": _replaced,
    "what is put and got belongs to the store": _own,
    "sessions stay apart": _apart,
    "a long document is kept": _long,
}
