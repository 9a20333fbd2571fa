"""Which texts go into one request, and how the answers to several become one. Pure: nothing is sent here."""

from __future__ import annotations

from itertools import pairwise

from ..._value import Value
from ..errors import ConfigurationError, InvalidRequestError
from ..types import EMPTY, Embeddings, Usage
from ..wire.embedding import check_texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from ..types import EmbeddingRequest

_BYTES_A_TOKEN = 2
"""Fewer than in any language that models are trained on (English has 4): batches are cut too early, never too late."""


class Limits(Value):
    """The most that a provider takes in one request; `None` where it has no limit."""

    texts: int | None = None
    tokens: int | None = None


class Batch(Value):
    """Texts of one request, from number `start` on, of `total`."""

    request: EmbeddingRequest
    start: int = 0
    total: int = 0

    @property
    def place(self) -> str:
        """Which texts these are, in words; empty where they are all."""
        size = len(self.request.texts)
        if size == self.total:
            return ""
        last = self.start + size - 1
        return f"text {self.start}" if size == 1 else f"texts {self.start} to {last}"


def limits_of(facts: Mapping[str, Any], most_texts: int | None, batch_size: int | None = None) -> Limits:
    """A model's limits: what its facts declare, else what its protocol allows; never above `batch_size`."""
    if batch_size is not None and (type(batch_size) is not int or batch_size < 1):
        raise ConfigurationError(f"batch_size is {batch_size!r}.", fix="Use a whole number of at least 1.")
    declared = facts.get("most_texts", most_texts)
    known = [limit for limit in (declared, batch_size) if limit is not None]
    return Limits(min(known, default=None), facts.get("most_tokens"))


def checked_texts(texts: Sequence[str]) -> tuple[str, ...]:
    """The texts as a tuple. Raises `InvalidRequestError` for one string, which would be taken letter by letter."""
    if isinstance(texts, (str, bytes)):
        fix = "Put it into a list: embed([text])."
        raise InvalidRequestError(f"texts is {texts[:40]!r}, not a list of texts.", fix=fix, param="texts")
    return tuple(texts)


def batches(request: EmbeddingRequest, limits: Limits) -> list[Batch]:
    """The requests to send, in the order of the texts.

    Raises `InvalidRequestError` before the first is sent for no text, an empty one, or what is no text. A text above
    the limit of tokens goes alone: whether it is shortened or refused is the provider's to say.
    """
    check_texts(request.texts)
    bounds = [0, *_cuts(request.texts, limits), len(request.texts)]
    total = len(request.texts)
    return [Batch(request.replace(texts=request.texts[start:end]), start, total) for start, end in pairwise(bounds)]


def _cuts(texts: tuple[str, ...], limits: Limits) -> Iterator[int]:
    """The places where a new batch begins."""
    size, tokens = 0, 0
    for place, text in enumerate(texts):
        weight = estimated_tokens(text) if limits.tokens is not None else 0
        full = limits.texts is not None and size >= limits.texts
        heavy = limits.tokens is not None and tokens + weight > limits.tokens
        if size and (full or heavy):
            yield place
            size, tokens = 0, 0
        size, tokens = size + 1, tokens + weight


def estimated_tokens(text: str) -> int:
    """No fewer tokens than any tokenizer makes of a text that is language or code."""
    return len(text.encode("utf-8", "replace")) // _BYTES_A_TOKEN + 1


def joined(answers: Sequence[Embeddings]) -> Embeddings:
    """One answer from those to each batch. Usage and cost are unknown where one batch's are."""
    if len(answers) == 1:
        return answers[0]
    first = answers[0]
    return first.replace(
        vectors=tuple(vector for answer in answers for vector in answer.vectors),
        usage=total_usage(answers),
        cost_usd=_cost(answers),
        by_type=_by_type(answers),
        warnings=tuple(dict.fromkeys(warning for answer in answers for warning in answer.warnings)),
        metadata={"batches": [answer.metadata for answer in answers]} if any(a.metadata for a in answers) else EMPTY,
        requests=len(answers),
        attempts=sum(answer.attempts for answer in answers),
    )


def total_usage(answers: Sequence[Embeddings]) -> Usage | None:
    """What all batches used; `None` where one does not say."""
    known = [answer.usage for answer in answers if answer.usage is not None]
    return sum(known, Usage()) if known and len(known) == len(answers) else None


def _cost(answers: Sequence[Embeddings]) -> float | None:
    costs = [answer.cost_usd for answer in answers if answer.cost_usd is not None]
    return sum(costs) if len(costs) == len(answers) else None


def _by_type(answers: Sequence[Embeddings]) -> Mapping[str, tuple[tuple[float, ...], ...]]:
    """The types that every batch has."""
    shared = [kind for kind in answers[0].by_type if all(kind in answer.by_type for answer in answers)]
    return {kind: tuple(v for answer in answers for v in answer.by_type[kind]) for kind in shared} or EMPTY
