"""A candidate fails: who is asked next, what the answer and the error say of it, and what all of it cost."""

import pytest

from lambdallm.llm.catalog.definition import Price
from lambdallm.llm.errors import (
    CircuitOpenError,
    ConfigurationError,
    DeadlineExceededError,
    InvalidRequestError,
    LLMAuthenticationError,
    LLMContentFilterError,
    LLMModelNotFoundError,
    LLMQuotaExceededError,
    LLMRateLimitError,
    MissingKeyError,
    ProviderConnectionError,
    ProviderServerError,
    ProviderTimeoutError,
    StreamError,
    TokenLimitError,
    UnsupportedParameterError,
)
from lambdallm.llm.routing.candidate import Candidate
from lambdallm.llm.routing.fallback import fallback_of, step_after
from lambdallm.llm.types import StreamChunk, Usage

from .worlds import CHEAP, Fake, Worlds, completion, outcomes, reasons

NEXT = [
    LLMRateLimitError, ProviderServerError, ProviderConnectionError, ProviderTimeoutError, LLMAuthenticationError,
    LLMQuotaExceededError, LLMModelNotFoundError, UnsupportedParameterError, CircuitOpenError, MissingKeyError,
    StreamError,
]  # fmt: skip


class TestWhoIsNext:
    @pytest.mark.parametrize("kind", NEXT)
    def test_what_may_succeed_elsewhere_is_tried_there(self, kind):
        its = Worlds({"a": Fake(kind("No.")), "b": Fake("Yes.")})
        answer = its.ask().unwrap()
        assert (answer.text, answer.routing.chosen) == ("Yes.", "b")
        assert answer.routing.attempts[0].error == f"{kind.__name__}: No."

    def test_a_request_that_is_wrong_is_wrong_everywhere(self):
        its = Worlds({"a": Fake(InvalidRequestError("temperature is 9.")), "b": Fake()})
        error = its.ask().error
        assert (type(error), error.message) == (InvalidRequestError, "temperature is 9.")
        assert outcomes(error.routing) == {"a": "failed", "b": "unused"}

    def test_too_many_tokens_need_a_larger_window(self):
        its = Worlds({
            "small": Candidate(Fake(TokenLimitError("Too long.")), "small", facts={"context_window": 8000}),
            "smaller": Candidate(Fake(), "smaller", facts={"context_window": 4000}),
            "unknown": Fake(),
            "large": Candidate(Fake("Long."), "large", facts={"context_window": 100_000}),
        })  # fmt: skip
        answer = its.ask().unwrap()
        assert answer.text == "Long."
        assert outcomes(answer.routing) == {
            "small": "failed", "smaller": "skipped", "unknown": "skipped", "large": "chosen",
        }  # fmt: skip
        assert reasons(answer.routing)["smaller"] == (
            "A larger context window than 8000 tokens is needed; its own is 4000 tokens."
        )

    def test_a_content_filter_is_fled_to_another_provider(self):
        filtered = LLMContentFilterError("Not allowed.")
        its = Worlds({"openai/a": Fake(filtered), "openai/b": Fake(), "anthropic/c": Fake("Fine.")})
        by_provider = [one.replace(provider=one.name.partition("/")[0]) for one in its.router.facts]
        its.router._routing.field.__init__(tuple(by_provider))
        answer = its.ask().unwrap()
        assert answer.routing.chosen == "anthropic/c"
        assert reasons(answer.routing)["openai/b"] == (
            "'openai/a', of the same provider, failed with LLMContentFilterError."
        )

    def test_the_table_can_be_changed_by_class_or_by_name(self):
        for kind in (LLMRateLimitError, "LLMRateLimitError"):
            its = Worlds({"a": Fake(LLMRateLimitError("Slow.")), "b": Fake()}, fallback={kind: "stop"})
            assert isinstance(its.ask().error, LLMRateLimitError)
            assert its.asked() == {"a": 1}

    def test_the_nearest_class_decides(self):
        table = fallback_of({ProviderServerError: "stop"})
        assert step_after(CircuitOpenError("Open."), table) == "stop"
        assert step_after(ProviderConnectionError("Gone."), table) == "next"
        assert step_after(UnsupportedParameterError("top_k"), table) == "next"
        assert step_after(DeadlineExceededError("Late."), table) == "stop"

    def test_a_misspelt_table_is_refused_with_the_word_that_was_meant(self):
        with pytest.raises(ConfigurationError, match="'elsewhere'"):
            fallback_of({LLMRateLimitError: "elswhere"})
        with pytest.raises(ConfigurationError, match="'LLMRateLimitError'"):
            fallback_of({"LLMRateLimitErorr": "next"})


