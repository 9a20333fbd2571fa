"""`Session`: a conversation and its data that outlive an invocation.

    session = Session(store="memory", memory=MemoryStrategy.SLIDING_WINDOW, max_messages=20)
    session.load("user-7")
    session.add_message("user", "Hi")
    session.save()

It is both a configuration (`@handler(session=Session(…))`) and, once it has an id, one conversation. A save appends a
turn to a journal and never rewrites it: whoever finds that somebody else has saved meanwhile reads what is new and puts
its own turn behind it, so concurrent turns lose nothing. What is kept of a long history is `history`'s to decide, where
journals are is a store's.
"""

from __future__ import annotations

from .._value import Value
from ..llm.errors import ConfigurationError
from ..llm.types import EMPTY
from .auto_session import checked_id, cookie, found_in, key_of, new_id, owner_of
from .journal import Journal
from .settings import SessionSettings, settings_of
from .strategies import MemoryStrategy as MemoryStrategy
from .transcript import Transcript, Turn, copied, fingerprint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Self

    from ..llm.flow import Flow
    from ..llm.protocols import TokenCounterProtocol
    from ..llm.types import ChatMessage, Part, ProviderPart, Role, ToolDefinition
    from .context_window import Fitted
    from .history import Dropped
    from .sealed import Encryption
    from .store import StateStore

_SHOWN = 12
"""So many characters of an id are shown: who knows all of them can open the session."""
_ROLES = ("system", "developer", "user", "assistant", "tool")


