"""A tool call's arguments on their way through the filters: JSON that stays JSON, piece by piece."""

from __future__ import annotations

import json

from .channel import Channel, through

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from .channel import Stage


class ArgumentsChannel:
    """The text of a call's arguments: JSON where it begins as such, plain text where a tool takes that."""

    def __init__(self, stages: Sequence[Stage]) -> None:
        self._stages = stages
        self._channel: Channel | JsonChannel | None = None
        self._blanks: list[str] = []

    @property
    def changed(self) -> bool:
        """Whether what came out differs from what went in."""
        return self._channel is not None and self._channel.changed

    def feed(self, text: str) -> str:
        """What can be let go."""
        if self._channel is None:
            self._blanks.append(text)
            begins = text.lstrip()[:1]
            if not begins:
                return ""
            self._channel = (JsonChannel if begins in '{["' else Channel)(self._stages)
            text = "".join(self._blanks)
        return self._channel.feed(text)

    def finish(self) -> str:
        """The rest."""
        return "".join(self._blanks) if self._channel is None else self._channel.finish()


class JsonChannel:
    """JSON text that comes in pieces: each string goes through the filters with its escapes undone, so do numbers.

    What is left alone keeps its bytes, and what comes out is JSON wherever what went in was. The key in front of a
    value is shown to the filters as context (`password: …`), where they let the key itself pass.
    """

    def __init__(self, stages: Sequence[Stage]) -> None:
        import re

        self._stages = stages
        self._pieces = re.compile(r'"|\\u[0-9a-fA-F]{4}|(\\(?:u[0-9a-fA-F]{0,3})?\Z)|\\[^u]|\\|[^"\\]+')
        self._tokens = re.compile(r"[^\s\"{}\[\]:,]+|[\s{}\[\]:,]+")
        self._raw = ""
        self._string: _Text | None = None
        self._bare = ""
        self._word = self._key = ""
        self.changed = False

    def feed(self, text: str) -> str:
        """What can be let go."""
        text, self._raw = self._raw + text, ""
        passed = []
        for match in self._pieces.finditer(text):
            piece = match[0]
            if self._string is None:
                passed.append(self._outside(piece))
            elif piece == '"':
                passed.append(self._closed() + piece)
            elif match[1]:
                self._raw = piece
            else:
                passed.append(self._string.feed(piece))
        return "".join(passed)

    def finish(self) -> str:
        """The rest, of a text that may have been cut anywhere."""
        raw, self._raw = self._raw, ""
        passed = ""
        if self._string is not None:
            passed = (self._string.feed(raw) if raw else "") + self._closed()
        return passed + self._token()

    def _outside(self, piece: str) -> str:
        if piece == '"':
            passed = self._token()
            self._string = _Text(self._stages, self._key)
            return passed + '"'
        passed = ""
        for token in self._tokens.findall(piece):
            if token[0] in " \t\r\n{}[]:,":
                passed += self._token() + token
                self._punctuated(token)
            else:
                self._bare += token
        return passed

    def _punctuated(self, marks: str) -> None:
        """A colon makes the string before it the key of what follows."""
        mark = marks.strip()[-1:]
        if mark:
            self._key = self._word if mark == ":" else ""
            self._word = ""

    def _closed(self) -> str:
        assert self._string is not None
        passed = self._string.finish()
        self.changed = self.changed or self._string.changed
        self._word, self._string = self._string.beginning, None
        return passed

    def _token(self) -> str:
        """A number or a word outside of strings; what is put in its place becomes a string."""
        token, self._bare = self._bare, ""
        if not token:
            return ""
        value = _Text(self._stages, self._key)
        passed = value.feed(token) + value.finish()
        self.changed = self.changed or value.changed
        return f'"{passed}"' if value.changed else token


class _Text:
    """The content of one JSON string on its way: undone escapes go in, the same or new ones come out."""

    def __init__(self, stages: Sequence[Stage], key: str) -> None:
        self._channel = Channel(stages)
        self._units: list[str] = []
        self._plain: list[str] = []
        self.changed = False
        self.beginning = ""
        self._context = _context(stages, key)
        if self._context:
            self._kept(self._channel.feed(self._context))

    def feed(self, piece: str) -> str:
        text = _undone(piece) if piece[0] == "\\" else piece
        self._units += list(piece) if text == piece else [piece]
        self._plain.append(text)
        if len(self.beginning) <= _LONGEST_KEY:
            self.beginning += text
        return self._written(self._kept(self._channel.feed(text)))

    def finish(self) -> str:
        written = self._written(self._kept(self._channel.finish()))
        self.changed = self.changed or any(self._plain)
        return written

    def _kept(self, passed: str) -> str:
        """What passed, without the context in front of it; all of it, where it was replaced with its value."""
        if self._context.startswith(passed):
            self._context = self._context[len(passed) :]
            return ""
        context, self._context = self._context, ""
        return passed.removeprefix(context)

    def _written(self, passed: str) -> str:
        """What passed, in JSON: in its own bytes as far as it is what came in, newly escaped from there on."""
        if not passed:
            return ""
        plain = "".join(self._plain)
        same = 0 if self.changed else _common(plain, passed)
        units, self._units, self._plain = self._units[:same], self._units[same:], [plain[same:]]
        self.changed = self.changed or same < len(passed)
        return "".join(units) + json.dumps(passed[same:])[1:-1]


def _common(one: str, other: str) -> int:
    """How many characters two texts begin with alike."""
    if one.startswith(other):
        return len(other)
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


_LONGEST_KEY = 64


def _context(stages: Sequence[Stage], key: str) -> str:
    """What a key tells the filters of its value; nothing where the key is no plain word or doesn't pass itself."""
    if not key or len(key) > _LONGEST_KEY or not key.replace("-", "_").replace(".", "_").isidentifier():
        return ""
    context = f"{key}: "
    return context if through([(owner, None) for owner, _ in stages], context) == context else ""


def _undone(escape: str) -> str:
    try:
        text: str = json.loads(f'"{escape}"')
    except ValueError:
        return escape
    return text


def arguments_text(stages: Sequence[Stage], text: str) -> str:
    """The whole text of a call's arguments through the filters."""
    channel = ArgumentsChannel(stages)
    return channel.feed(text) + channel.finish()
