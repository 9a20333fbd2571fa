"""Vectors of texts within an invocation: which model makes them, and what a checkpoint has of them already."""

from __future__ import annotations

from ..llm.call import CallSettings
from ..llm.catalog.resolve import resolve, resolve_embedding
from ..llm.embedding.batches import checked_texts
from ..llm.embedding.flow import embed
from ..llm.errors import ConfigurationError, DeadlineExceededError, LLMError
from ..llm.options import check_options
from ..llm.result import Err
from ..llm.types import EmbeddingRequest
from ..providers.registry import plugged_in
from .late import is_late, out_of_time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from ..llm.catalog.resolve import Target
    from ..llm.flow import Flow
    from ..llm.result import Result
    from ..llm.types import Embeddings


def vectors(
    context: Any, texts: str | Sequence[str], model: str | None, options: Mapping[str, Any]
) -> Flow[Embeddings]:
    """A vector for each text."""
    check_options(options, ("dimensions", "input_type", "user", "extra"))
    listed = checked_texts([texts] if isinstance(texts, str) else texts)
    chosen = model or context.settings.embedding_model
    named = str(chosen or context.settings.model)
    if (plugged := plugged_in(named)) is not None:
        found = _plugged_vectors(*plugged, listed)
        context.note_embeddings(found)
        return found
    target = resolve_embedding(named) if chosen else _default(named)
    request = EmbeddingRequest(target.model.id, listed, **options)
    if context.journal is None:
        return (yield from _made(context, request, target))
    place = yield from context.journal.next([target.name, request])
    if place.answer is not None:
        kept: Embeddings = place.answer
        return kept
    found = yield from _made(context, request, target)
    yield from context.journal.keep(place, found)
    return found


def _made(context: Any, request: EmbeddingRequest, target: Target) -> Flow[Embeddings]:
    settings = CallSettings(deadline=context.deadline, max_retries=context.settings.max_retries)
    result: Result[Embeddings, LLMError | DeadlineExceededError]
    try:
        result = yield from embed(request, target, settings)
    except DeadlineExceededError as error:
        result = Err(error)
    if not isinstance(result, Err):
        context.note_embeddings(result.value)
        return result.value
    if isinstance(result.error, LLMError):
        context.note_embeddings(result.error)
    if (yield from is_late(context, result.error, settings.max_retries)):
        raise out_of_time(context, result.error)
    raise result.error


def _default(model: str) -> Target:
    """The default embedding model of a chat model's provider. Raises `ConfigurationError` where it has none."""
    provider = resolve(model).provider
    if provider.default_embedding_model is None:
        fix = "Pass model=…, or embedding_model=… to @handler."
        raise ConfigurationError(f"{provider.title or provider.name} has no default embedding model.", fix=fix)
    return resolve_embedding(provider.name)


def _plugged_vectors(provider: Any, model: str, texts: tuple[str, ...]) -> Embeddings:
    """The vectors of a plug-in, which may have a method for them. Raises `ConfigurationError` where it has none."""
    embed = getattr(provider, "embed", None)
    if embed is None:
        fix = f"Give {type(provider).__name__} a method embed(texts, model), or name another model."
        raise ConfigurationError(f"The provider of {model!r} has no embeddings.", fix=fix)
    found: Embeddings = embed(texts, model)
    return found
