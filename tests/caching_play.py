"""What the tests of caching play with: questions, answers, calls that take their time, readers that leave."""

from lambdallm.llm.caching.flow import cached
from lambdallm.llm.caching.key import CacheQuery
from lambdallm.llm.caching.stream import cached_stream
from lambdallm.llm.catalog.resolve import resolve
from lambdallm.llm.flow import NOW, Cancel, Emit, Sleep, Start
from lambdallm.llm.pipeline import broken_off
from lambdallm.llm.result import Err, Ok
from lambdallm.llm.streaming.record import StreamRecord
from lambdallm.llm.types import ChatMessage, ChatRequest, Choice, Completion, StreamChunk, Usage
from lambdallm.testing.world import World

TARGET = resolve("openai/gpt-4o")
USAGE = Usage(10, 2)
PAID = 0.000045
"""What `USAGE` costs at the target."""
CHUNKS = (*map(StreamChunk, ("Hel", "lo", "!")), StreamChunk(finish_reason="stop", usage=USAGE))


def query(text="Hi", namespace=""):
    request = ChatRequest("gpt-4o", (ChatMessage("user", text),))
    return CacheQuery(request, "openai", namespace=namespace)


def answer(text="Hello!", reason="stop", **fields):
    choice = Choice(ChatMessage("assistant", text), reason)
    facts = {"usage": USAGE, "model": "gpt-4o", "provider": "openai", "cost_usd": PAID, "latency_ms": 900.0}
    return Completion((choice,), **{**facts, **fields})


class Provider:
    """Answers each call after `seconds` with the next of `outcomes`, the last one again and again."""

    def __init__(self, *outcomes, seconds=1.0):
        self.outcomes = list(outcomes) or [answer()]
        self.seconds = seconds
        self.begun, self.under_way, self.most = [], 0, 0

    def call(self):
        """One call for a whole answer."""
        self.begun.append((yield NOW).monotonic - 1000)
        outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            yield Sleep(self.seconds)
        finally:
            self.under_way -= 1
        return Err(outcome) if isinstance(outcome, Exception) else Ok(outcome)

    def streaming(self, record):
        """What begins one call for a stream: a chunk every `seconds`; an error among the chunks ends it."""

        def begin():
            self.begun.append((yield NOW).monotonic - 1000)
            chunks = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
            record.attempts += 1
            for chunk in chunks:
                yield Sleep(self.seconds)
                if isinstance(chunk, Exception):
                    return Err(record.explained(broken_off(chunk, record)))
                if record.first_chunk is None:
                    record.first_chunk = (yield NOW).monotonic
                record.add((chunk,))
                yield Emit((chunk,))
            record.ended = (yield NOW).monotonic
            return Ok(None)

        return begin

    def __len__(self):
        return len(self.begun)


class Reader:
    """Reads a stream, `pause` seconds a piece, and leaves after `most` pieces."""

    def __init__(self, cache, provider, asked=None, *, pause=0.0, most=99, **options):
        self.record = StreamRecord(TARGET)
        self.got, self.result = [], None
        self._pause, self._most = pause, most
        begin = provider.streaming(self.record)
        self._flow = cached_stream(cache, asked or query(), begin, self.record, **options)

    def read(self):
        """A flow: the result, `None` where the reader left."""
        flow, outcome = self._flow, None
        try:
            while self._most:
                effect = flow.send(outcome)
                if not isinstance(effect, Emit):
                    outcome = yield effect
                    continue
                for chunk in effect.items:
                    self.got.append(((yield NOW).monotonic - 1000, chunk))
                    yield Sleep(self._pause)
                    if len(self.got) == self._most:
                        return None
                outcome = None
        except StopIteration as stop:
            self.result = stop.value
        finally:
            flow.close()
        return self.result

    @property
    def chunks(self):
        return tuple(chunk for _, chunk in self.got)

    @property
    def times(self):
        return [time for time, _ in self.got]

    @property
    def completion(self):
        return self.record.completion()


class Slow:
    """A store whose operations take their time, over another."""

    def __init__(self, store, seconds):
        self.store, self.seconds = store, seconds

    def load(self, key):
        yield Sleep(self.seconds)
        return (yield from self.store.load(key))

    def save(self, key, value, ttl_seconds):
        yield Sleep(self.seconds)
        return (yield from self.store.save(key, value, ttl_seconds))


def asking(cache, provider, asked=None, **options):
    """A flow for a whole answer."""
    return cached(cache, asked or query(), provider.call, **options)


def given_up(flow, seconds):
    """A flow that begins another and stops it after so many seconds; its value is what that came to by then."""

    def giving_up():
        task = yield Start(flow)
        yield Sleep(seconds)
        yield Cancel(task)
        return task.value

    return giving_up()


def together(*flows, world=None):
    """The values of flows, each begun after its seconds."""
    world = world or World(lambda effect: None)
    return world.run_all([flow if isinstance(flow, tuple) else (0.0, flow) for flow in flows])
