"""The models that a gateway serves, as its endpoints see them: a name, and flows of whole and streamed answers.

What a configuration makes of names (groups, routes, fallbacks, caches) fits the two ports here; the plain form is one
target of the catalog for each name.
"""

from __future__ import annotations

from .._value import Value
from ..llm.call import CallSettings
from ..llm.types import EMPTY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any, Protocol

    from ..llm.catalog.resolve import Target
    from ..llm.errors import LLMError
    from ..llm.flow import Flow
    from ..llm.result import Result
    from ..llm.types import ChatRequest, Completion

    class Recorded(Protocol):
        """What a stream has delivered so far."""

        def completion(self) -> Completion:
            """The answer from what has come."""
            ...

    class Served(Protocol):
        """A model under the name that clients use.

        `target` is the one who answers, `None` where it is chosen call by call; `direct` says that a request in the
        target's own protocol may go to it as it is: nothing (a cache, a filter, a fallback) has to read it.
        """

        @property
        def name(self) -> str:
            """The name that clients use."""
            ...

        @property
        def target(self) -> Target | None:
            """Who answers, where that is always the same."""
            ...

        @property
        def direct(self) -> bool:
            """Whether requests may pass through."""
            ...

        @property
        def settings(self) -> CallSettings:
            """How its target is called."""
            ...

        def chat(self, request: ChatRequest, deadline: float | None) -> Flow[Result[Completion, LLMError]]:
            """A whole answer."""
            ...

        def stream(self, request: ChatRequest, deadline: float | None) -> tuple[Flow[Result[None, LLMError]], Recorded]:
            """A flow that emits `StreamChunk`s, and the record that it keeps."""
            ...

    class Models(Protocol):
        """The models of a gateway."""

        def find(self, name: str) -> Served:
            """The model of that name. Raises `LLMModelNotFoundError`."""
            ...

        def listed(self) -> Iterable[Served]:
            """Those that clients are told of."""
            ...


class OneTarget(Value):
    """A model that one target of the catalog answers."""

    name: str
    target: Target
    settings: CallSettings = CallSettings(max_retries=1)
    direct: bool = True

    def chat(self, request: ChatRequest, deadline: float | None) -> Flow[Result[Completion, LLMError]]:
        """A whole answer."""
        from ..llm.pipeline import chat

        return chat(request, self.target, self.settings.replace(deadline=deadline))

    def stream(self, request: ChatRequest, deadline: float | None) -> tuple[Flow[Result[None, LLMError]], Recorded]:
        """The answer in pieces, with its record."""
        from ..llm.pipeline import stream_chat
        from ..llm.streaming.record import StreamRecord

        record = StreamRecord(self.target)
        return stream_chat(request, self.target, self.settings.replace(deadline=deadline), record), record


class CatalogModels:
    """Names of one's own for models of the catalog (`{"fast": "openai/gpt-4o-mini"}`).

    With `every` all models that the catalog can resolve are served too, under the catalog's names.
    """

    def __init__(
        self, aliases: Mapping[str, str] = EMPTY, *, every: bool = False, catalog: Any = None, **settings: Any
    ) -> None:
        self._aliases, self._every, self._catalog = dict(aliases), every, catalog
        self._settings = CallSettings(**{"max_retries": 1, **settings})
        self._found: dict[str, OneTarget] = {}

    def find(self, name: str) -> OneTarget:
        """The model of that name. Raises `LLMModelNotFoundError`."""
        if (found := self._found.get(name)) is None:
            found = self._resolved(name)
            if len(self._found) < 1000:  # names come from outside
                self._found[name] = found
        return found

    def listed(self) -> list[OneTarget]:
        """The names of one's own."""
        return [self.find(name) for name in self._aliases]

    def _resolved(self, name: str) -> OneTarget:
        from ..llm.catalog.resolve import resolve

        if name not in self._aliases and not self._every:
            from ..llm.errors import LLMModelNotFoundError

            fix = "GET /v1/models lists those there are."
            raise LLMModelNotFoundError(f"The model {name[:200]!r} does not exist.", fix=fix)
        return OneTarget(name, resolve(self._aliases.get(name, name), self._catalog), self._settings)
