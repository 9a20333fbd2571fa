"""What is wrong with an event: it is not of the kind, or its body not of the type, that the function reads it as."""

from __future__ import annotations


class EventError(ValueError):
    """An event, or a part of it, can't be read as what it was taken for. An HTTP client is answered with 400."""

    http_status = 400

    def __init__(self, message: str, fix: str = "") -> None:
        super().__init__(f"{message} {fix}".strip())
        self.message, self.fix = message, fix
