"""Limits of one's own: `python examples/clients/limits.py` needs no key.

What is refused here never reaches the network. A Redis server's URL as argument keeps the counts there, the name of a
DynamoDB table (which `caching.py` creates) in that, for all who share it together.
"""

import sys
from concurrent.futures import ThreadPoolExecutor
from time import sleep

from lambdallm.llm import ChatMessage, Choice, Completion, Ok, create_llm_client
from lambdallm.llm.backends import DynamoDBBackend, RedisBackend
from lambdallm.llm.clients.sync import AbstractLLMClient
from lambdallm.llm.rate_limiting.sync import RateLimiter


def refuse():
    """Two requests a minute: the third is an error that says when there is room."""
    with create_llm_client("echo", blocking=True, requests_per_minute=2) as client:
        for number in range(3):
            result = client.complete(f"Question {number}")
            if result.is_err():
                error = result.error
                print(f"refused: {error}")
                print(f"  sent {error.sent}, {error.attempts} calls, room in {error.retry_after:.0f} s")


def limit_tokens():
    """Tokens are reserved before the call, by an estimate, and settled by what it used."""
    limiter = RateLimiter(tokens_per_minute=600, tokens_per_day=5000)
    with create_llm_client("echo", blocking=True, rate_limiter=limiter) as client:
        print(f"a small question: {client.complete('Hello', max_tokens=100).is_ok()}")
        large = client.complete("Hello", max_tokens=1000)
        print(f"a large one: {large.error}")


def share(backend):
    """One limit for all who share the backend; each tenant has its own, by the key."""
    limiter = RateLimiter(requests_per_day=3, backend=backend, on_backend_failure="closed")
    for tenant in ("acme", "acme", "acme", "acme", "umbrella"):
        permit = limiter.acquire(tenant, tokens=200)
        print(f"{tenant}: {'may call' if permit.is_ok() else permit.error}")
        if permit.is_ok():
            limiter.release(permit.unwrap(), actual_tokens=150)


class CountingClient(AbstractLLMClient):
    """A provider of one's own that knows how many ask it at a time."""

    provider, default_model = "counting", "counting-1"
    busy = most = 0

    def _do_complete(self, messages, **options):
        self.busy += 1
        self.most = max(self.most, self.busy)
        sleep(0.02)
        self.busy -= 1
        return Ok(Completion((Choice(ChatMessage("assistant", "Done."), "stop"),)))


def wait():
    """At most two calls under way: the others wait for their turn."""
    with CountingClient(max_concurrency=2) as client, ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(client.complete, [f"Question {number}" for number in range(6)]))
        print(f"{sum(answer.is_ok() for answer in answers)} answers, at most {client.most} at a time")


def backend_at(place):
    """This process's memory, Redis, or DynamoDB."""
    if place is None:
        return None
    return RedisBackend(place) if "://" in place else DynamoDBBackend(place)


def main(place=None):
    refuse()
    limit_tokens()
    share(backend_at(place))
    wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
