"""Answers kept and given again: `python examples/clients/caching.py` needs no key.

A Redis server's URL as argument keeps them there, the name of a DynamoDB table in that, for all who share it.
"""

import sys
from concurrent.futures import ThreadPoolExecutor
from time import sleep

from lambdallm.llm import ChatMessage, Choice, Completion, Ok, create_llm_client
from lambdallm.llm.caching import LLMCache, SemanticCache
from lambdallm.llm.caching.sync import DynamoDBLLMCache, RedisLLMCache
from lambdallm.llm.clients.sync import AbstractLLMClient
from lambdallm.llm.embedding.sync import CatalogEmbeddingAdapter


def ask_twice(cache):
    """The second answer makes no call and costs nothing."""
    with create_llm_client("echo", blocking=True, cache=cache) as client:
        for _ in range(2):
            answer = client.complete("Name a river.", temperature=0).unwrap()
            print(f"{answer.text!r}: cache {answer.cache!r}, {answer.attempts} calls")

        other = client.complete("Name a river.", temperature=1).unwrap()  # what changes the answer is in the key
        aside = client.complete("Name a river.", temperature=0, cache=False).unwrap()
        fresh = client.complete("Name a river.", temperature=0, cache="refresh").unwrap()  # asked again, and stored
        print(f"other settings {other.cache!r}, cache=False {aside.cache!r}, cache='refresh' {fresh.cache!r}")


def stream_twice(cache):
    """A stream is stored when it has ended, and replayed in the pieces it came in."""
    with create_llm_client("echo", blocking=True, cache=cache) as client:
        for _ in range(2):
            stream = client.stream_chat("Name three rivers.")
            print(f"{list(stream.texts())}: cache {stream.completion.cache!r}")


def ask_what_means_the_same(embedder):
    """Only the last user text may differ, and it has to be near enough."""
    cache = SemanticCache(embedder, threshold=0.9)
    with create_llm_client("echo", blocking=True, cache=cache) as client:
        for question in ("How do I reset my password", "how do I reset my password please", "How do I pay"):
            answer = client.complete(question).unwrap()
            near = answer.metadata.get("semantic_cache", {}).get("similarity")
            print(f"{question!r}: cache {answer.cache!r}" + (f", similarity {near:.2f}" if near else ""))


class SlowClient(AbstractLLMClient):
    """A provider of one's own that takes its time."""

    provider, default_model = "slow", "slow-1"
    calls = 0

    def _do_complete(self, messages, **options):
        self.calls += 1
        sleep(0.1)
        return Ok(Completion((Choice(ChatMessage("assistant", "The Glomma."), "stop"),)))


def ask_at_the_same_time():
    """Who asks for what is being asked for already shares that call."""
    with SlowClient(cache=LLMCache()) as client, ThreadPoolExecutor(5) as threads:
        answers = list(threads.map(client.complete, ["Name a river."] * 5))
        print(f"{len(answers)} asked at the same time, {client.calls} call")


def cache_at(place):
    """In memory, in Redis, or in a DynamoDB table."""
    if place is None:
        return LLMCache(max_entries=1000, max_bytes=64 * 2**20, ttl_seconds=3600)
    if "://" in place:
        return RedisLLMCache(place, ttl_seconds=86_400)
    return DynamoDBLLMCache(place, ttl_seconds=86_400).ensure_table()  # for development; deployed, it is there


def main(place=None):
    cache = cache_at(place)
    ask_twice(cache)
    stream_twice(cache)
    ask_what_means_the_same(CatalogEmbeddingAdapter(provider="echo"))
    ask_at_the_same_time()


if __name__ == "__main__":
    main(*sys.argv[1:])
