"""Inputs for decoders: JSON made of the words that the codecs know, in every framing. For tests and fuzzers."""

from __future__ import annotations

import functools
import importlib
import json
import pkgutil
import re
from base64 import b64encode
from pathlib import Path
from types import ModuleType
from typing import Any

from hypothesis import strategies as st

from lambdallm.aws.eventstream import encode_message
from lambdallm.llm import wire


@functools.cache
def codecs() -> dict[str, ModuleType]:
    """Every module that decodes answers, by its wire's name."""
    found = {}
    for info in pkgutil.walk_packages(wire.__path__, f"{wire.__name__}."):
        module = importlib.import_module(info.name)
        if hasattr(module, "PATHS") and hasattr(module, "decode_response"):
            found[info.name.removeprefix(f"{wire.__name__}.")] = module
    return found


@functools.cache
def words() -> tuple[str, ...]:
    """The string literals in the codecs' source that look like names: the fields and values they ask about."""
    sources = Path(wire.__path__[0]).rglob("*.py")
    found = {word for path in sources for word in re.findall(r'"([A-Za-z_][\w.:-]{1,40})"', path.read_text())}
    return tuple(sorted(found))


def names() -> st.SearchStrategy[str]:
    return st.sampled_from(words())


def values() -> st.SearchStrategy[Any]:
    """JSON values whose keys and texts are mostly words that the codecs know."""
    leaves = (
        st.none() | st.booleans() | st.integers(-3, 10**20) | st.floats(allow_nan=False) | names()
        | st.sampled_from(["", "{}", '{"a":', "Hi", "\ud800", "🙂", "data:image/png;base64,AAAA", "AAAA", "[DONE]"])
    )  # fmt: skip
    return st.recursive(leaves, lambda inner: st.lists(inner, max_size=4) | objects(inner), max_leaves=25)


def objects(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(names(), inner, max_size=6)


def dumped(value: Any) -> bytes:
    return json.dumps(value).encode()


def bodies() -> st.SearchStrategy[bytes]:
    """Whole answers: JSON objects mostly, other bytes now and then."""
    return st.one_of(objects(values()).map(dumped), values().map(dumped), st.binary(max_size=60))


def events() -> st.SearchStrategy[bytes]:
    """One event in some framing, or bytes that are none."""
    payload = objects(values())
    return st.one_of(
        st.builds(lambda data: b"data: " + dumped(data) + b"\n\n", payload),
        st.builds(lambda name, data: b"event: %b\ndata: %b\n\n" % (name.encode(), dumped(data)), names(), payload),
        st.builds(lambda name, data: b"data: " + dumped({**data, "type": name}) + b"\n\n", names(), payload),
        st.builds(lambda data: dumped(data) + b"\n", payload),
        st.builds(_message, names(), payload, st.sampled_from(["event", "exception", "error"])),
        st.builds(lambda data: _message("chunk", {"bytes": b64encode(dumped(data)).decode()}, "event"), payload),
        st.sampled_from([b"data: [DONE]\n\n", b": ping\n\n", b"\r\n", b"[", b",\r\n", b"]"]),
        st.binary(max_size=30),
    )


def _message(name: str, data: Any, kind: str) -> bytes:
    return encode_message({f":{kind}-type": name, ":message-type": kind}, dumped(data))
