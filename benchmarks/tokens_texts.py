"""Texts of many kinds, cut into pieces: what token counters are fitted to and measured on.

Prose, reference text and code come with Python; translations, JavaScript, CSS and HTML from Django's wheel; tables,
numbers, JSON and emoji are made from a fixed seed. Every piece has its kind; the same pieces come on every machine that
has the same versions.
"""

from __future__ import annotations

import json
import random
import re
import sysconfig
import unicodedata
import zipfile
from collections.abc import Iterator
from pathlib import Path

LENGTHS = (100, 200, 400, 900, 2500)
LANGUAGES = {
    "fr": "European", "de": "European", "es": "European", "pt": "European", "it": "European", "pl": "European",
    "tr": "European", "cs": "European", "vi": "Vietnamese", "ru": "Cyrillic", "uk": "Cyrillic", "el": "Greek",
    "ar": "Arabic", "fa": "Arabic", "he": "Hebrew", "hi": "Hindi", "th": "Thai", "ko": "Korean", "ja": "Japanese",
    "zh_Hans": "Chinese", "zh_Hant": "Chinese",
}  # fmt: skip
MOST = 120
"""Pieces of one kind."""


def pieces(django: Path) -> list[tuple[str, str]]:
    """All pieces with their kinds, in a fixed order; `django` is its wheel."""
    found = []
    for kind, texts in sources(django):
        chosen = random.Random(kind).sample(cut := list(cuts(texts)), min(MOST, len(cut)))
        found += [(kind, piece) for piece in chosen]
    return found


def sources(django: Path) -> Iterator[tuple[str, list[str]]]:
    library = Path(sysconfig.get_path("stdlib"))
    with zipfile.ZipFile(django) as wheel:
        yield "English", english(library)
        yield "Python", [path.read_text() for path in sorted(library.glob("[a-h]*.py"))[:40]]
        yield "C", [p.read_text() for p in sorted(Path(sysconfig.get_path("include")).rglob("*.h"))[:40]]
        for kind, suffix in (("JavaScript", ".js"), ("HTML", ".html"), ("CSS", ".css")):
            names = sorted(name for name in wheel.namelist() if name.endswith(suffix) and ".min." not in name)
            yield kind, ["\n\n".join(wheel.read(name).decode() for name in names)]
        for kind in sorted(set(LANGUAGES.values())):
            yield kind, [translated(wheel, language) for language, its in LANGUAGES.items() if its == kind]
    random_ = random.Random(7)
    yield "JSON", [json.dumps(rows(random_), indent=indent) for indent in (None, 2)]
    yield "numbers", [numbers(random_)]
    yield "tables", [tables(random_)]
    yield "ids and base64", [identifiers(random_)]
    yield "emoji", [emoji(random_)]


def english(library: Path) -> list[str]:
    """The reference manual as it comes with Python, and the docstrings of a few modules."""
    topics: dict[str, str] = {}
    exec((library / "pydoc_data/topics.py").read_text(), topics)
    manual = "\n\n".join(topics["topics"].values())
    paragraphs = [" ".join(block.split()) for block in manual.split("\n\n") if "::" not in block and "  " in block]
    return ["\n\n".join(each for each in paragraphs if each.count(" ") > 20)]


def translated(wheel: zipfile.ZipFile, language: str) -> str:
    """The sentences of Django's translations, a line each."""
    names = sorted(n for n in wheel.namelist() if n.endswith(f"locale/{language}/LC_MESSAGES/django.po"))
    texts = []
    for name in names:
        for block in re.findall(r'^msgstr(?:\[\d\])? ((?:".*"\s*\n?)+)', wheel.read(name).decode(), re.M)[1:]:
            text = "".join(json.loads(line) for line in block.splitlines() if line.strip())
            if len(text) > 12:
                texts.append(text)
    return "\n".join(texts)


def cuts(texts: list[str]) -> Iterator[str]:
    """Pieces of each length in turn, cut at a line's or a word's end."""
    turn = 0
    for text in texts:
        place = 0
        while place < len(text) - LENGTHS[0]:
            end = place + LENGTHS[turn % len(LENGTHS)]
            border = max(text.rfind("\n", place, end), text.rfind(" ", place, end))
            end = border if border > place + 60 else end
            yield text[place:end]
            place, turn = end, turn + 1


WORDS = (
    "order", "customer", "invoice", "price_total", "created_at", "status", "shipped", "pending", "address", "city",
    "country", "quantity", "sku",
)  # fmt: skip


def rows(random_: random.Random) -> list[dict]:
    return [
        {
            "id": random_.randrange(10**6), "name": " ".join(random_.choices(WORDS, k=2)),
            random_.choice(WORDS): round(random_.random() * 1000, 2), "tags": random_.choices(WORDS, k=3),
            "active": random_.random() < 0.5, "at": f"2026-{random_.randrange(1, 13):02}-{random_.randrange(1, 29):02}",
        }
        for _ in range(400)
    ]  # fmt: skip


def numbers(random_: random.Random) -> str:
    def number() -> str:
        return f"{random_.random() * 10 ** random_.randrange(7):.{random_.randrange(5)}f}"

    return "\n".join(",".join(number() for _ in range(8)) for _ in range(900))


def tables(random_: random.Random) -> str:
    return "\n".join(
        "| " + " | ".join(f"{random_.choice(WORDS):<{random_.randrange(10, 30)}}" for _ in range(4)) + " |"
        if number % 9
        else "|" + "|".join("-" * random_.randrange(8, 30) for _ in range(4)) + "|"
        for number in range(1200)
    )


def identifiers(random_: random.Random) -> str:
    hexes = ("".join(random_.choices("0123456789abcdef", k=32)) for _ in range(500))
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    coded = ("".join(random_.choices(letters, k=random_.randrange(20, 76))) for _ in range(500))
    return "\n".join(line for pair in zip(hexes, coded, strict=True) for line in pair)


def emoji(random_: random.Random) -> str:
    known = [chr(c) for c in (*range(0x2600, 0x27B0), *range(0x1F300, 0x1F650)) if unicodedata.name(chr(c), "")]
    return " ".join(f"{random_.choice(WORDS)} {''.join(random_.choices(known, k=3))}" for _ in range(3000))
