"""What the codecs of embeddings share: the texts of a request, what a provider has no word for, vectors in any form.

No codec itself. Facts that a catalog entry may declare of a model:

- `input_types`: the provider's words for `InputType`, over those of its protocol (`{"document": "passage"}`).
- `input_prefixes`: words that the model wants before a text instead (`{"query": "search_query: "}`).
- `dimensions_param`: the name of the setting that shortens vectors; `null` where there is none.
- `ignored`, `unsupported`: settings that are left out with a warning, or refused.
- `most_texts`, `most_tokens`: the limits of one request, which `embedding.batches` keeps.
"""

from __future__ import annotations

import json

from ..._value import Value
from ..errors import InvalidRequestError, ProviderResponseError, UnsupportedParameterError
from ..result import Err
from ..types import Usage
from .body import body_writer
from .headers import request_id
from .openai_chat.fields import count

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, TypeAlias

    from ...transport.types import Headers
    from ..errors import LLMError
    from ..types import EmbeddingRequest
    from .codec import Facts

    Vectors: TypeAlias = tuple[tuple[float, ...], ...]

as_bytes = body_writer()

_SETTINGS = ("dimensions", "input_type", "user")
_INPUT_TYPES = ("query", "document", "classification", "clustering", "similarity")


class Asked(Value):
    """A request in its provider's words. What is `None` is not sent; `warnings` name what was left out."""

    texts: tuple[str, ...]
    input_type: str | None
    dimensions: Mapping[str, int]
    user: str | None
    warnings: tuple[str, ...]


def asked(
    request: EmbeddingRequest,
    facts: Facts,
    *,
    input_types: Mapping[str, str],
    dimensions: str | None,
    user: bool = False,
) -> Asked:
    """What a protocol with these words sends for a request.

    A missing word for `input_type` or `user` is a warning, since the vectors are those the model makes for everyone;
    `dimensions` that can't be had are an error. Raises `InvalidRequestError` for no text, or an empty one.
    """
    check_texts(request.texts)
    request, warnings = _permitted(request, facts)
    texts, word = _typed(request, facts, input_types, warnings)
    if request.user is not None and not user:
        warnings.append("'user' was left out: embeddings of this provider have no place for it")
    sizes = _sized(request, facts.get("dimensions_param", dimensions))
    return Asked(texts, word, sizes, request.user if user else None, tuple(warnings))


def check_texts(texts: tuple[Any, ...]) -> None:
    """Raise `InvalidRequestError` for no text, an empty one, or what is no text."""
    wrong = next((place for place, text in enumerate(texts) if not text or not isinstance(text, str)), None)
    if texts and wrong is None:
        return
    what = "No text was given" if wrong is None else f"Text {wrong} is {_shown(texts[wrong])}"
    raise InvalidRequestError(f"{what}; there is nothing to embed.", fix="Leave empty texts out.", param="texts")


def _shown(text: object) -> str:
    return "empty" if text == "" else f"{text!r:.40}"


def _permitted(request: EmbeddingRequest, facts: Facts) -> tuple[EmbeddingRequest, list[str]]:
    """The request without the settings that the entry calls ignored, and a warning for each."""
    given = [name for name in _SETTINGS if getattr(request, name) is not None]
    for name in given:
        if name in facts.get("unsupported", ()):
            raise unsupported(name, "this model does not take it")
    ignored = [name for name in given if name in facts.get("ignored", ())]
    warnings = [f"{name!r} was left out: this provider ignores it" for name in ignored]
    return request.replace(**dict.fromkeys(ignored)), warnings