class TestWhenNobodyAnswers:
    def test_the_error_is_that_of_the_last_who_was_asked_and_names_everybody(self):
        its = Worlds({
            "a": Fake(ProviderServerError("Overloaded.", status=503)),
            "b": Fake(LLMRateLimitError("Slow down", retry_after=7.0)),
            "c": Fake(MissingKeyError("No key.")),
        })  # fmt: skip
        error = its.ask().error
        assert (type(error), error.retry_after, error.attempts) == (LLMRateLimitError, 7.0, 2)
        assert error.message == (
            "None of 3 candidates answered. a: ProviderServerError: Overloaded. "
            "b: LLMRateLimitError: Slow down. c: MissingKeyError: No key."
        )
        assert outcomes(error.routing) == {"a": "failed", "b": "failed", "c": "skipped"}

    def test_the_clients_own_error_object_is_left_alone(self):
        shared = ProviderServerError("Overloaded.")
        its = Worlds({"a": Fake(shared), "b": Fake(shared)})
        assert its.ask().error is not shared
        assert its.ask().error.message.count("None of") == 1
        assert (shared.message, shared.routing) == ("Overloaded.", None)

    def test_missing_configuration_everywhere_is_raised(self):
        its = Worlds({"a": Fake(MissingKeyError("No A_KEY.")), "b": Fake(MissingKeyError("No B_KEY."))})
        with pytest.raises(MissingKeyError, match=r"a: MissingKeyError: No A_KEY\. b: MissingKeyError: No B_KEY\."):
            its.ask()

    def test_open_circuits_everywhere_are_an_error_that_was_not_sent(self):
        its = Worlds({"a": Fake(CircuitOpenError("Open.", retry_after=3.0))})
        error = its.ask().error
        assert (error.sent, error.retry_after, error.attempts) == (False, 3.0, 0)
        assert outcomes(error.routing) == {"a": "skipped"}

    def test_a_bug_in_a_client_is_raised_as_it_is(self):
        its = Worlds({"a": Fake(ZeroDivisionError("bug")), "b": Fake()})
        with pytest.raises(ZeroDivisionError):
            its.ask()

    def test_a_client_that_returns_no_result_is_told_what_to_return(self):
        class Wrong(Fake):
            def complete(self, messages, **options):
                return "Hi"

        with pytest.raises(ConfigurationError, match=r"'a' answered 'Hi'.*Ok"):
            Worlds({"a": Wrong()}).ask()


class TestTheBill:
    def test_everything_that_was_paid_for_is_counted_once(self):
        broke = ProviderServerError("Broke.", usage=Usage(100, 1), cost_usd=1.0, attempts=2)
        its = Worlds({"a": Fake(broke), "b": Fake(completion("Hi.", attempts=3))})
        answer = its.ask().unwrap()
        assert (answer.usage.input_tokens, answer.cost_usd, answer.attempts) == (110, 1.25, 5)
        assert [a.cost_usd for a in answer.routing.attempts] == [1.0, 0.25]

    def test_a_refusal_costs_nothing(self):
        its = Worlds({"a": Fake(LLMRateLimitError("Slow.", status=429)), "b": Fake()})
        answer = its.ask().unwrap()
        assert (answer.usage, answer.cost_usd, answer.attempts) == (Usage(10, 5), 0.25, 2)

    def test_a_time_limit_may_have_been_paid_for_and_is_estimated(self):
        its = Worlds({"a": Candidate(Fake(ProviderTimeoutError("Late.")), "a", price=CHEAP), "b": Fake()})
        answer = its.ask("x" * 400).unwrap()
        first = answer.routing.attempts[0]
        assert (first.estimated, first.usage) == (True, Usage(107, 500))
        assert answer.cost_usd == pytest.approx(0.25 + (107 * 1 + 500 * 2) / 1e6)

    def test_what_is_unknown_of_one_is_unknown_of_the_sum(self):
        its = Worlds({"a": Fake(ProviderTimeoutError("Late.")), "b": Fake()})
        assert its.ask().unwrap().cost_usd is None

    def test_an_answer_without_a_price_is_priced_by_its_candidates(self):
        million = Usage(1_000_000, 1_000_000)
        its = Worlds({"a": Candidate(Fake(completion("Hi.", million, None)), "a", price=Price(2.0, 3.0))})
        assert its.ask().unwrap().cost_usd == 5.0

    def test_a_cached_answer_stays_free(self):
        cached = completion("Hi.", Usage(10, 5), 0.0, cache="hit")
        assert Worlds({"a": Candidate(Fake(cached), "a", price=CHEAP)}).ask().unwrap().cost_usd == 0.0

    def test_an_error_says_what_was_spent(self):
        spent = ProviderServerError("Broke.", usage=Usage(100, 1), cost_usd=1.0)
        error = Worlds({"a": Fake(spent), "b": Fake(spent)}).ask().error
        assert (error.usage.input_tokens, error.cost_usd, error.attempts) == (200, 2.0, 2)


