"""Pictures as a body carries them: base64 without a media type."""

from __future__ import annotations

from binascii import b2a_base64

from ...errors import UnsupportedParameterError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...types import ImagePart


def base64_of(image: ImagePart) -> str:
    """The picture's bytes in base64. Raises `UnsupportedParameterError` for one that would have to be fetched."""
    if image.data is not None:
        return b2a_base64(image.data, newline=False).decode("ascii")
    head, comma, data = (image.url or "").partition(",")
    if comma and head.startswith("data:") and head.endswith(";base64"):
        return data
    raise UnsupportedParameterError(
        f"Bedrock does not fetch {(image.url or '')[:80]!r}.",
        fix="Give the image's bytes as `data`.",
        param="image.url",
    )
