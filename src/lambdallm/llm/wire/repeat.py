"""Recognise an event that repeats an earlier one but for its text: most of a stream, at a fifth of parsing it.

Two JSON texts that are the same bytes before and after one string literal, the string holding neither quote, escape
nor control character, are the same value but for that string. So once an event has been parsed the long way, its kin
need no parsing. Where a provider varies anything else (a padding, a time) nothing is recognised and nothing is lost.
"""

from __future__ import annotations

_MOST_LESSONS = 32


class Repeat:
    """The bytes around one text of an event."""

    __slots__ = ("_lessons", "head", "index", "tail")

    def __init__(self) -> None:
        self.head = self.tail = b"\0"  # no JSON text begins so
        self.index = 0
        """What the owner remembers with the shape: the choice or block it belongs to."""
        self._lessons = 0

    def learn(self, payload: bytes, text: str, index: int) -> None:
        """Remember an event whose parsed text is `text`, where its place is beyond doubt.

        Without a backslash every string of the event stands as it is, so that a text found once as a literal is there
        and nowhere else. After many shapes that came once each, none is learnt any more.
        """
        if self._lessons == _MOST_LESSONS:
            return
        literal = b'"%s"' % text.encode("utf-8", "replace")
        if b"\\" not in payload and payload.count(literal) == 1:
            self._lessons += 1
            before, _, after = payload.partition(literal)
            self.head, self.tail, self.index = before + b'"', b'"' + after, index

    def text(self, payload: bytes) -> str | None:
        """The text of an event of the remembered shape, `None` for any other."""
        head, tail = self.head, self.tail
        if not payload.startswith(head) or not payload.endswith(tail) or len(payload) < len(head) + len(tail):
            return None
        raw = payload[len(head) : len(payload) - len(tail)]
        if b'"' in raw or b"\\" in raw:
            return None
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            return None
        return text if text.isprintable() else None
