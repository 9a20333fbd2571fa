"""Retry decides; the script's clock moves. Nothing here waits."""

import pytest

from lambdallm.llm.errors import InvalidRequestError, LLMRateLimitError, ProviderServerError
from lambdallm.llm.flow import Emit, Sleep
from lambdallm.llm.result import Err, Ok
from lambdallm.llm.retry import RetryPolicy, backoff_seconds, retried
from lambdallm.testing import Script


def attempts(*outcomes):
    """A flow that ends with the next of `outcomes` each time it is made."""
    left = list(outcomes)

    def attempt():
        yield from ()
        outcome = left.pop(0)
        return Err(outcome) if isinstance(outcome, Exception) else Ok(outcome)

    return attempt


def waits(script):
    return [effect.seconds for effect in script.of(Sleep)]


def test_the_documented_backoff():
    assert [backoff_seconds(n) for n in range(4)] == [1.0, 2.1, 4.2, 8.3]


def test_a_passing_failure_is_tried_again_until_it_works():
    script = Script()
    result = script.run(retried(attempts(ProviderServerError("a"), ProviderServerError("b"), 42), RetryPolicy()))
    assert result == Ok(42)
    assert waits(script) == [1.0, 2.1]


def test_tries_are_bounded_and_counted():
    script = Script()
    errors = [ProviderServerError(str(n)) for n in range(3)]
    result = script.run(retried(attempts(*errors), RetryPolicy(max_retries=2)))
    assert result.error is errors[2]
    assert result.error.attempts == 3


def test_a_failure_that_lasts_is_returned_at_once():
    script = Script()
    result = script.run(retried(attempts(InvalidRequestError("no")), RetryPolicy()))
    assert isinstance(result.error, InvalidRequestError)
    assert waits(script) == []


def test_what_was_refused_here_is_not_tried_again_and_is_no_attempt():
    script = Script()
    refused = LLMRateLimitError("Your own limit.", retry_after=1, sent=False)
    assert script.run(retried(attempts(refused, 1), RetryPolicy())).error is refused
    assert (refused.attempts, waits(script)) == (0, [])


def test_a_refusal_does_not_hide_what_the_provider_said_before():
    script, failed = Script(), ProviderServerError("a")
    refused = LLMRateLimitError("Your own limit.", sent=False)
    assert script.run(retried(attempts(failed, refused, 1), RetryPolicy())).error is failed
    assert failed.attempts == 1


def test_the_provider_says_how_long_to_wait():
    script = Script()
    script.run(retried(attempts(LLMRateLimitError("slow down", retry_after=7.5), 1), RetryPolicy()))
    assert waits(script) == [7.5]


@pytest.mark.parametrize("policy", [RetryPolicy(deadline=1_005.0), RetryPolicy(longest_wait=5)])
def test_no_wait_goes_past_the_deadline_or_the_longest_wait(policy):
    script = Script()
    result = script.run(retried(attempts(LLMRateLimitError("slow down", retry_after=7.5), 1), policy))
    assert isinstance(result.error, LLMRateLimitError)
    assert waits(script) == []


def test_nothing_is_tried_again_once_the_caller_has_seen_a_piece():
    """A second try would repeat what the reader has already read."""

    def attempt():
        yield Emit(["Hel"])
        return Err(ProviderServerError("died"))

    script = Script()
    result = script.run(retried(attempt, RetryPolicy(), emitted=lambda: bool(script.emitted)))
    assert isinstance(result.error, ProviderServerError)
    assert script.emitted == ["Hel"]
    assert waits(script) == []
