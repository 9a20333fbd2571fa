"""One client over several: `python examples/clients/routing.py` needs no key.

`echo/error-503` is a provider in trouble. Whom a router asked, in which order and why is on every answer, and on the
error where nobody answered.
"""

from lambdallm.llm import Candidate, ClientConfig, LLMError
from lambdallm.llm.pricing import Price
from lambdallm.llm.routing import CandidateFacts, Plan
from lambdallm.llm.routing.sync import LLMRouter

BROKEN = ClientConfig("echo", "error-503", max_retries=0)
LIMITED = ClientConfig("echo", "error-429", max_retries=0)


def show(routing):
    print(f"  strategy {routing.strategy!r} chose {routing.chosen!r}")
    for attempt in routing.attempts:
        print(f"  {attempt.candidate:10} {attempt.outcome:9} {attempt.reason} {attempt.error}".rstrip())


def cascade():
    """One after another: the first fails, the second answers."""
    with LLMRouter([Candidate(BROKEN, "main"), Candidate("echo", "reserve", priority=1)]) as router:
        answer = router.complete("Name a river.", timeout=10).unwrap()
    print(f"cascade: {answer.text!r} after {answer.attempts} attempts")
    show(answer.routing)


def cheapest():
    """The cheapest that can do what the call needs: the first here takes no tools, the last has no known price."""
    candidates = [
        Candidate("echo", "small", price=Price(0.1, 0.4), facts={"tools": False}),
        Candidate("echo", "large", price=Price(2.5, 10.0), facts={"tools": True}),
        Candidate("echo", "middle", price=Price(0.4, 1.6), facts={"tools": True}),
    ]
    weather = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
    with LLMRouter(candidates, "cost") as router:
        plain = router.complete("Name a river.").unwrap()
        tools = router.chat("What is the weather?", [weather]).unwrap()
    print(f"cost: {plain.routing.chosen!r} for a question, {tools.routing.chosen!r} for one with tools")
    show(tools.routing)


def stream():
    """A stream goes on to the next one too, as long as its reader has been given nothing."""
    with LLMRouter([Candidate(BROKEN, "main"), Candidate("echo", "reserve")]) as router:
        chunks = router.stream_chat("Name a river.")
        print(f"stream: {list(chunks.texts())} from {chunks.completion.routing.chosen!r}")


def nobody():
    """Where all fail, the error is the last one's, and tells of all of them."""
    with LLMRouter([Candidate(BROKEN, "main"), Candidate(LIMITED, "reserve")]) as router:
        result = router.complete("Name a river.")
    if result.is_err() and isinstance(result.error, LLMError):
        print(f"nobody: {type(result.error).__name__}, {result.error.attempts} attempts")
        show(result.error.routing)


class Newest:
    """A strategy of one's own: pure, so no clock and no network. The highest model name comes first."""

    def plan(self, call, candidates: list[CandidateFacts]) -> Plan:
        newest = sorted(candidates, key=lambda one: one.name, reverse=True)
        return Plan(newest, lambda one: f"Its name is {one.name!r}.")

    def observe(self, observation):
        """Nothing to learn."""


def own():
    with LLMRouter([Candidate("echo", "v1"), Candidate("echo", "v2")], Newest()) as router:
        answer = router.complete("Name a river.").unwrap()
    print(f"own: {answer.routing.chosen!r}")


def main():
    cascade()
    cheapest()
    stream()
    nobody()
    own()


if __name__ == "__main__":
    main()
