"""A stored answer and its form in bytes: `stored`'s, with the answer in a `CacheEntry`.

    v1 j 1c291ca3 {"$":"CacheEntry","completion":{"$":"Completion", …}}

What another version wrote, or what is damaged in any byte, reads as `None`: an answer not there.
"""

from __future__ import annotations

from ..._value import Value
from .. import types
from ..stored import StoredForm

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..types import Completion, StreamChunk

VERSION = b"v1"
"""Goes up whenever what was written can't be read any more, or would be read as something else."""


class CacheEntry(Value):
    """A whole answer, and the chunks it came in where it was streamed."""

    completion: Completion
    chunks: tuple[StreamChunk, ...] | None = None


_FORM = StoredForm(VERSION, {"CacheEntry": CacheEntry})


def encode_entry(entry: CacheEntry, *, compress_over: int | None = None) -> bytes:
    """The entry as bytes, compressed where its JSON has more than `compress_over` of them.

    How a router chose is left out: that was the decision of another call. Raises `TypeError`, `ValueError` or
    `RecursionError` for metadata that is no JSON.
    """
    bare = entry.replace(completion=entry.completion.replace(routing=None))
    return _FORM.encode(bare, compress_over=compress_over)


def decode_entry(data: bytes) -> CacheEntry | None:
    """The entry that `encode_entry` wrote; `None` for anything else."""
    entry = _FORM.decode(data)
    return entry if isinstance(entry, CacheEntry) and isinstance(entry.completion, types.Completion) else None
