"""Who is asked first: what a call needs, what the facts know, and what each strategy makes of it."""

import random

import pytest

from lambdallm.llm.catalog.definition import Price
from lambdallm.llm.errors import ConfigurationError, InvalidRequestError, ProviderServerError, UnsupportedParameterError
from lambdallm.llm.flow import Sleep
from lambdallm.llm.health.circuit_breaker import ProviderCircuitBreaker
from lambdallm.llm.protocols import RoutingStrategyProtocol
from lambdallm.llm.routing import (
    Candidate,
    CostOptimizedStrategy,
    LatencyOptimizedStrategy,
    Observation,
    Plan,
    SequentialCascadeStrategy,
    WeightedStrategy,
)
from lambdallm.llm.routing.needs import estimated_tokens, needs_of
from lambdallm.llm.routing.sync import LLMRouter
from lambdallm.llm.types import (
    AudioPart,
    ChatMessage,
    DocumentPart,
    ImagePart,
    ResponseFormat,
    TextPart,
    Thinking,
    ToolDefinition,
    ToolResult,
)

from .worlds import CHEAP, DEAR, Fake, Worlds, outcomes, reasons

PICTURE = [ChatMessage("user", (TextPart("What is it?"), ImagePart(url="https://example.com/a.png")))]
TEXT_ONLY = {"input": ("text",)}
SEEING = {"input": ("text", "image")}


def order(its, **options):
    """The candidates in the strategy's order."""
    return [attempt.candidate for attempt in its.ask(**options).unwrap().routing.attempts]


class TestWhatACallNeeds:
    @pytest.mark.parametrize(
        ("part", "need"),
        [
            (ImagePart(data=b"x", media_type="image/png"), {"image"}),
            (AudioPart(b"x", "audio/wav"), {"audio"}),
            (DocumentPart(data=b"%PDF", media_type="application/pdf"), {"pdf"}),
            (DocumentPart(text="plain"), set()),
            (DocumentPart(data=b"x", media_type="text/csv"), set()),
            (TextPart("Hi"), set()),
            (ToolResult("1", (ImagePart(url="https://example.com/a.png"),)), {"image"}),
        ],
    )
    def test_parts(self, part, need):
        assert needs_of([ChatMessage("user", (part,))], {}) == need

    def test_options(self):
        options = {
            "tools": (ToolDefinition("f"),),
            "response_format": ResponseFormat("json_schema", {}),
            "thinking": Thinking(effort="low"),
        }
        assert needs_of([], options) == {"tools", "json_schema", "thinking"}
        assert needs_of([], {"response_format": ResponseFormat("json"), "thinking": Thinking(False)}) == set()

    def test_tokens_are_about_a_quarter_of_the_bytes(self):
        assert estimated_tokens([ChatMessage("user", "word " * 100)], {}) == pytest.approx(132, abs=5)
        assert estimated_tokens([ChatMessage("user", "漢字" * 100)], {}) == pytest.approx(157, abs=5)
        assert estimated_tokens(PICTURE, {}) > 1000


