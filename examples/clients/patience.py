"""Retries, deadlines, a circuit breaker, a second try beside a slow one: `python examples/clients/patience.py`.

It needs no key: the provider is one of its own, which fails and dawdles as it is told.
"""

from time import monotonic, sleep

from lambdallm.llm import (
    ChatMessage,
    Choice,
    Completion,
    Err,
    LLMRateLimitError,
    Ok,
    ProviderServerError,
    Usage,
    create_llm_client,
)
from lambdallm.llm.clients.sync import AbstractLLMClient


class MoodyClient(AbstractLLMClient):
    """A provider of one's own: what it does at each attempt is in `moods`, the last one for all that follow."""

    provider, default_model = "moody", "moody-1"

    def __init__(self, *moods, **options):
        super().__init__(**options)
        self.moods, self.asked = list(moods), 0

    def _do_complete(self, messages, **options):
        self.asked += 1
        mood = self.moods.pop(0) if len(self.moods) > 1 else self.moods[0]
        return mood(messages)


def answers(messages):
    return Ok(Completion((Choice(ChatMessage("assistant", "Here I am."), "stop"),), Usage(3, 3)))


def is_busy(messages):
    return Err(LLMRateLimitError("Too many requests.", retry_after=0.01, status=429))


def is_down(messages):
    return Err(ProviderServerError("Overloaded.", status=503))


def dawdles(messages):
    sleep(0.3)
    return answers(messages)


def retry():
    """What may pass is tried again, after as long as the provider says, else after 1, 2.1, 4.2 … seconds."""
    with MoodyClient(is_busy, is_busy, answers) as client:
        answer = client.complete("Are you there?").unwrap()
    print(f"retried: {answer.text!r} after {answer.attempts} attempts")


def keep_a_deadline():
    """No attempt and no wait goes beyond the deadline: an error comes at once where the next wait would."""
    begun = monotonic()
    with MoodyClient(is_down, total_timeout=0.5) as client:
        error = client.complete("Are you there?").error
    print(f"deadline: {type(error).__name__} after {error.attempts} attempt, in time: {monotonic() - begun < 0.5}")


def open_the_circuit():
    """After enough failures in a row no call is made for a while."""
    with MoodyClient(is_down, max_retries=0, failure_threshold=2, recovery_seconds=30) as client:
        for _ in range(3):
            error = client.complete("Are you there?").error
        print(f"breaker: {error}")
        print(f"  {client.circuit_breaker.state}, {client.asked} calls made, sent {error.sent}")


def hedge():
    """Where the first attempt has given nothing for a while, a second is made beside it; both are counted."""
    with MoodyClient(dawdles, answers, hedge_seconds=0.05) as client:
        answer = client.complete("Are you there?").unwrap()
    print(f"hedged: {answer.text!r} after {answer.attempts} attempts, {answer.warnings[0]!r}")


def in_a_handler(event, context):
    """In Lambda: nothing goes on longer than the function may, less what it needs to answer."""
    deadline = monotonic() + context.get_remaining_time_in_millis() / 1000 - 1.0
    with create_llm_client("echo", blocking=True) as client:
        return client.complete(event["question"], deadline=deadline).unwrap().text


def main():
    retry()
    keep_a_deadline()
    open_the_circuit()
    hedge()


if __name__ == "__main__":
    main()