class Session:
    """A conversation with persistent state.

    `store` is `"dynamodb"`, `"memory"`, `"file"` or `"redis"`, each with a place after a colon where wanted
    (`"dynamodb:my-table"`, `"file:/tmp/state.db"`, `"redis://host:6379/0"`), a store of this package, or an object with
    `get(session_id)` and `put(session_id, data, ttl_seconds)`. A session is forgotten `ttl_hours` after its last save,
    never with `None`. `memory` says which of its messages a model is shown: see `MemoryStrategy`; `max_messages` counts
    those beside the instructions.

    `max_tokens` is the limit of `TOKEN_BUFFER` (half of the window of `model`, or 4,000), counted by `counter` or the
    best at hand. `summarize` sums up for `SUMMARY`: a function of the earlier summary and the messages to a text, or
    `summary_model` names who does; else the handler's model does. `id_from` and `owner` say where in an event the id
    is, and whose: see `auto_session`. With `known_ids_only` an id that no session has is not taken over: a new one is
    made. `encryption` has `encrypt(bytes) -> bytes` and `decrypt`, blocking or asynchronous.

    Raises `ConfigurationError` for a value that makes no sense.
    """

    def __init__(
        self,
        store: str | StateStore | object = "dynamodb",
        ttl_hours: float | None = 24,
        memory: MemoryStrategy | str = MemoryStrategy.SLIDING_WINDOW,
        max_messages: int = 20,
        *,
        max_tokens: int | None = None,
        model: str | None = None,
        counter: TokenCounterProtocol | None = None,
        summarize: Callable[..., Any] | None = None,
        summary_model: str | None = None,
        id_from: str | Sequence[str] | None = None,
        owner: str | Callable[[Any, Any], Any] | None = None,
        known_ids_only: bool = False,
        encryption: Encryption | None = None,
    ) -> None:
        self._begin(
            settings_of(
                store=store, ttl_hours=ttl_hours, memory=memory, max_messages=max_messages, max_tokens=max_tokens,
                model=model, counter=counter, summarize=summarize, summary_model=summary_model, id_from=id_from,
                owner=owner, known_ids_only=known_ids_only, encryption=encryption,
            )
        )  # fmt: skip

    def _begin(self, settings: SessionSettings, context: Any = None) -> None:
        self.settings = settings
        self._summarizer = settings.summarizer(context)
        self._source = next((each for each in settings.sources if each.kind in ("header", "cookie")), None)
        self._become(None, None)

    def _become(self, id: str | None, key: str | None) -> None:
        """Be the session with this id, of which nothing is known yet."""
        self.id = id
        self.loaded = False
        """Whether the store was asked."""
        self.is_new = False
        """Whether the store had nothing under the id."""
        self.summary_cost_usd = 0.0
        """What summaries cost this instance, as far as prices are known."""
        self._owner_key = key
        self._made_id = False
        self._known = Transcript()
        self._unsure: Turn | None = None
        self._added: tuple[ChatMessage, ...] = ()
        self._clears = False
        self.state: dict[str, Any] = {}
        """Data of one's own beside the messages, saved with them; what JSON can hold. Of two saves that change the same
        key, the later one counts."""
        self._marks: dict[str, bytes] = {}

    def opened(self, event: Any, context: Any = None) -> Self:
        """A fresh session for one invocation: its id is the event's, or a new one. Nothing is read yet.

        Raises `SessionIdError` for what can't be an id, and `UnauthorizedError` where sessions have owners and the
        event has none.
        """
        settings = self.settings.within(context)
        session = type(self).__new__(type(self))
        session._begin(settings, context)
        owner = owner_of(event, context, settings.owner)
        found = found_in(event, settings.sources)
        id = new_id() if found is None else found[0]
        session._become(id, owner)
        session._made_id = found is None
        if found is not None and found[1].kind in ("header", "cookie"):
            session._source = found[1]
        return session

    def loading(self) -> Flow[None]:
        """Read what the store has. What was added here and not saved yet stays."""
        self._set_known((yield from (yield from self._journal()).read()))
        self.loaded, self.is_new = True, self._known.number == 0
        if self.is_new and self.settings.known_ids_only and not self._made_id:
            self.id, self._made_id = new_id(), True

    def saving(self) -> Flow[None]:
        """Append what is new, if anything is; then sum up and shorten where it is time to."""
        if not self.modified:
            return
        journal = yield from self._journal()
        yield from self._append(journal)
        known, cost = yield from journal.tended(self._known, self.settings.limits(), self._summarizer)
        self.summary_cost_usd += cost
        self._set_known(known)

    def deleting(self) -> Flow[None]:
        """Forget the session, here and in the store."""
        yield from (yield from self._journal()).remove()
        id, owner = self.id, self._owner_key
        self._become(id, owner)
        self.loaded = self.is_new = True

    def load(self, session_id: str | None = None) -> Self:
        """Load a session from the store, and be it; without an id, its own again.

        What was added before there was an id is this session's; what another one has not saved is left.

        Raises `BackendError` where the store fails, and `SessionIdError` for what can't be an id.
        """
        self._turn_to(session_id)
        self._run(self.loading())
        return self

    def save(self) -> None:
        """Save the session if it was modified. Raises `BackendError` where the store fails: then it can be repeated."""
        if self.modified:
            self._run(self.saving())

    def delete(self) -> None:
        """Forget the session, here and in the store."""
        self._run(self.deleting())

    async def aload(self, session_id: str | None = None) -> Self:
        """Load a session, as `load` does."""
        self._turn_to(session_id)
        await self._arun(self.loading())
        return self

    async def asave(self) -> None:
        """Save the session if it was modified, as `save` does."""
        if self.modified:
            await self._arun(self.saving())

    async def adelete(self) -> None:
        """Forget the session, as `delete` does."""
        await self._arun(self.deleting())

    @property
    def modified(self) -> bool:
        """Whether anything is not saved yet. Raises `ConfigurationError` for data that can't be saved."""
        return bool(self._unsure or self._added or self._clears or self._changes() != ({}, ()))

    @property
    def messages(self) -> tuple[ChatMessage, ...]:
        """The messages that a model is shown, as the strategy keeps them."""
        from .history import shown

        return shown(self._current(), self.settings.limits())[0]

    @property
    def dropped(self) -> Dropped:
        """What of the conversation is not in `messages`."""
        from .history import shown

        return shown(self._current(), self.settings.limits())[1]

    @property
    def summary(self) -> str | None:
        """The summary of the older part, where there is one."""
        summary = self._current().summary
        return None if summary is None else summary.text

    def fitted(
        self,
        prompt: Sequence[ChatMessage] = (),
        *,
        model: str | None = None,
        tools: Sequence[ToolDefinition | ProviderPart] = (),
        max_tokens: int | None = None,
    ) -> Fitted:
        """`messages` and then a prompt, as much of it as a model can read at once; see `ContextWindow`.

        The model is the session's, or the handler's, unless one is named.
        """
        from .context_window import ContextWindow

        window = ContextWindow(model or self.settings.model or "", counter=self.settings.counter)
        return window.fit(self.messages, prompt, tools=tools, max_tokens=max_tokens)

    def add(self, *messages: ChatMessage) -> None:
        """Add messages, which stay together. Raises `ConfigurationError` for what is no message."""
        for message in messages:
            _check(message)
        self._added += messages

    def add_message(self, role: Role, content: str | Sequence[Part]) -> ChatMessage:
        """Add a message of a role (`user`, `assistant`, `system`, …) to the history."""
        from ..llm.types import ChatMessage

        message = ChatMessage(role, tuple(content) if isinstance(content, list) else content)  # type: ignore[arg-type]  # checked
        self.add(message)
        return message

    def get_history(self) -> list[dict[str, Any]]:
        """The messages that a model is shown as dictionaries: `{"role": "user", "content": "Hi"}`."""
        from .told import as_dicts

        return as_dicts(self.messages)

    def format_history(self) -> str:
        """The messages that a model is shown as text: `User: Hi`, a line for each."""
        from .told import told

        return told(self.messages)

    def clear(self) -> None:
        """Remove all messages; `state` stays. Saved, it removes what others have said until then too."""
        self._added, self._clears = (), True

    @property
    def response_headers(self) -> dict[str, str]:
        """The header that tells the caller the id: the one it is read from, or a cookie where it is a cookie."""
        if self.id is None or self._source is None:
            return {}
        if self._source.kind == "cookie":
            return {"Set-Cookie": self.cookie(self._source.name)}
        return {self._source.name: self.id}

    def cookie(self, name: str = "session_id", *, path: str = "/", same_site: str = "Lax") -> str:
        """The value of a `Set-Cookie` header for this session, good for as long as it is kept."""
        seconds = self.settings.ttl_seconds
        age = None if seconds is None else int(seconds)
        return cookie(name, checked_id(self.id), max_age=age, path=path, same_site=same_site)

    def _turn_to(self, id: str | None) -> None:
        if id is None:
            return
        kept = (self._added, self._clears, self.state) if self.id is None else ((), False, {})
        self._become(checked_id(id), self._owner_key)
        self._added, self._clears, self.state = kept

    def _journal(self) -> Flow[Journal]:
        if self.id is None:
            raise ConfigurationError("The session has no id.", fix="Call load(session_id) before save().")
        store = yield from self.settings.stored()
        return Journal(store, key_of(self.id, self._owner_key), self.settings.ttl_seconds)

    def _append(self, journal: Journal) -> Flow[None]:
        """Append a turn that may have arrived before, then what was added since.

        What is being sent is kept apart until it is known to have arrived: a save that failed can be repeated.
        """
        if self._unsure is not None:
            yield from self._sent(journal, self._unsure)
        if self.modified:
            sets, unsets = self._changes()
            self._unsure = Turn(_turn_id(), self._added, self._clears, sets or EMPTY, unsets)
            self._added, self._clears = (), False
            yield from self._sent(journal, self._unsure)

    def _sent(self, journal: Journal, turn: Turn) -> Flow[None]:
        known = yield from journal.appended(self._known, turn)
        self._unsure = None
        self._set_known(known)

    def _current(self) -> Transcript:
        """The transcript with what is not saved yet."""
        current = self._known if self._unsure is None else self._known.with_turn(self._unsure)
        if self._added or self._clears:
            current = current.with_turn(Turn("", self._added, self._clears))
        return current

    def _set_known(self, known: Transcript) -> None:
        """Take over what the store has. Data that was changed here and not saved stays as it is here."""
        sets, unsets = self._changes()
        self._known = known
        saved = {name: value for name, value in known.state.items() if name not in unsets}
        for name in [name for name in self.state if name not in saved and name not in sets]:
            del self.state[name]
        for name, value in saved.items():
            mark = fingerprint(value)
            if name not in sets and self._marks.get(name) != mark:
                self.state[name] = copied(value)
        self._marks = {name: fingerprint(value) for name, value in known.state.items()}

    def _changes(self) -> tuple[dict[str, Any], tuple[str, ...]]:
        """The data that differs from what is saved, and the names that are gone; what is on its way counts as saved."""
        marks = self._marks
        if self._unsure is not None:
            sent = {name: fingerprint(value) for name, value in self._unsure.sets.items()}
            marks = {name: mark for name, mark in marks.items() if name not in self._unsure.unsets} | sent
        try:
            sets = {name: copied(value) for name, value in self.state.items() if marks.get(name) != fingerprint(value)}
        except (TypeError, ValueError, RecursionError) as reason:
            fix = "Keep texts, numbers, lists and dictionaries of them in session.state."
            raise ConfigurationError(f"The session's state can't be saved: {reason}.", fix=fix) from reason
        return sets, tuple(name for name in marks if name not in self.state)

    def _run(self, flow: Flow[None]) -> None:
        from ..llm.drivers import shared_driver

        shared_driver().run(flow)

    async def _arun(self, flow: Flow[None]) -> None:
        from ..llm.drivers import shared_async_driver

        await shared_async_driver().run(flow)

    def __repr__(self) -> str:
        from ..transport.types import redact_url

        id, store = self.id, self.settings.store
        told = id if id is None or len(id) <= _SHOWN else f"{id[:_SHOWN]}…"
        place = redact_url(store) if isinstance(store, str) else store
        return f"Session(id={told!r}, store={place!r}, memory={self.settings.memory.value!r})"


def _turn_id() -> str:
    return new_id()[:16]


def _check(message: object) -> None:
    from ..llm.types import ChatMessage

    if not isinstance(message, ChatMessage) or message.role not in _ROLES:
        fix = f"Give a ChatMessage with a role of {', '.join(_ROLES)}."
        raise ConfigurationError(f"{message!r:.200} is no message.", fix=fix)
    if isinstance(message.content, str):
        return
    if not isinstance(message.content, (tuple, list)) or not all(isinstance(part, Value) for part in message.content):
        fix = "Give text, or a list of parts such as TextPart and ImagePart."
        raise ConfigurationError(f"The content of a message is {message.content!r:.200}.", fix=fix)
    try:
        fingerprint(message)
    except (TypeError, ValueError, RecursionError) as reason:
        fix = "Use text, numbers, lists and dictionaries of them in its parts."
        raise ConfigurationError(f"A message of the {message.role} can't be saved: {reason}.", fix=fix) from reason
