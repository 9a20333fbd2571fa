"""OpenAI's embeddings requests answered by a sentence embedding model in this process."""

from __future__ import annotations

from ...clients import openai_shapes
from ...clients.in_process import refuse
from .engines import engine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .engines import Engine

    Json = dict[str, Any]


def answer(body: Json) -> Json:
    """The vectors of a request's texts. Raises `Refusal`, `ConfigurationError` and `MissingExtraError`.

    A text above the model's limit is refused, since its end would count for nothing; `"truncate": true` allows that.
    """
    texts = _texts(body)
    if body.get("dimensions") is not None:
        refuse(400, "The model has one size of vector; leave out 'dimensions'.", param="dimensions")
    running = engine(body["model"])
    counts = running.count(texts)
    if not body.get("truncate"):
        _check_lengths(counts, running)
    limit = running.model.max_tokens
    vectors, tokens = running.encode(texts), sum(min(count, limit) for count in counts)
    packed = body.get("encoding_format") == "base64"
    return openai_shapes.embeddings(running.model.id, vectors, tokens, base64=packed)


def _texts(body: Json) -> list[str]:
    given = body.get("input")
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) and text for text in texts):
        refuse(400, "'input' must be a text or a list of texts, none of them empty.", param="input")
    return texts


def _check_lengths(counts: list[int], running: Engine) -> None:
    limit = running.model.max_tokens
    place = next((place for place, count in enumerate(counts) if count > limit), None)
    if place is not None:
        refuse(
            400,
            f"Text {place} has {counts[place]} tokens; {running.model.id!r} reads {limit}. "
            "Split it, or allow cutting it off with extra={'truncate': True}.",
            kind="exceed_context_size_error",
            param="input",
        )
