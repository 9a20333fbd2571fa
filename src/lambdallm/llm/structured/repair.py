"""Mend JSON that a model wrote carelessly. Never done by itself: a mended answer may not be the one that was meant.

Mended are comments, single quotes, names without quotes, Python's and JavaScript's words (`True`, `None`, `undefined`),
commas too many, line breaks inside strings, and closers that are missing at the end.
"""

from __future__ import annotations

import json
import re

from .json_block import json_blocks, no_json

_TOKEN = re.compile(
    r"""(?P<blank>\s++|//[^\n]*+|/\*[^*]*+(?:\*(?!/)[^*]*+)*(?:\*/|\Z)|\#[^\n]*+)"""
    r"""|(?P<string>"[^"\\]*+(?:\\.[^"\\]*+)*(?:"|\\?\Z)|'[^'\\]*+(?:\\.[^'\\]*+)*(?:'|\\?\Z)|“[^”]*+(?:”|\Z))"""
    r"""|(?P<open>[{\[])|(?P<close>[}\]])|(?P<mark>[,:])"""
    r"""|(?P<word>[^\s,:{}\[\]"']++)""",
    re.DOTALL,
)
_WORDS = {"True": "true", "False": "false", "None": "null", "undefined": "null", "NaN": "null"}
_CLOSERS = {"{": "}", "[": "]"}
_BEFORE_COMMA = ("{", "[", ",", ":")
_NUMBER = re.compile(r"[+]?(-?)0*([0-9]+)(\.[0-9]*)?([eE][+-]?[0-9]+)?\Z")
_HALF = re.compile(r"\\u[0-9a-fA-F]{0,3}\Z")
_ESCAPED = re.compile(r"\\(?![\"\\/bfnrtu])(.)", re.DOTALL)


def repair_json(text: str) -> str:
    """The JSON in a text, mended where it has to be.

        repair_json("{'a': 1, // one\\n 'b': [True,]")   # '{"a": 1, "b": [true]}'

    Text before the first bracket is left out, and what follows its end. Valid JSON comes back as it is. Raises
    `ExtractionParseError` where nothing can be made of it.
    """
    for block, value in json_blocks(text):
        if isinstance(value, (dict, list)):
            return block
    starts = [at for at in (text.find("{"), text.find("[")) if at >= 0]
    if not starts:
        raise no_json(text)
    mended = _mended(text[min(starts) :])
    try:
        json.loads(mended)
    except (ValueError, RecursionError):
        raise no_json(text) from None
    return mended


def _mended(text: str) -> str:
    """The tokens of one object or list, each in JSON's own words; missing closers are added at the end."""
    written: list[str] = []
    closers: list[str] = []
    for token in _TOKEN.finditer(text):
        kind, word = token.lastgroup, token[0]
        if kind == "close":
            _drop_comma(written)
            while closers and closers[-1] != word:
                written.append(closers.pop())
            written.append(closers.pop() if closers else "")
            if not closers:
                break
        elif kind != "blank" and not (word == "," and written[-1] in _BEFORE_COMMA):
            written.append(_said(kind, word))
            closers += [_CLOSERS[word]] if kind == "open" else []
    _drop_comma(written)
    if written and written[-1] == ":":
        written.append("null")
    return _spaced([*written, *reversed(closers)])


def _drop_comma(written: list[str]) -> None:
    while written and written[-1] == ",":
        written.pop()


def _said(kind: str | None, word: str) -> str:
    if kind == "string":
        return _quoted(word)
    return _literal(word) if kind == "word" else word


def _quoted(word: str) -> str:
    """A string in double quotes, with its line breaks escaped; one that is cut off ends where the text does."""
    closer = {"“": "”"}.get(word[0], word[0])
    inner = word[1:-1] if len(word) > 1 and word.endswith(closer) else _whole_escapes(word[1:])
    inner = _ESCAPED.sub(r"\1", inner)
    inner = re.sub(r'(?<!\\)((?:\\\\)*)"', r'\1\\"', inner) if word[0] != '"' else inner
    return f'"{_controls(inner)}"'


def _whole_escapes(text: str) -> str:
    """The text of a string that is cut off, without half an escape at its end."""
    text = _HALF.sub("", text)
    return text[:-1] if (len(text) - len(text.rstrip("\\"))) % 2 else text


def _controls(text: str) -> str:
    return "".join(json.dumps(mark)[1:-1] if mark < " " else mark for mark in text)


def _literal(word: str) -> str:
    """A word of JSON, a number, or a text whose quotes were forgotten."""
    if word in ("true", "false", "null"):
        return word
    if word in _WORDS:
        return _WORDS[word]
    if number := _NUMBER.match(word):
        sign, whole, part, power = number.groups()
        return f"{sign}{whole}{part if part and len(part) > 1 else ''}{power or ''}"
    return json.dumps(word, ensure_ascii=False)


def _spaced(tokens: list[str]) -> str:
    return "".join(f"{token} " if token in (",", ":") else token for token in tokens)
