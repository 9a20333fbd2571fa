"""Several candidates at once: the first answer wins, the others are cancelled, and what they cost is counted."""

import pytest

from lambdallm.llm.errors import ConfigurationError, InvalidRequestError, ProviderServerError, TokenLimitError
from lambdallm.llm.flow import Cancel
from lambdallm.llm.routing import Candidate, ParallelRaceStrategy
from lambdallm.llm.types import Usage

from .worlds import CHEAP, Fake, Worlds, completion, outcomes

BROKE = ProviderServerError("Broke.")


class TestWholeAnswers:
    def test_the_first_answer_wins_and_the_others_are_cancelled(self):
        its = Worlds({"slow": Fake("Slow.", 3), "fast": Fake("Fast.", 1), "slower": Fake("Slower.", 9)}, "race")
        answer = its.ask().unwrap()
        assert (answer.text, its.now) == ("Fast.", 1001.0)
        assert outcomes(answer.routing) == {"slow": "cancelled", "fast": "chosen", "slower": "cancelled"}
        assert len(its.world.of(Cancel)) == 2

    def test_a_loser_is_billed_by_estimate(self):
        its = Worlds({"fast": Fake("Hi.", 1), "slow": Candidate(Fake("Hi.", 3), "slow", price=CHEAP)}, "race")
        answer = its.ask("x" * 400, max_tokens=100).unwrap()
        lost = answer.routing.attempts[1]
        assert (lost.outcome, lost.estimated, lost.usage, lost.latency_ms) == ("cancelled", True, Usage(107, 100), 1000)
        assert answer.cost_usd == pytest.approx(0.25 + (107 + 2 * 100) / 1e6)
        assert (answer.usage, answer.attempts) == (Usage(117, 105), 2)

    def test_a_loser_that_had_answered_is_billed_as_it_says(self):
        its = Worlds({"a": Fake("A.", 1), "b": Fake(completion("B.", Usage(7, 7), 0.5), 1)}, "race")
        answer = its.ask().unwrap()
        assert answer.text == "A."
        lost = answer.routing.attempts[1]
        assert (lost.outcome, lost.estimated, lost.cost_usd) == ("cancelled", False, 0.5)
        assert answer.cost_usd == 0.75

    def test_a_loser_without_a_price_makes_the_cost_unknown(self):
        assert Worlds({"fast": Fake("Hi.", 1), "slow": Fake("Hi.", 3)}, "race").ask().unwrap().cost_usd is None

    def test_failures_do_not_end_the_race(self):
        its = Worlds({"a": Fake(BROKE, 1), "b": Fake("Hi.", 2), "c": Fake(BROKE, 0)}, "race")
        assert outcomes(its.ask().unwrap().routing) == {"a": "failed", "b": "chosen", "c": "failed"}

    def test_all_failing_is_one_error(self):
        error = Worlds({"a": Fake(BROKE, 1), "b": Fake(BROKE, 2)}, "race").ask().error
        assert type(error) is ProviderServerError
        assert outcomes(error.routing) == {"a": "failed", "b": "failed"}

    def test_the_next_contestants_follow_where_all_have_failed(self):
        clients = {"a": Fake(BROKE, 1), "b": Fake(BROKE, 2), "c": Fake("C.", 2), "d": Fake("D.", 1)}
        its = Worlds(clients, ParallelRaceStrategy(contestants=2))
        answer = its.ask().unwrap()
        assert outcomes(answer.routing) == {"a": "failed", "b": "failed", "c": "cancelled", "d": "chosen"}
        assert its.now == 1003.0

    def test_contestants_that_are_not_needed_are_unused(self):
        its = Worlds({"a": Fake(), "b": Fake(), "c": Fake()}, ParallelRaceStrategy(contestants=2))
        assert outcomes(its.ask().unwrap().routing)["c"] == "unused"

    def test_what_a_failure_rules_out_is_not_asked_in_the_next_round(self):
        small = {"context_window": 1000}
        its = Worlds({
            "a": Candidate(Fake(TokenLimitError("Long."), 1), "a", facts=small),
            "b": Candidate(Fake(TokenLimitError("Long."), 1), "b", facts=small),
            "c": Candidate(Fake(), "c", facts=small),
            "d": Candidate(Fake(), "d", facts={"context_window": 9000}),
        }, ParallelRaceStrategy(contestants=2))  # fmt: skip
        assert outcomes(its.ask().unwrap().routing) == {"a": "failed", "b": "failed", "c": "skipped", "d": "chosen"}

    def test_strategies_hear_of_losers(self):
        heard = []

        class Listening(ParallelRaceStrategy):
            def observe(self, observation):
                heard.append((observation.candidate.name, observation.outcome, observation.latency_ms))

        Worlds({"fast": Fake(seconds=1), "slow": Fake(seconds=2)}, Listening()).ask()
        assert heard == [("fast", "ok", 1000.0), ("slow", "cancelled", 1000.0)]
        heard.clear()
        Worlds({"a": Fake(seconds=1), "tied": Fake(seconds=1)}, Listening()).ask()
        assert heard == [("a", "ok", 1000.0), ("tied", "ok", 1000.0)]

    def test_a_race_ends_at_the_deadline(self):
        its = Worlds({"a": Fake(BROKE, 5), "b": Fake(BROKE, 7), "c": Fake()}, ParallelRaceStrategy(contestants=2))
        assert its.ask(timeout=6).is_err()
        assert its.asked() == {"a": 1, "b": 1}

    @pytest.mark.parametrize("options", [{"contestants": 0}, {"stagger_seconds": -1}])
    def test_bad_numbers_are_refused(self, options):
        with pytest.raises(ConfigurationError, match=r"is (0|-1)\."):
            ParallelRaceStrategy(**options)


