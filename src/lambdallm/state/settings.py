"""What a `Session` is configured with, checked: the same for all conversations of a handler."""

from __future__ import annotations

from .._value import Value
from ..llm.errors import ConfigurationError
from .auto_session import source_of, sources_of
from .strategies import MemoryStrategy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from ..llm.flow import Flow
    from ..llm.protocols import TokenCounterProtocol
    from ..llm.types import ChatMessage
    from .auto_session import Source
    from .history import Limits
    from .sealed import Encryption
    from .store import StateStore
    from .summary import Summarizer

_TOKENS = 4000
_OF_WINDOW = 0.5


class SessionSettings(Value):
    """The arguments of a `Session`, in their own kinds; see there."""

    store: Any
    ttl_seconds: float | None
    memory: MemoryStrategy
    max_messages: int
    max_tokens: int | None
    model: str | None
    counter: TokenCounterProtocol | None
    summarize: Callable[..., Any] | None
    summary_model: str | None
    sources: tuple[Source, ...]
    owner: str | Callable[[Any, Any], Any] | None
    known_ids_only: bool
    encryption: Encryption | None

    def within(self, context: Any) -> SessionSettings:
        """The settings in an invocation: the handler's model, where none is named."""
        model = getattr(getattr(context, "settings", None), "model", None)
        return self.replace(model=str(model)) if self.model is None and model else self

    def limits(self) -> Limits:
        """How much of a history is shown."""
        from .history import Limits

        if self.memory is not MemoryStrategy.TOKEN_BUFFER:
            return Limits(self.memory, self.max_messages)
        return Limits(self.memory, self.max_messages, self._tokens(), self._count)

    def summarizer(self, context: Any = None) -> Summarizer | None:
        """Who sums up: a function of one's own, the invocation's models, a named model, or nobody."""
        if self.memory is not MemoryStrategy.SUMMARY:
            return None
        from .summary import asking, calling, foreign

        if self.summarize is not None:
            return foreign(self.summarize)
        if hasattr(context, "asked"):
            return asking(context, self.summary_model)
        return None if self.summary_model is None else calling(self.summary_model)

    def stored(self) -> Flow[StateStore]:
        """The store that is meant, the same one for every session of this process. Raises `ConfigurationError`."""
        from .stores import store_of

        store = yield from store_of(self.store)
        if self.encryption is None:
            return store
        from .sealed import SealedStore

        return SealedStore(store, self.encryption)

    def _tokens(self) -> int:
        if self.max_tokens is not None:
            return self.max_tokens
        from .context_window import ContextWindow

        window = None if self.model is None else ContextWindow(self.model).tokens
        return _TOKENS if window is None else int(window * _OF_WINDOW)

    def _count(self, messages: Sequence[ChatMessage]) -> int:
        from .context_window import ContextWindow

        return ContextWindow(self.model or "", counter=self.counter).count(messages)


def settings_of(*, ttl_hours: Any, memory: Any, id_from: Any, **given: Any) -> SessionSettings:
    """The settings that a session's arguments mean. Raises `ConfigurationError`."""
    if ttl_hours is not None and (isinstance(ttl_hours, bool) or not _is_positive(ttl_hours, (int, float))):
        raise ConfigurationError(f"ttl_hours is {ttl_hours!r}.", fix="Give hours above 0, or None to keep sessions.")
    for name in ("max_messages", "max_tokens"):
        if not _is_positive(given[name], int) and not (name == "max_tokens" and given[name] is None):
            raise ConfigurationError(f"{name} is {given[name]!r}.", fix="Give a whole number above 0.")
    try:
        strategy = MemoryStrategy(memory)
    except ValueError:
        fix = f"Use one of {', '.join(each.value for each in MemoryStrategy)}."
        raise ConfigurationError(f"memory is {memory!r}.", fix=fix) from None
    if isinstance(given["owner"], str):
        source_of(given["owner"])
    _check_encryption(given["encryption"])
    _check_store(given["store"])
    seconds = None if ttl_hours is None else ttl_hours * 3600
    return SessionSettings(ttl_seconds=seconds, memory=strategy, sources=sources_of(id_from), **given)


def _is_positive(value: Any, kind: Any) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool) and 0 < value < float("inf")


def _check_encryption(encryption: object) -> None:
    if encryption is not None and not (hasattr(encryption, "encrypt") and hasattr(encryption, "decrypt")):
        fix = "Give an object with encrypt(bytes) and decrypt(bytes)."
        raise ConfigurationError(f"{encryption!r} is no encryption.", fix=fix)


def _check_store(store: object) -> None:
    from .stores import check_store

    check_store(store)
