"""What errors, warnings and a router's account of a call repeat of the model's words is filtered as the answer is."""

import pytest

from lambdallm.llm.errors import (
    ExtractionValidationError,
    InvalidRequestError,
    LLMContentFilterError,
    ProviderServerError,
    StreamError,
)
from lambdallm.llm.result import Err, Ok
from lambdallm.llm.routing.decision import RoutedAttempt, RoutingDecision
from lambdallm.llm.safety import BlocklistFilter, MaxLengthFilter, PersonalDataFilter
from lambdallm.llm.safety.sync import SecureLLMClient
from lambdallm.llm.types import ChatMessage, Choice, Completion, StreamChunk, Usage
from scripted_extractors import BlockingClient, said

MAIL = "ada@example.com"
FILTERED = [PersonalDataFilter()]


def failed(error, *filters):
    """The error of a call whose client fails with `error`."""
    return SecureLLMClient(BlockingClient(error), output_filters=filters or FILTERED).complete("Hi").error


def every(error):
    """All that can be read of an error and of what caused it."""
    while error is not None:
        yield str(error)
        yield repr(error.args)
        yield repr(getattr(error, "partial", None))
        error = error.__cause__ or error.__context__


def test_an_error_that_quotes_the_answer_quotes_it_filtered():
    error = failed(StreamError(f"An event can't be read, b'by {MAIL}'.", provider="acme", attempts=2))
    assert error.message == "An event can't be read, b'by [EMAIL]'."
    assert (error.provider, error.attempts, error.args) == ("acme", 2, (error.message,))


def test_so_do_the_errors_behind_it():
    """A router's broken stream has the client's own error as its cause; a foreign one may hold a whole document."""
    cause = StreamError(f"Broke after {MAIL}.", partial=said(f"by {MAIL}"))
    cause.__cause__ = InvalidRequestError(f"{MAIL}?")
    cause.__cause__.__context__ = ValueError(f"no JSON: {MAIL}")
    broken = StreamError("The stream broke off.", partial=said(f"by {MAIL}"))
    broken.__cause__ = cause
    error = failed(broken)
    assert error.__cause__ is cause
    assert not any(MAIL in told for told in every(error))
    assert cause.partial.text == "by [EMAIL]"


def test_what_the_network_said_is_kept():
    down = ProviderServerError("Down.")
    down.__cause__ = ConnectionResetError("reset by peer")
    assert failed(down).__cause__ is down.__cause__


def test_an_error_in_a_circle_is_an_error():
    one, other = StreamError(MAIL), StreamError(MAIL)
    one.__cause__, other.__cause__ = other, one
    assert failed(one).__cause__.message == "[EMAIL]"


def test_a_structure_that_does_not_fit_is_told_filtered():
    wrong = ExtractionValidationError(f"$.a: {MAIL!r}", text=f'{{"a": "{MAIL}"}}', problems=(f"$.a: {MAIL!r}",))
    error = failed(wrong)
    assert (error.message, error.text, error.problems) == ("$.a: '[EMAIL]'", '{"a": "[EMAIL]"}', ("$.a: '[EMAIL]'",))


def test_what_is_blocked_is_not_told_and_what_is_long_is_not_cut():
    error = failed(StreamError("b'the launch code is 1234'"), BlocklistFilter(["launch code"]))
    assert error.message == "What it said was blocked by the filter 'blocklist'."
    assert failed(ProviderServerError("Very long."), MaxLengthFilter(3)).message == "Very long."


ROUTED = RoutingDecision("sequential", "b", (RoutedAttempt("a", "failed", error=f"StreamError: {MAIL}"),))


def test_a_good_answer_tells_of_failures_before_it_filtered():
    answer = said("Fine.").replace(routing=ROUTED, warnings=(f"left out: {MAIL}",))
    told = SecureLLMClient(BlockingClient(answer), output_filters=FILTERED).complete("Hi").unwrap()
    assert told.routing.attempts[0].error == "StreamError: [EMAIL]"
    assert told.warnings[0] == "left out: [EMAIL]"
    assert answer.routing is ROUTED


def test_so_does_a_stream():
    class Stream(list):
        completion = Completion(
            (Choice(ChatMessage("assistant", f"by {MAIL}"), "stop"),), Usage(1, 2), warnings=(MAIL,), routing=ROUTED
        )

    class Client(BlockingClient):
        def stream_chat(self, messages, **options):
            return Stream([StreamChunk("by ada@exam"), StreamChunk("ple.com"), StreamChunk(finish_reason="stop")])

    with SecureLLMClient(Client(), output_filters=FILTERED).stream_chat("Hi") as stream:
        said_ = "".join(chunk.delta for chunk in stream)
    assert said_ == "by [EMAIL]"
    assert MAIL not in repr(stream.completion)
    assert stream.completion.usage == Usage(1, 2)


@pytest.mark.parametrize("answer", [Ok(said("x")), Err(LLMContentFilterError("Declined."))])
def test_what_says_nothing_is_left_as_it_is(answer):
    class Client(BlockingClient):
        def complete(self, messages, **options):
            return answer

    assert SecureLLMClient(Client(), output_filters=FILTERED).complete("Hi") == answer