class TestCapable:
    def test_a_picture_goes_to_a_model_that_sees(self):
        its = Worlds(
            {"blind": Candidate(Fake(), "blind", facts=TEXT_ONLY), "seeing": Candidate(Fake(), "seeing", facts=SEEING)}
        )
        answer = its.ask(PICTURE).unwrap()
        assert outcomes(answer.routing) == {"seeing": "chosen", "blind": "skipped"}
        assert reasons(answer.routing)["blind"] == "It can't take images."

    def test_what_is_unknown_keeps_its_place_and_is_said(self):
        answer = Worlds({"unknown": Fake(), "seeing": Candidate(Fake(), "seeing", facts=SEEING)}).ask(PICTURE).unwrap()
        assert answer.routing.chosen == "unknown"
        assert reasons(answer.routing)["unknown"] == "Its priority is 0. It is unknown whether it can take images."

    def test_nobody_who_can_is_an_error_before_anything_is_sent(self):
        its = Worlds({"blind": Candidate(Fake(), "blind", facts=TEXT_ONLY)})
        error = its.ask(PICTURE).error
        assert (type(error), error.sent, error.attempts) == (UnsupportedParameterError, False, 0)
        assert str(error).startswith("No candidate can take images. blind: It can't take images. Add a candidate")
        assert its.asked() == {}

    def test_a_window_that_is_too_small_is_left_out_while_another_is_not(self):
        small = Candidate(Fake(), "small", facts={"context_window": 1000})
        its = Worlds({"small": small, "large": Candidate(Fake(), "large", facts={"context_window": 100_000})})
        assert its.ask("x" * 8000).unwrap().routing.chosen == "large"
        assert its.ask("x" * 800).unwrap().routing.chosen == "small"
        assert its.ask("x" * 800, max_tokens=900).unwrap().routing.chosen == "large"

    def test_an_estimate_refuses_no_call(self):
        its = Worlds({"small": Candidate(Fake(), "small", facts={"context_window": 1000})})
        assert its.ask("x" * 8000).unwrap().routing.chosen == "small"

    def test_an_answer_longer_than_a_model_gives_goes_to_another(self):
        short = Candidate(Fake(), "short", facts={"max_output_tokens": 1000})
        answer = Worlds({"short": short, "b": Fake()}).ask(max_tokens=2000).unwrap()
        assert reasons(answer.routing)["short"] == "It gives at most 1000 tokens, and max_tokens is 2000."

    def test_a_call_may_name_a_candidate_or_a_model(self):
        its = Worlds({"a": Fake(), "b": Fake()})
        answer = its.ask(model="b").unwrap()
        assert outcomes(answer.routing) == {"b": "chosen", "a": "skipped"}
        with pytest.raises(ConfigurationError, match=r"No candidate is or has 'bb'\. Did you mean 'b'\?"):
            its.ask(model="bb")

    def test_facts_come_from_the_catalog(self):
        router = LLMRouter(["openai/gpt-4o-mini", "openai/gpt-4o-mini", "anthropic/claude-haiku-4-5"])
        mini, again, haiku = router.facts
        assert (mini.name, again.name, haiku.name) == (
            "openai/gpt-4o-mini", "openai/gpt-4o-mini#2", "anthropic/claude-haiku-4-5",
        )  # fmt: skip
        assert (mini.provider, mini.model, mini.context_window) == ("openai", "gpt-4o-mini", 128_000)
        assert {"image", "tools", "json_schema"} <= mini.can
        assert "audio" in mini.cannot
        assert (haiku.price.input, haiku.price.output) == (1.0, 5.0)
        router.close()

    def test_a_token_counter_is_believed_over_the_estimate(self):
        class Counter:
            def count(self, text, model=None):
                return 1

            def count_messages(self, messages, model=None):
                return 5000

        small = Candidate(Fake(), "small", facts={"context_window": 1000})
        assert Worlds({"small": small, "b": Fake()}, token_counter=Counter()).ask().unwrap().routing.chosen == "b"


class TestSequential:
    def test_the_lowest_priority_first_then_the_order_of_the_list(self):
        its = Worlds({"a": Candidate(Fake(), "a", priority=2), "b": Fake(), "c": Fake()})
        assert order(its) == ["b", "c", "a"]


class TestCost:
    def test_the_cheapest_for_this_call_first(self):
        talker = Candidate(Fake(), "dear output", price=Price(1.0, 100.0))
        reader = Candidate(Fake(), "dear input", price=Price(10.0, 1.0))
        its = Worlds({"t": talker, "r": reader}, "cost")
        assert order(its, messages="Hi")[0] == "dear input"
        assert order(its, messages="x" * 40_000, max_tokens=1)[0] == "dear output"

    def test_a_price_for_long_input_counts(self):
        long = Candidate(Fake(), "long", price=Price(1.0, 1.0, over=1000, over_price=Price(100.0, 100.0)))
        its = Worlds({"a": Candidate(Fake(), "flat", price=Price(2.0, 2.0)), "b": long}, "cost")
        assert order(its)[0] == "long"
        assert order(its, messages="x" * 8000)[0] == "flat"

    def test_an_unknown_price_comes_last_and_says_so(self):
        its = Worlds({"a": Fake(), "b": Candidate(Fake(), "b", price=DEAR)}, "cost")
        assert order(its) == ["b", "a"]
        answer = its.ask().unwrap()
        assert reasons(answer.routing)["a"] == "Its price is unknown, so it comes after those whose price is known."
        assert reasons(answer.routing)["b"] == "About 0.01 US dollars."

    def test_an_unknown_price_can_be_assumed(self):
        its = Worlds({"a": Candidate(Fake(), "a", price=DEAR), "b": Fake()}, CostOptimizedStrategy(assumed_price=CHEAP))
        assert order(its) == ["b", "a"]
        assert "at the price assumed for it" in reasons(its.ask().unwrap().routing)["b"]

    def test_who_can_for_certain_comes_before_who_may_be_able_to(self):
        its = Worlds({
            "cheap": Candidate(Fake(), "cheap", price=CHEAP),
            "dear": Candidate(Fake(), "dear", price=DEAR, facts=SEEING),
            "blind": Candidate(Fake(), "blind", price=CHEAP, facts=TEXT_ONLY),
        }, "cost")  # fmt: skip
        assert order(its, messages=PICTURE) == ["dear", "cheap", "blind"]
        assert order(its, messages="Hi") == ["cheap", "blind", "dear"]