def _typed(
    request: EmbeddingRequest, facts: Facts, known: Mapping[str, str], warnings: list[str]
) -> tuple[tuple[str, ...], str | None]:
    """The texts and the word that says what they are for, ours or the provider's; of prefix and word a model has one.

    Raises `InvalidRequestError` for a word that is neither.
    """
    kind = request.input_type
    if kind is None:
        return request.texts, None
    if (prefixes := facts.get("input_prefixes")) is not None:
        known, prefix, word = prefixes, prefixes.get(kind, ""), None
    else:
        known, prefix = facts.get("input_types") or known, ""
        word = known.get(kind, kind if kind in known.values() else None)
    if kind not in known and not word:
        if kind not in _INPUT_TYPES:
            fix = f"Known: {', '.join((*_INPUT_TYPES, *known.values()))}."
            raise InvalidRequestError(f"'input_type' is {kind!r}.", fix=fix, param="input_type")
        warnings.append(f"'input_type' {kind!r} was left out: this model makes no such difference")
    return tuple(prefix + text for text in request.texts) if prefix else request.texts, word


def _sized(request: EmbeddingRequest, name: str | None) -> dict[str, int]:
    if request.dimensions is None:
        return {}
    if name is None:
        raise unsupported("dimensions", "this model has one size of vector")
    return {name: request.dimensions}


def unsupported(param: str, why: str) -> UnsupportedParameterError:
    """The error for a parameter that can't be said."""
    return UnsupportedParameterError(f"{param!r} can't be sent: {why}.", param=param)


def refuse_packed_integers(extra: Mapping[str, Any]) -> None:
    """An answer does not say what its base64 holds: floats are assumed, so that integers have to come as lists."""
    kind = extra.get("output_dtype") or "float"
    if extra.get("encoding_format") == "base64" and kind != "float":
        raise unsupported("encoding_format", f"with output_dtype {kind!r} vectors come as lists of integers")


def parsed(body: bytes) -> Any:
    """The JSON of an answer, or the error that says why there is none."""
    try:
        return json.loads(body.decode("utf-8", "replace"))
    except (ValueError, RecursionError) as reason:
        return ProviderResponseError(f"The answer is no JSON ({reason or 'too deep'}).")


def unreadable(status: int, headers: Headers, reason: LLMError | None = None) -> Err[LLMError]:
    """The answer holds no vectors, for `reason` or at all."""
    error = reason or ProviderResponseError("The answer holds no vectors.")
    error.status, error.request_id = status, request_id(headers)
    return Err(error)


def in_order(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """By `index` where every row has one; as they came otherwise."""
    if any(type(row.get("index")) is not int for row in rows):
        return rows
    return sorted(rows, key=lambda row: row["index"])


def vectors(values: Any) -> Vectors | None:
    """A list of vectors, each in any form; `None` unless all are vectors."""
    if not isinstance(values, list) or not values:
        return None
    found = [vector(value) for value in values]
    return None if None in found else tuple(one for one in found if one is not None)


def vector(value: Any) -> tuple[float, ...] | None:
    """A vector sent as numbers, or as base64 of little-endian 32-bit floats."""
    if isinstance(value, list):
        return tuple(value) if value and all(type(number) in (int, float) for number in value) else None
    if not isinstance(value, str) or not value:
        return None
    from binascii import Error, a2b_base64
    from struct import error, unpack

    try:
        packed = a2b_base64(value)
        return unpack(f"<{len(packed) // 4}f", packed) or None
    except (Error, error, ValueError):
        return None


def typed_vectors(by_type: Any) -> dict[str, Vectors]:
    """The vectors of each type; types that hold none are left out."""
    if not isinstance(by_type, dict):
        return {}
    return {kind: found for kind, values in by_type.items() if (found := vectors(values)) is not None}


def first_of(by_type: Mapping[str, Vectors]) -> Vectors | None:
    """The floats, or else the first type's vectors."""
    return by_type.get("float") or next(iter(by_type.values()), None)


def token_usage(native: Any, *names: str) -> Usage | None:
    """Usage of embeddings: the input's tokens, under the first of these names that counts any."""
    if not isinstance(native, dict) or not native:
        return None
    return Usage(next((number for name in names if (number := count(native.get(name)))), 0), native=native)