class TestStreams:
    def test_one_that_dies_before_its_first_chunk_is_replaced(self):
        its = Worlds({"a": Fake([ProviderConnectionError("Reset.")]), "b": Fake(["Hel", "lo"])})
        result, texts = its.stream()
        assert (result.unwrap().text, texts) == ("Hello", ["Hel", "lo"])
        assert outcomes(its.record.completion().routing) == {"a": "failed", "b": "chosen"}

    def test_chunks_that_say_nothing_commit_to_nobody(self):
        first = StreamChunk(metadata={"id": "a"})
        its = Worlds({"a": Fake([first, ProviderConnectionError("Reset.")]), "b": Fake([first, "Hi"])})
        result, texts = its.stream()
        assert (result.unwrap().text, texts) == ("Hi", ["", "Hi"])

    def test_after_the_first_chunk_it_is_an_error_with_what_had_come(self):
        its = Worlds({"a": Fake(["Hel", ProviderConnectionError("Reset.")]), "b": Fake()})
        result, texts = its.stream()
        error = result.error
        assert (type(error), error.message) == (StreamError, "The stream broke off. Reset.")
        assert (error.partial.text, texts) == ("Hel", ["Hel"])
        assert outcomes(error.routing) == {"a": "failed", "b": "unused"}
        assert error.routing.chosen == "a"
        assert its.asked() == {"a": 1}

    def test_an_empty_stream_is_an_empty_answer(self):
        result, texts = Worlds({"a": Fake([])}).stream()
        assert (result.unwrap().text, texts) == ("", [])

    def test_every_stream_is_closed(self):
        its = Worlds({"a": Fake([ProviderConnectionError("Reset.")]), "b": Fake(["Hi"])})
        its.stream()
        assert [stream.closed for client in its.clients.values() for stream in client.streams] == [True, True]

    def test_usage_of_all_attempts_is_on_the_whole_answer(self):
        spent = StreamError("Overloaded.", usage=Usage(7, 0), cost_usd=0.5)
        priced = Candidate(Fake(["Hi", StreamChunk(usage=Usage(1_000_000, 0))]), "b", price=CHEAP)
        result, _ = Worlds({"a": Fake([spent]), "b": priced}).stream()
        assert (result.unwrap().usage.input_tokens, result.unwrap().cost_usd) == (1_000_007, 1.5)


class TestTime:
    def test_no_candidate_is_begun_after_the_deadline(self):
        its = Worlds({"a": Fake(ProviderServerError("Broke."), seconds=5), "b": Fake()})
        error = its.ask(timeout=5).error
        assert its.asked() == {"a": 1}
        assert outcomes(error.routing) == {"a": "failed", "b": "unused"}

    def test_a_deadline_that_has_passed_is_said_before_anybody_is_asked(self):
        its = Worlds({"a": Fake()})
        with pytest.raises(DeadlineExceededError):
            its.ask(deadline=its.now)
        assert its.asked() == {}

    def test_the_earlier_of_deadline_and_timeout_counts(self):
        its = Worlds({"a": Fake(ProviderServerError("Broke."), seconds=2), "b": Fake()}, timeout=100)
        assert its.ask(deadline=its.now + 1).is_err()
        assert its.ask(timeout=1).is_err()
        assert its.ask().unwrap().routing.chosen == "b"

    def test_a_stream_ends_with_its_deadline(self):
        its = Worlds({"a": Fake(["1", "2", "3", "4"], seconds=2)})
        result, texts = its.stream(timeout=5)
        assert (type(result.error), texts) == (StreamError, ["1", "2"])

    def test_options_of_the_router_are_not_handed_to_clients(self):
        its = Worlds({"a": Fake()})
        its.ask(timeout=5, model="a", temperature=0.5)
        assert its.clients["a"].calls[0][1] == {"temperature": 0.5}