class TestStreams:
    def test_the_first_to_say_something_is_read_and_the_others_are_closed(self):
        its = Worlds({"slow": Fake(["S", "s"], 2), "fast": Fake(["F", "f"], 1)}, "race")
        result, texts = its.stream()
        assert (result.unwrap().text, texts) == ("Ff", ["F", "f"])
        assert outcomes(result.unwrap().routing) == {"slow": "cancelled", "fast": "chosen"}
        assert all(stream.closed for client in its.clients.values() for stream in client.streams)

    def test_a_cancelled_stream_is_billed_its_input(self):
        slow = Candidate(Fake(["S"], 2), "slow", price=CHEAP)
        result, _ = Worlds({"fast": Fake(["F"], 1), "slow": slow}, "race").stream("x" * 400)
        assert result.unwrap().routing.attempts[1].usage == Usage(107, 0)

    def test_a_winner_that_breaks_off_is_an_error_and_nobody_is_asked_again(self):
        its = Worlds({"fast": Fake(["F", BROKE], 1), "slow": Fake(["S"], 9), "c": Fake(["C"], 9)},
                     ParallelRaceStrategy(contestants=2))  # fmt: skip
        result, texts = its.stream()
        assert (result.error.partial.text, texts) == ("F", ["F"])
        assert outcomes(result.error.routing) == {"fast": "failed", "slow": "cancelled", "c": "unused"}

    def test_dying_before_the_first_chunk_leaves_the_race(self):
        its = Worlds({"a": Fake([BROKE], 1), "b": Fake(["B"], 2)}, "race")
        result, texts = its.stream()
        assert (texts, outcomes(result.unwrap().routing)) == (["B"], {"a": "failed", "b": "chosen"})


class TestHedges:
    def test_the_second_is_asked_beside_a_first_that_is_late(self):
        its = Worlds({"late": Fake("Late.", 10), "b": Fake("B.", 1), "c": Fake()}, hedge_seconds=2)
        answer = its.ask().unwrap()
        assert (answer.text, its.now) == ("B.", 1003.0)
        assert outcomes(answer.routing) == {"late": "cancelled", "b": "chosen", "c": "unused"}

    def test_one_that_answers_in_time_is_alone(self):
        its = Worlds({"a": Fake("A.", 1), "b": Fake("B.", 1)}, hedge_seconds=2)
        answer = its.ask().unwrap()
        assert (answer.text, its.asked()) == ("A.", {"a": 1})
        assert outcomes(answer.routing) == {"a": "chosen", "b": "unused"}
        assert answer.cost_usd == 0.25

    def test_a_failure_is_followed_at_once(self):
        its = Worlds({"a": Fake(BROKE, 1), "b": Fake("B.", 1)}, hedge_seconds=50)
        assert (its.ask().unwrap().text, its.now) == ("B.", 1002.0)

    def test_a_failure_that_stops_stops_the_hedge_too(self):
        its = Worlds({"a": Fake(InvalidRequestError("No."), 1), "b": Fake("B.", 1)}, hedge_seconds=50)
        error = its.ask().error
        assert (error.message, its.asked()) == ("No.", {"a": 1})
        assert outcomes(error.routing) == {"a": "failed", "b": "skipped"}

    def test_a_race_may_start_one_after_another(self):
        strategy = ParallelRaceStrategy(stagger_seconds=1)
        its = Worlds({"a": Fake("A.", 10), "b": Fake("B.", 10), "c": Fake("C.", 1)}, strategy)
        assert (its.ask().unwrap().text, its.now) == ("C.", 1003.0)
