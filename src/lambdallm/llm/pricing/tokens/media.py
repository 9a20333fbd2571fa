"""What images, documents and sound count for: the providers' published rules as data, and sizes read from headers.

Sources: OpenAI, "Images and vision: Calculating costs"; Anthropic, "Vision: Calculate image costs"; Google, "Understand
and count tokens" and "Media resolution"; Mistral, "Vision". Nothing is decoded beyond a file's header.
"""

from __future__ import annotations

from ...._value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .families import Family

UNKNOWN_SIZE = (1024, 1024)
"""Width and height taken for an image at a URL, or of a kind that can't be read."""

UNKNOWN_SECONDS = 60
"""How long sound and video at a URL are taken to be."""


class ImageRule(Value):
    """How an image of a width and height becomes tokens.

    It is first made to fit into `fit` × `fit` pixels, then its shorter side into `shorter`, and into `pixels` in all.
    `base` + `each` is then counted for every square of `side` pixels begun, for at most `most` of them; `low` is all
    that an image of low detail counts. Without a `side` each pixel counts `each`.
    """

    base: float = 0
    each: float = 0
    side: int = 0
    fit: int = 0
    shorter: int = 0
    pixels: int = 0
    most: int = 0
    low: int = 0


def _tiles(base: int, each: int) -> ImageRule:
    return ImageRule(base, each, 512, fit=2048, shorter=768, low=base)


def _patches(each: float) -> ImageRule:
    return ImageRule(0, each, 32, most=1536)


RULES = {
    "tiles_openai": _tiles(85, 170),
    "tiles_gpt5": _tiles(70, 140),
    "tiles_o1": _tiles(75, 150),
    "tiles_gpt4o_mini": _tiles(2833, 5667),
    "patches_1": ImageRule(0, 1, 32, most=2500),
    "patches_162": _patches(1.62),
    "patches_172": _patches(1.72),
    "patches_246": _patches(2.46),
    "patches_28": ImageRule(0, 1, 28, fit=1540),
    "area_claude": ImageRule(0, 1 / 750, fit=1568, pixels=1_200_000),
    "area_claude_2026": ImageRule(0, 1 / 750, fit=2576, pixels=3_588_000),
    "tiles_gemini": ImageRule(0, 258),
    "fixed_1120": ImageRule(1120, low=280),
}


def image_tokens(family: Family, data: bytes | None, detail: str | None) -> int:
    """The tokens of an image. A size that can't be read counts as `UNKNOWN_SIZE`."""
    rule = RULES[family.image]
    if detail == "low" and rule.low:
        return rule.low
    width, height = (image_size(data) if data else None) or UNKNOWN_SIZE
    if family.image == "tiles_gemini":
        return 258 * _gemini_tiles(width, height)
    width, height = _fitted(width, height, rule)
    if not rule.side:
        return round(rule.base + rule.each * width * height)
    squares = -(-width // rule.side) * -(-height // rule.side)
    return round(rule.base + rule.each * (min(squares, rule.most) if rule.most else squares))


def _fitted(width: int, height: int, rule: ImageRule) -> tuple[int, int]:
    shrink = min(1.0, rule.fit / max(width, height)) if rule.fit else 1.0
    if rule.shorter:
        shrink = min(shrink, rule.shorter / min(width, height))
    if rule.pixels:
        shrink = min(shrink, (rule.pixels / (width * height)) ** 0.5)
    return max(1, int(width * shrink)), max(1, int(height * shrink))


def _gemini_tiles(width: int, height: int) -> int:
    """One for a small image; else squares of two thirds of its shorter side, 256 to 768 pixels wide."""
    if width <= 384 and height <= 384:
        return 1
    side = min(max(int(min(width, height) / 1.5), 256), 768)
    return -(-width // side) * -(-height // side)


def image_size(data: bytes) -> tuple[int, int] | None:
    """Width and height from the header of a PNG, GIF, WebP or JPEG; `None` for anything else."""
    size = None
    if data[:8] == b"\x89PNG\r\n\x1a\n" and len(data) >= 24:
        size = int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    elif data[:4] == b"GIF8" and len(data) >= 10:
        size = int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little")
    elif data[:4] == b"RIFF" and data[8:12] == b"WEBP" and len(data) >= 30:
        size = _webp_size(data)
    elif data[:2] == b"\xff\xd8":
        size = _jpeg_size(data)
    return size if size and min(size) > 0 else None


def _webp_size(data: bytes) -> tuple[int, int] | None:
    if data[12:16] == b"VP8X":
        return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    if data[12:16] == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return int.from_bytes(data[26:28], "little") & 0x3FFF, int.from_bytes(data[28:30], "little") & 0x3FFF


_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    """From the first frame header; segments before it are stepped over."""
    place = 2
    while place + 9 < len(data) and data[place] == 0xFF:
        if data[place + 1] in _FRAMES:
            return int.from_bytes(data[place + 7 : place + 9], "big"), int.from_bytes(
                data[place + 5 : place + 7], "big"
            )
        place += 2 + int.from_bytes(data[place + 2 : place + 4], "big")
    return None


def pdf_tokens(family: Family, data: bytes | None) -> int:
    """A PDF's tokens by its pages, as far as they can be told without unpacking it; one page at least."""
    pages = data.count(b"/Type /Page") + data.count(b"/Type/Page") if data else 0
    folders = data.count(b"/Type /Pages") + data.count(b"/Type/Pages") if data else 0
    return family.pdf_page * max(1, pages - folders)


def audio_tokens(family: Family, data: bytes | None) -> int:
    """Sound's tokens by its seconds: by the rate in a WAV header, else as if it were coded at 128 kbit/s."""
    if data is None:
        return family.audio_second * UNKNOWN_SECONDS
    rate = int.from_bytes(data[28:32], "little") if data[:4] == b"RIFF" and data[8:12] == b"WAVE" else 0
    return round(family.audio_second * len(data) / (rate or 16_000))


def video_tokens(family: Family, data: bytes | None) -> int:
    """Video's tokens by its seconds, as if it were coded at 2 Mbit/s."""
    return round(family.video_second * (UNKNOWN_SECONDS if data is None else len(data) / 250_000))
