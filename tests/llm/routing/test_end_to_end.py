"""Routers over real clients and real sockets: providers that die, stall, lose a race."""

import asyncio
import socket
import threading

import pytest

from lambdallm.llm.config import ClientConfig
from lambdallm.llm.errors import ProviderConnectionError, ProviderTimeoutError
from lambdallm.llm.routing import Candidate, LLMRouter, sync

from ..conftest import Provider, Server
from .worlds import outcomes

ANSWER = {
    "id": "c1",
    "model": "gpt-4o-mini",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1000, "completion_tokens": 100},
}
ROLE = b'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}\n\n'
WORD = b'data: {"choices":[{"index":0,"delta":{"content":"Hi."},"finish_reason":"stop"}]}\n\n'
STREAM = [ROLE, WORD, b"data: [DONE]\n\n"]
OVERLOADED = (503, {}, {"error": {"message": "Overloaded.", "type": "server_error"}})


@pytest.fixture
def providers():
    """Makes providers on loopback."""
    running = []

    def make(*replies, answer=None):
        playing = Provider()
        playing.replies, playing.answer = list(replies), answer
        server = Server(playing)
        playing.url = f"http://127.0.0.1:{server.server_port}/v1"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        running.append((server, thread))
        return playing

    yield make
    for server, thread in running:
        server.shutdown()
        server.server_close()
        thread.join()


class Silent:
    """A provider that takes a request, begins a stream where told, and says nothing more."""

    def __init__(self, head=b""):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/v1"
        self.asked, self.closed, self.head = threading.Event(), threading.Event(), head
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        connection, _ = self.listener.accept()
        with connection:
            connection.settimeout(10)
            connection.recv(65536)
            connection.sendall(self.head)
            self.asked.set()
            while connection.recv(65536):
                pass
            self.closed.set()


@pytest.fixture
def silent():
    """Makes providers that say nothing."""
    made = []

    def make(*args):
        made.append(Silent(*args))
        return made[-1]

    yield make
    for one in made:
        one.listener.close()
        one.thread.join(10)


class Blocking:
    def __init__(self, candidates, strategy=None, **options):
        self.router = sync.LLMRouter(candidates, strategy, **options)

    def ask(self, **options):
        with self.router:
            return self.router.complete("Hi", **options)

    def stream(self, **options):
        with self.router, self.router.stream_chat("Hi", **options) as stream:
            return [chunk.delta for chunk in stream if chunk.delta], stream.completion


class Awaiting:
    def __init__(self, candidates, strategy=None, **options):
        self.router = LLMRouter(candidates, strategy, **options)

    def ask(self, **options):
        async def main():
            async with self.router:
                return await self.router.complete("Hi", **options)

        return asyncio.run(main())

    def stream(self, **options):
        async def main():
            async with self.router, self.router.stream_chat("Hi", **options) as stream:
                return [chunk.delta async for chunk in stream if chunk.delta], stream.completion

        return asyncio.run(main())


both = pytest.mark.parametrize("kind", [Blocking, Awaiting])


def at(name, provider, **options):
    config = ClientConfig("openai", "gpt-4o-mini", "k", base_url=provider.url, max_retries=0, **options)
    return Candidate(config, name)


@both
def test_a_failure_and_an_answer(kind, providers):
    first, second = providers(OVERLOADED), providers(ANSWER)
    answer = kind([at("a", first), at("b", second)]).ask().unwrap()
    assert (answer.text, answer.attempts) == ("Hi.", 2)
    assert outcomes(answer.routing) == {"a": "failed", "b": "chosen"}
    assert answer.cost_usd == pytest.approx((1000 * 0.15 + 100 * 0.6) / 1e6)
    assert answer.routing.attempts[0].error == "ProviderServerError: Overloaded."


@both
def test_a_missing_key_is_passed_over(kind, providers):
    keyless = Candidate(ClientConfig("anthropic", max_retries=0), "keyless")
    answer = kind([keyless, at("b", providers(ANSWER))]).ask().unwrap()
    assert outcomes(answer.routing) == {"keyless": "skipped", "b": "chosen"}
    assert answer.routing.attempts[0].error.startswith("MissingKeyError: ")


@both
@pytest.mark.parametrize("dying", [[None], [ROLE, None]], ids=["before any byte", "after the role"])
def test_a_stream_that_dies_before_it_says_anything(kind, providers, dying):
    texts, whole = kind([at("a", providers(dying)), at("b", providers(STREAM))]).stream()
    assert (texts, whole.text, whole.routing.chosen) == (["Hi."], "Hi.", "b")
    assert outcomes(whole.routing) == {"a": "failed", "b": "chosen"}


@both
def test_a_stream_that_stalls(kind, silent, providers):
    stalled = silent(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
    texts, whole = kind([at("a", stalled, chunk_timeout=0.1), at("b", providers(STREAM))]).stream()
    assert (texts, whole.routing.chosen) == (["Hi."], "b")
    assert whole.routing.attempts[0].error.startswith("ProviderTimeoutError")
    assert stalled.closed.wait(10)


@both
def test_a_stall_ends_at_the_deadline_and_nobody_else_is_asked(kind, silent, providers):
    stalled, other = silent(), providers(ANSWER)
    error = kind([at("a", stalled), at("b", other)]).ask(timeout=0.1).error
    assert isinstance(error, (ProviderTimeoutError, ProviderConnectionError))
    assert other.received == []
    assert outcomes(error.routing) == {"a": "failed", "b": "unused"}


@both
def test_the_connection_of_a_races_loser_is_closed(kind, silent, providers):
    loser = silent()
    winner = providers(answer=lambda body: (loser.asked.wait(10), ANSWER)[1])
    answer = kind([at("loser", loser), at("winner", winner)], "race").ask().unwrap()
    assert loser.closed.wait(10)
    assert outcomes(answer.routing) == {"loser": "cancelled", "winner": "chosen"}
    lost = answer.routing.attempts[0]
    assert (lost.estimated, lost.cost_usd > 0) == (True, True)
    assert answer.cost_usd == pytest.approx(lost.cost_usd + (1000 * 0.15 + 100 * 0.6) / 1e6)


@both
def test_the_connection_of_a_losing_stream_is_closed(kind, silent, providers):
    loser = silent(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
    winner = providers(answer=lambda body: (loser.asked.wait(10), STREAM)[1])
    texts, whole = kind([at("loser", loser), at("winner", winner)], "race").stream()
    assert (texts, whole.routing.chosen) == (["Hi."], "winner")
    assert loser.closed.wait(10)


@both
def test_a_hedge_overtakes_a_stall(kind, silent, providers):
    stalled = silent()
    answer = kind([at("a", stalled), at("b", providers(ANSWER))], hedge_seconds=0.02).ask().unwrap()
    assert outcomes(answer.routing) == {"a": "cancelled", "b": "chosen"}
    assert stalled.closed.wait(10)