class TestLatency:
    def strategy(self, draws=(), **options):
        numbers = iter(draws)
        return LatencyOptimizedStrategy(random=lambda: next(numbers, 0.99), **options)

    def test_the_fastest_so_far_first(self):
        its = Worlds({"slow": Fake(seconds=2), "fast": Fake(seconds=1)}, self.strategy())
        for name in ("slow", "fast"):
            its.ask(model=name)
        assert order(its) == ["fast", "slow"]
        assert reasons(its.ask().unwrap().routing)["fast"] == "It took 1000 ms on the average."

    def test_streams_are_compared_by_their_first_token_and_apart_from_whole_answers(self):
        rambling = Fake(["1", "2", "3", "4"], seconds=1)
        its = Worlds({"sudden": Fake(["1"], seconds=2), "rambling": rambling}, self.strategy())
        for name in ("sudden", "rambling"):
            its.stream(model=name)
        assert its.router.strategy.latencies_ms(stream=True) == {"sudden": 2000, "rambling": 1000}
        assert its.router.strategy.latencies_ms() == {}

    def test_older_samples_count_for_less(self):
        its = Worlds({"a": Fake(seconds=10)}, self.strategy(half_life_seconds=100))
        its.ask()
        its.clients["a"].seconds = 0
        its.world.run(wait(100))
        its.ask()
        assert its.router.strategy.latencies_ms()["a"] == pytest.approx(10_000 / 3)

    def test_what_was_never_seen_is_explored_now_and_then(self):
        strategy = self.strategy(draws=[0.05, 0.0])
        its = Worlds({"known": Fake(seconds=1), "b": Fake(), "c": Fake()}, strategy)
        its.ask(model="known")
        answer = its.ask().unwrap()
        assert answer.routing.chosen == "b"
        assert reasons(answer.routing)["b"] == "It is explored."
        assert its.ask().unwrap().routing.chosen == "b", "it was faster"

    def test_what_was_not_seen_for_long_is_unknown_again(self):
        its = Worlds({"a": Fake(seconds=1)}, self.strategy(stale_after_seconds=60))
        its.ask()
        its.world.run(wait(61))
        assert reasons(its.ask().unwrap().routing)["a"] == "How fast it is is not known, or no longer."

    def test_failing_at_once_is_not_being_fast(self):
        its = Worlds({"a": Fake(ProviderServerError("No.")), "b": Fake(seconds=5)}, self.strategy())
        its.ask()
        assert order(its) == ["b", "a"]

    def test_a_request_that_is_wrong_makes_nobody_slow(self):
        its = Worlds({"a": Fake(InvalidRequestError("No."))}, self.strategy())
        its.ask()
        assert its.router.strategy.latencies_ms() == {}

    def test_losing_a_race_counts_as_at_least_that_slow(self):
        strategy = self.strategy()
        slow, fast = Worlds({"slow": Fake(), "fast": Fake()}).router.facts
        strategy.observe(Observation(slow, "ok", False, 100.0))
        strategy.observe(Observation(slow, "cancelled", False, 50.0))
        assert strategy.latencies_ms() == {"slow": 100.0}
        strategy.observe(Observation(slow, "cancelled", False, 300.0))
        assert strategy.latencies_ms()["slow"] == 200.0
        strategy.observe(Observation(fast, "cancelled", False, 70.0))
        assert strategy.latencies_ms()["fast"] == 70.0


def wait(seconds):
    yield Sleep(seconds)


class TestWeighted:
    def share(self, strategy, weights, calls=4000, **options):
        clients = {name: Candidate(Fake(), name, weight=weight) for name, weight in weights.items()}
        its = Worlds(clients, strategy)
        chosen = [its.ask(**{k: v(at) for k, v in options.items()}).unwrap().routing.chosen for at in range(calls)]
        return {name: chosen.count(name) / calls for name in weights}

    def test_calls_are_shared_out_by_weight(self):
        strategy = WeightedStrategy(random=random.Random(1).random)
        share = self.share(strategy, {"a": 3, "b": 1, "never": 0})
        assert share["a"] == pytest.approx(0.75, abs=0.03)
        assert share["never"] == 0

    def test_the_same_key_has_the_same_order(self):
        its = Worlds({name: Fake() for name in "abcdef"}, WeightedStrategy(sticky="user"))
        assert order(its, user="ann") == order(its, user="ann")
        assert len({tuple(order(its, user=str(user))) for user in range(20)}) > 10

    def test_keys_are_shared_out_by_weight_too(self):
        share = self.share(WeightedStrategy(sticky="user"), {"a": 3, "b": 1}, user=lambda at: f"user {at}")
        assert share["a"] == pytest.approx(0.75, abs=0.03)

    def test_removing_one_moves_its_share_only(self):
        whole = Worlds({name: Fake() for name in "abc"}, WeightedStrategy(sticky="user"))
        rest = Worlds({name: Fake() for name in "ab"}, WeightedStrategy(sticky="user"))
        for user in map(str, range(50)):
            first = order(whole, user=user)[0]
            assert first == "c" or order(rest, user=user)[0] == first


