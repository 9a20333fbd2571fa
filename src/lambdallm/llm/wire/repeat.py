"""Recognise an event that repeats an earlier one but for its text: most of a stream, at a fifth of parsing it.

Two JSON texts that are the same bytes before and after one string literal, the string holding neither quote, escape
nor control character, are the same value but for that string. So once an event has been parsed the long way, its kin
need no parsing. The padding that OpenAI puts at an event's end, of a length that hides the text's, is recognised too.
Where a provider varies anything else (a number, a time) nothing is recognised and nothing is lost.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_MOST_LESSONS = 32
_PADDING = b',"obfuscation":"'
_END = b'"}'


class Repeat:
    """The bytes around one text of an event."""

    __slots__ = ("_lessons", "_padded", "head", "index", "tail")

    def __init__(self) -> None:
        self.head: Any = ()  # what no bytes begin with
        self.tail = b""
        self.index = 0
        """What the owner remembers with the shape: the choice or block it belongs to."""
        self._lessons = 0
        self._padded = False

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
            kept, padding, rest = after.rpartition(_PADDING)
            self._padded = bool(padding) and _is_padding(rest)
            if self._padded:
                after = kept + padding
            self.head, self.tail, self.index = before + b'"', b'"' + after, index

    def text(self, payload: bytes) -> str | None:
        """The text of an event of the remembered shape, `None` for any other."""
        head, tail = self.head, self.tail
        if not payload.startswith(head):
            return None
        if self._padded:
            end = self._padding(payload)
        else:
            end = len(payload) - len(tail) if payload.endswith(tail) else -1
        raw = payload[len(head) : end]
        if end < len(head) or b'"' in raw or b"\\" in raw:
            return None
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            return None
        return text if text.isprintable() else None

    def _padding(self, payload: bytes) -> int:
        """Where the text ends, in an event that ends with nothing but the padding; -1 for any other."""
        end = payload.find(self.tail, len(self.head))
        return end if end >= 0 and _is_padding(payload[end + len(self.tail) :]) else -1


def _is_padding(rest: bytes) -> bool:
    """Letters and digits, which need no reading, and then the end of the event."""
    return rest == _END or (rest.endswith(_END) and rest[: -len(_END)].isalnum())
