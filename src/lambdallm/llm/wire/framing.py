"""What all framings share: their error, and the bound on what one frame may hold in memory."""

from __future__ import annotations

MAX_FRAME_BYTES = 32 * 1024 * 1024
"""No provider sends an event near this size; a stream that does is broken or hostile."""


class FramingError(ValueError):
    """The bytes break the framing's rules, or one frame is larger than `MAX_FRAME_BYTES`."""


def check_size(held: int) -> None:
    """Raise `FramingError` when more bytes wait for a frame's end than a frame may have."""
    if held > MAX_FRAME_BYTES:
        raise FramingError(f"a frame of more than {MAX_FRAME_BYTES} bytes")
