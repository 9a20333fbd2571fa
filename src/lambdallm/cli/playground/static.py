"""The playground's own files, as they lie in this package."""

from __future__ import annotations

import os
import re

from ...runtime.emulator.listener import HttpReply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...runtime.emulator.listener import Pairs

_HERE = os.path.dirname(os.path.abspath(__file__))
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".woff2": "font/woff2",
}
_NAME = re.compile(r"(?:[A-Za-z0-9_-]+/)?[A-Za-z0-9_-]+(?:\.[a-z0-9]+)+")
"""A file, or one in a folder: no dots that lead elsewhere, and nothing encoded."""

SAFE: Pairs = (
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)
_PAGE: Pairs = (
    (
        "Content-Security-Policy",
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'",
    ),
    ("X-Frame-Options", "DENY"),
)


def static_reply(name: str) -> HttpReply:
    """A file by its path below the playground; the page itself where there is none."""
    name = name or "index.html"
    kind = _TYPES.get(os.path.splitext(name)[1])
    path = os.path.join(_HERE, name)
    if kind is None or not _NAME.fullmatch(name) or not os.path.isfile(path):
        return HttpReply(404, (*SAFE, ("Content-Type", "text/plain; charset=utf-8")), b"There is no such file.\n")
    with open(path, "rb") as file:
        return HttpReply(200, (*SAFE, *_PAGE, ("Content-Type", kind)), file.read())
