"""A cache that also finds the answer to a question that means the same.

Only the last user text may differ: model, system prompt, earlier messages, tools and settings must be equal. The same
question is found first, without a vector. What "the same" is worth depends on the embedding model and on the questions:
choose the threshold by looking at pairs of your own, and don't use it where a single word decides.
"""

from __future__ import annotations

from ..backends.adapt import called
from ..backends.errors import BackendError
from ..backends.outage import Outage
from ..errors import ConfigurationError
from ..flow import NOW
from ..result import Err
from ..types import Embeddings, TextPart
from .cache import AnswerCache, Finding, as_cache
from .vectors import Nearest, UnitVector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..flow import Flow
    from .entry import CacheEntry
    from .key import CacheQuery


class SemanticCache(AnswerCache):
    """Answers by meaning, over a cache that keeps them.

        cache = SemanticCache(OpenAIEmbeddingAdapter(), cache=LLMCache(), threshold=0.95)

    `embedder` is an adapter of `lambdallm.llm.embedding`, or an object of one's own with `embed(texts)`; the vectors of
    the last `max_entries` questions are held in this process. A hit says `cache="semantic"`, and how near it is in
    `metadata["semantic_cache"]["similarity"]`. What a vector costs is part of the answer's cost, found or not. Where
    the embedder fails, or takes more than `timeout_seconds`, only equal questions are found, and the log says so.
    Raises `ConfigurationError` for a threshold outside 0 to 1.
    """

    def __init__(
        self,
        embedder: Any,
        *,
        cache: Any = None,
        threshold: float = 0.95,
        max_entries: int = 1000,
        timeout_seconds: float = 5.0,
    ) -> None:
        if not 0 < threshold <= 1:
            raise ConfigurationError(f"threshold is {threshold!r}.", fix="Use a cosine above 0, up to 1.")
        if max_entries < 1:
            raise ConfigurationError(f"max_entries is {max_entries!r}.", fix="Use a whole number of at least 1.")
        self.exact = as_cache(_in_memory(max_entries) if cache is None else cache)
        super().__init__(self.exact.answers)
        self.threshold = threshold
        self.nearest = Nearest(max_entries)
        self._embed = getattr(embedder, "embed_result", embedder.embed)
        self._seconds = timeout_seconds
        self._outage = Outage("questions by meaning", "only equal questions are found in the cache")

    def found(self, query: CacheQuery) -> Flow[Finding]:
        """The answer to the same question, or to the nearest one."""
        finding = yield from self.exact.found(query)
        asked = None if finding.entry is not None else question(query)
        if asked is None:
            return finding
        scope, text = asked
        vector, finding.surcharge_usd = yield from self._vector(text)
        if vector is not None:
            finding.vector = (scope, vector)
            yield from self._nearest_answer(finding, scope, vector)
        return finding

    def keep(
        self, query: CacheQuery, entry: CacheEntry, ttl_seconds: float | None, finding: Finding | None = None
    ) -> Flow[None]:
        """Keep the answer, and the question by its meaning; one asked to be fresh is kept by its words alone."""
        yield from self.exact.keep(query, entry, ttl_seconds, finding)
        if finding is not None and finding.vector is not None:
            scope, vector = finding.vector
            self.nearest.add(scope, query.key, vector)

    def _nearest_answer(self, finding: Finding, scope: str, vector: UnitVector) -> Flow[None]:
        """Find the nearest question whose answer is still kept; those whose answers are gone are forgotten."""
        while (near := self.nearest.find(scope, vector, self.threshold)) is not None:
            key, similarity = near
            finding.entry = yield from self.exact.kept.load(key)
            if finding.entry is not None:
                finding.source, finding.similarity = "semantic", similarity
                return
            if self.exact.kept.outage.error is not None:
                return
            self.nearest.remove(scope, key)

    def _vector(self, text: str) -> Flow[tuple[UnitVector | None, float | None]]:
        """A text's vector, where there is one, and what it cost."""
        if self._outage.resting((yield NOW).monotonic):
            return None, 0.0
        try:
            answer = yield from called(self._embed, [text], seconds=self._seconds)
            if isinstance(answer, Err):
                raise BackendError(str(answer.error))
        except BackendError as error:
            self._outage.failed(error, (yield NOW).monotonic)
            return None, 0.0
        self._outage.answered()
        answer = getattr(answer, "value", answer)
        if isinstance(answer, Embeddings):
            return UnitVector(answer.vectors[0]), answer.cost_usd
        return UnitVector(answer[0]), None


def question(query: CacheQuery) -> tuple[str, str] | None:
    """What a query asks: the scope that must be equal, and the text that may differ.

    `None` where its last message is no user's, or has no text of its own or several.
    """
    *before, last = query.request.messages or (None,)
    parts = last.parts if last is not None and last.role == "user" else ()
    texts = [part for part in parts if type(part) is TextPart]
    if last is None or len(texts) != 1 or not texts[0].text.strip():
        return None
    blank = tuple(part.replace(text="") if part is texts[0] else part for part in parts)
    request = query.request.replace(messages=(*before, last.replace(content=blank)))
    return query.replace(request=request).key, texts[0].text


def _in_memory(max_entries: int) -> AnswerCache:
    from .caches import LLMCache

    return LLMCache(max_entries)
