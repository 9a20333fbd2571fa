"""A file on a package index as a file to read and seek in: what one needs of a wheel, without fetching the rest."""

from __future__ import annotations

import io

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, BinaryIO

    from .package_index import Index, Wheel

_BUFFER = 1 << 16


def remote_file(index: Index, wheel: Wheel) -> BinaryIO | None:
    """The wheel as a file; `None` where the index sends whole files only. Raises `ProviderConnectionError`."""
    with index.download(wheel, 1) as answer:
        total = (answer.headers.get("Content-Range") or "").rpartition("/")[2]
        if answer.status != 206 or not total.isdecimal():
            return None
    return io.BufferedReader(_Remote(index, wheel, int(total)), _BUFFER)


class _Remote(io.RawIOBase):
    """Reads that follow one another share a connection; a jump opens another one."""

    def __init__(self, index: Index, wheel: Wheel, size: int) -> None:
        self._index, self._wheel, self._size = index, wheel, size
        self._place, self._opened_at = 0, -1
        self._answer: Any = None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._place = offset + (0, self._place, self._size)[whence]
        return self._place

    def readinto(self, buffer: Any) -> int:
        """Fill what one read of the connection brings; 0 at the end."""
        if self._place >= self._size:
            return 0
        if self._answer is None or self._opened_at != self._place:
            self._disconnect()
            self._answer = self._index.download(self._wheel, self._place)
        piece = self._index.read(self._answer, len(buffer))
        buffer[: len(piece)] = piece
        self._place += len(piece)
        self._opened_at = self._place
        return len(piece)

    def close(self) -> None:
        self._disconnect()
        super().close()

    def _disconnect(self) -> None:
        if self._answer is not None:
            self._answer.close()
            self._answer = None
