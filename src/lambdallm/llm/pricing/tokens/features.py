"""What the estimate of a text's tokens is made of: counts of its words, digits, signs, blanks and scripts.

Tokenizers split text into words, runs of digits, runs of signs and blanks before they merge bytes, so that counts of
those tell nearly all. Everything is counted by `bytes.translate`, `split` and `Counter`: a few C calls for a text, no
loop over its characters. Knows no model: weights are data, in `weights.json`.
"""

from __future__ import annotations

from bisect import bisect_right

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

LETTERS, DIGITS, BLANKS = "abcdefghijklmnopqrstuvwxyz", "0123456789", " \t\n\r\v\f"

_SCRIPTS = (
    (0x80, "latin"), (0x370, "greek"), (0x400, "cyrillic"), (0x530, "other"), (0x590, "hebrew"), (0x600, "arabic"),
    (0x780, "other"), (0x900, "devanagari"), (0x980, "indic"), (0xE00, "thai"), (0xE80, "other"), (0x1100, "hangul"),
    (0x1200, "other"), (0x1E00, "latin"), (0x1F00, "greek"), (0x2000, "signs"), (0x2190, "symbols"), (0x2E80, "han"),
    (0x3000, "cjk_signs"), (0x3040, "kana"), (0x3100, "han"), (0x3130, "hangul"), (0x3190, "han"), (0xAC00, "hangul"),
    (0xD7B0, "other"), (0xF900, "han"), (0xFB00, "other"), (0xFB50, "arabic"), (0xFE00, "symbols"),
    (0xFF00, "cjk_signs"), (0xFFF0, "other"), (0x1F000, "symbols"), (0x20000, "han"), (0x30000, "other"),
)  # fmt: skip
"""Where Unicode's scripts begin, coarsely: those whose characters cost alike go together."""

_SPELT = ("latin", "greek", "cyrillic", "hebrew", "arabic", "devanagari", "indic", "thai", "hangul", "kana", "han")

_STARTS = tuple(start for start, _ in _SCRIPTS)

NAMES = (
    "words", "letters_5", "letters_10", "humps", "capitals", "digits", "digit_runs", "digit_thirds", "digit_blanks",
    "sign_runs", "signs", "sign_repeats", "line_runs", "indents", "long_indents", "tabs", "foreign_runs",
    "foreign_bytes_10",
    *sorted({script for _, script in _SCRIPTS}),
)  # fmt: skip
"""The counts: words of ASCII letters, their letters beyond the fifth and the tenth, lower case before upper case,
pairs of capitals; digits, their runs, their runs in threes, blanks before them; runs of signs, signs, pairs of the same
of the commonest; runs of line breaks, runs of blanks and the blanks in them, tabs; runs of other characters, and the
characters by script."""


def _table(**marks: str) -> bytes:
    """A table for `bytes.translate` that turns the characters of each mark into it, and all others into a blank."""
    table = bytearray(b" " * 256)
    for mark, characters in marks.items():
        for character in characters.encode("latin-1"):
            table[character] = ord(mark)
    return bytes(table)


_FOREIGN = "".join(map(chr, range(0x80, 0x100)))
_SIGNS = "".join(c for c in map(chr, range(0x21, 0x7F)) if not c.isalnum())
_IN_WORDS = _table(a=LETTERS + LETTERS.upper())
_IN_DIGITS = _table(d=DIGITS)
_IN_SIGNS = _table(s=_SIGNS)
_IN_FOREIGN = _table(f=_FOREIGN)
_IN_LATIN_WORDS = _table(a=LETTERS + LETTERS.upper() + _FOREIGN)
_KINDS = _table(a=LETTERS, A=LETTERS.upper(), d=DIGITS, s=_SIGNS, f=_FOREIGN, n="\n\r", t="\t")


def features(text: str) -> dict[str, int]:
    """The counts of a text by name; those that are zero may be missing."""
    from collections import Counter

    raw = text.encode("utf-8", "surrogatepass")
    foreign = {} if text.isascii() else _foreign(raw, Counter(text))
    latin = 2 * foreign.get("latin", 0) > sum(foreign.get(script, 0) for script in _SPELT)
    words = Counter(map(len, raw.translate(_IN_LATIN_WORDS if latin else _IN_WORDS).split()))
    digits = Counter(map(len, raw.translate(_IN_DIGITS).split()))
    kinds = raw.translate(_KINDS)
    return {
        "words": sum(words.values()),
        "letters_5": sum(count * (length - 5) for length, count in words.items() if length > 5),
        "letters_10": sum(count * (length - 10) for length, count in words.items() if length > 10),
        "humps": kinds.count(b"aA"),
        "capitals": kinds.count(b"AA"),
        "digits": sum(count * length for length, count in digits.items()),
        "digit_runs": sum(digits.values()),
        "digit_thirds": sum(count * -(-length // 3) for length, count in digits.items()),
        "digit_blanks": kinds.count(b" d"),
        "sign_runs": len(raw.translate(_IN_SIGNS).split()),
        "signs": kinds.count(b"s"),
        "sign_repeats": raw.count(b"--") + raw.count(b"==") + raw.count(b"**") + raw.count(b"//") + raw.count(b"__"),
        "line_runs": kinds.count(b"n") - kinds.count(b"nn"),
        "indents": kinds.count(b"  "),
        "long_indents": kinds.count(b"        "),
        "tabs": kinds.count(b"t"),
        **(foreign | {"foreign_runs": 0, "foreign_bytes_10": 0} if latin else foreign),
    }


def _foreign(raw: bytes, characters: Mapping[str, int]) -> dict[str, int]:
    """The counts of what is not ASCII."""
    runs = [len(run) for run in raw.translate(_IN_FOREIGN).split()]
    found = {"foreign_runs": len(runs), "foreign_bytes_10": sum(size - 10 for size in runs if size > 10)}
    for character, count in characters.items():
        if character > "\x7f":
            script = _SCRIPTS[bisect_right(_STARTS, ord(character)) - 1][1]
            found[script] = found.get(script, 0) + count
    return found
