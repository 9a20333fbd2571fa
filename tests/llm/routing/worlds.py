"""Clients for routers' tests: each answers what it was told to, after the seconds it was told, in simulated time."""

from lambdallm.llm.catalog.definition import Price
from lambdallm.llm.result import Err, Ok
from lambdallm.llm.routing.candidate import Candidate
from lambdallm.llm.routing.sync import LLMRouter
from lambdallm.llm.types import ChatMessage, Choice, Completion, HealthCheckResult, StreamChunk, Usage
from lambdallm.testing.world import Later, World

CHEAP, DEAR = Price(1.0, 2.0), Price(10.0, 20.0)


FIFTEEN = Usage(10, 5)


def completion(text, usage=FIFTEEN, cost_usd=0.25, **more):
    return Completion((Choice(ChatMessage("assistant", text), "stop"),), usage, cost_usd=cost_usd, **more)


class Fake:
    """A client that blocks. `answer` is a text, a `Completion`, an error, or for streams a list of chunks and errors.

    `calls` are the messages and options it was given, `open` its streams that are not closed.
    """

    def __init__(self, answer="Hi.", seconds=0.0, breaker=None):
        self.answer, self.seconds = answer, seconds
        self.calls, self.streams = [], []
        self.closed = False
        if breaker is not None:
            self.circuit_breaker = breaker

    def complete(self, messages, **options):
        self.calls.append((messages, options))
        if isinstance(self.answer, BaseException):
            if not hasattr(self.answer, "retryable"):
                raise self.answer
            return Later(self.seconds, Err(self.answer))
        return Later(self.seconds, Ok(completion(self.answer) if isinstance(self.answer, str) else self.answer))

    def chat(self, messages, tools=None, **options):
        return self.complete(messages, tools=tools, **options)

    def stream_chat(self, messages, **options):
        self.calls.append((messages, options))
        self.streams.append(FakeStream(self.answer, self.seconds))
        return self.streams[-1]

    def health_check(self, timeout=5.0):
        return HealthCheckResult(not isinstance(self.answer, BaseException), "fake")

    def close(self):
        self.closed = True


class FakeStream:
    """Gives its chunks, each after the seconds; closing it is noted."""

    def __init__(self, answer, seconds):
        items = answer if isinstance(answer, list) else [answer]
        self.items, self.seconds, self.closed = list(items), seconds, False

    def __iter__(self):
        return self

    def __next__(self):
        if not self.items:
            raise StopIteration
        item = self.items.pop(0)
        if isinstance(item, BaseException):
            if not hasattr(item, "retryable"):
                raise item
            return Later(self.seconds, Err(item))
        return Later(self.seconds, StreamChunk(item) if isinstance(item, str) else item)

    def close(self):
        self.closed = True


class Worlds:
    """A router of fakes and the simulated world it is asked in."""

    def __init__(self, clients, strategy=None, **options):
        listed = [one if isinstance(one, Candidate) else Candidate(one, name) for name, one in clients.items()]
        self.router = LLMRouter(listed, strategy, **options)
        self.world = World(lambda effect: None)
        self.clients = {one.name: one.client for one in self.router.candidates}

    @property
    def now(self):
        return self.world.clock.monotonic

    def ask(self, messages="Hi", **options):
        return self._run(self.router._asked(messages, options))

    def stream(self, messages="Hi", **options):
        """The result with the whole answer, and the texts that reached the reader."""
        del self.world.emitted[:]
        result = self._run(self.router._asked(messages, options, stream=True))
        return result.map(lambda _: self.record.completion()), [chunk.delta for chunk in self.world.emitted]

    def _run(self, asked):
        self.record = self.router._record()
        return self.world.run(self.router._routed(asked, self.record))

    def asked(self):
        """How often each client was called, where it was."""
        return {name: len(client.calls) for name, client in self.clients.items() if client.calls}


def outcomes(decision):
    return {attempt.candidate: attempt.outcome for attempt in decision.attempts}


def reasons(decision):
    return {attempt.candidate: attempt.reason for attempt in decision.attempts}
