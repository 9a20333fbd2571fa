"""The least that reading a stream takes in Python: split, `json.loads`, and the text."""

import json

from recordings import sse_events


def client(url: str) -> bytes:
    return b"".join(sse_events())


def call(recorded: bytes) -> str:
    pieces = []
    for event in recorded.split(b"\n\n"):
        if event.startswith(b"data: {"):
            for choice in json.loads(event[6:])["choices"]:
                pieces.append(choice["delta"].get("content") or "")
    return "".join(pieces)