class TestHealth:
    def opened(self, now, seconds=30.0):
        breaker = ProviderCircuitBreaker("it", failure_threshold=1, recovery_seconds=seconds)
        breaker.record_failure(now)
        return breaker

    def test_an_open_circuit_comes_last(self):
        its = Worlds({"resting": Fake(breaker=self.opened(1000.0)), "b": Fake(ProviderServerError("No.")), "c": Fake()})
        answer = its.ask().unwrap()
        assert outcomes(answer.routing) == {"resting": "unused", "b": "failed", "c": "chosen"}
        assert reasons(answer.routing)["resting"].endswith("Its circuit was open, so it came last.")

    def test_it_is_asked_when_nobody_else_is_left(self):
        its = Worlds({"resting": Fake(breaker=self.opened(1000.0)), "b": Fake(ProviderServerError("No."))})
        assert its.ask().unwrap().routing.chosen == "resting"

    def test_looking_takes_no_probe(self):
        breaker = self.opened(1000.0)
        Worlds({"resting": Fake(breaker=breaker), "b": Fake()}).ask()
        assert breaker.state == "open"

    def test_one_that_has_waited_long_enough_is_asked_in_its_turn(self):
        its = Worlds({"recovering": Fake(breaker=self.opened(900.0)), "b": Fake()})
        assert its.ask().unwrap().routing.chosen == "recovering"

    def test_somebody_elses_breaker_is_asked_for_its_state_alone(self):
        class Theirs:
            state = "open"

        its = Worlds({"a": Fake(breaker=Theirs()), "b": Fake()})
        assert its.ask().unwrap().routing.chosen == "b"


class TestOnesOwnStrategy:
    def test_two_methods_are_enough(self):
        class Last:
            def __init__(self):
                self.heard = []

            def plan(self, call, candidates):
                return Plan([candidates[-1]], {"c": "It is the last."}, left_out={"a": "It is the first."})

            def observe(self, observation):
                self.heard.append((observation.candidate.name, observation.outcome))

        its = Worlds({name: Fake() for name in "abc"}, Last())
        assert isinstance(its.router.strategy, RoutingStrategyProtocol)
        decision = its.ask().unwrap().routing
        assert decision.strategy == "Last"
        assert reasons(decision) == {"c": "It is the last.", "a": "It is the first.", "b": "The strategy left it out."}
        assert its.router.strategy.heard == [("c", "ok")]

    def test_naming_one_twice_asks_it_once(self):
        class Twice(SequentialCascadeStrategy):
            def plan(self, call, candidates):
                return Plan([candidates[0], candidates[0]])

        its = Worlds({"a": Fake(ProviderServerError("No."))}, Twice())
        assert its.ask().is_err()
        assert its.asked() == {"a": 1}

    def test_naming_a_stranger_is_refused(self):
        class Strange(SequentialCascadeStrategy):
            def plan(self, call, candidates):
                return Plan([candidates[0].replace(name="stranger")])

        with pytest.raises(ConfigurationError, match="'stranger', which is no candidate"):
            Worlds({"a": Fake()}, Strange()).ask()

    def test_asking_nobody_says_so(self):
        class Nobody(SequentialCascadeStrategy):
            def plan(self, call, candidates):
                return Plan([])

        assert "The strategy asks no candidate" in str(Worlds({"a": Fake()}, Nobody()).ask().error)


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        ("candidates", "said"),
        [
            ([], "A router needs candidates"),
            ("openai/gpt-4o", "Give a list"),
            ([object()], "is no client"),
            ([Fake], "is no client"),
            ([Candidate(Fake(), "a"), Candidate(Fake(), "a")], "Several candidates are called 'a'"),
            (["opnai/gpt-4o"], "'openai'"),
        ],
    )
    def test_what_is_no_list_of_clients(self, candidates, said):
        with pytest.raises(ConfigurationError, match=said):
            LLMRouter(candidates)

    def test_what_is_no_strategy(self):
        with pytest.raises(ConfigurationError, match="'latency'"):
            LLMRouter([Fake()], "latancy")
        with pytest.raises(ConfigurationError, match=r"plan\(call, candidates\)"):
            LLMRouter([Fake()], object())

    def test_what_is_no_weight_and_no_fact(self):
        with pytest.raises(ConfigurationError, match="weight is -1"):
            Candidate(Fake(), weight=-1)
        with pytest.raises(ConfigurationError, match="'context_window'"):
            Candidate(Fake(), facts={"contextwindow": 1})
