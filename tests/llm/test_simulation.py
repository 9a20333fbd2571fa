"""All policies of a client at once, in worlds that hypothesis makes up: what must hold, holds in every one of them.

A world has a provider that fails in every way, callers that come at their own times, and limits of every kind. Nothing
waits: thousands of seconds pass in milliseconds, and always in the same way.
"""

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from lambdallm.llm.caching import LLMCache
from lambdallm.llm.clients.sync import AbstractLLMClient
from lambdallm.llm.errors import (
    DeadlineExceededError,
    InvalidRequestError,
    LLMRateLimitError,
    ProviderConnectionError,
    ProviderResponseError,
    ProviderServerError,
)
from lambdallm.llm.result import Err, Ok
from lambdallm.llm.streaming.record import StreamRecord
from lambdallm.llm.types import ChatMessage, Choice, Completion, StreamChunk, Usage
from lambdallm.testing import Later, Script

MODELS = ("gpt-4o", "gpt-4o-mini")
USED = Usage(10, 5)
GARBLED = Usage(10, 3)
PRICES = {"gpt-4o": (2.5e-6, 10e-6), "gpt-4o-mini": (0.15e-6, 0.6e-6)}
BEGUN = 1_000.0

outcomes = st.sampled_from(["ok", "ok", "ok", "overloaded", "limited", "lost", "garbled", "refused"])
attempts = st.lists(st.tuples(st.sampled_from([0, 0.5, 1, 3, 20]), outcomes), max_size=30)


@st.composite
def callers(draw):
    return {
        "at": draw(st.sampled_from([0, 0, 0.1, 1, 5, 30, 61, 200])),
        "model": draw(st.sampled_from(MODELS)),
        "prompt": draw(st.sampled_from("ab")),
        "patience": draw(st.sampled_from([None, None, 0, 0.2, 2, 10, 60])),
        "streams": draw(st.booleans()),
    }


@st.composite
def policies(draw):
    limits = st.sampled_from([None, None, 1, 2, 4])
    return {
        "max_retries": draw(st.integers(0, 3)),
        "failure_threshold": draw(st.integers(1, 4)),
        "recovery_seconds": draw(st.sampled_from([1.0, 5.0, 30.0])),
        "requests_per_minute": draw(limits),
        "tokens_per_minute": draw(st.sampled_from([None, None, 2_000, 5_000])),
        "max_concurrency": draw(limits),
        "hedge_seconds": draw(st.sampled_from([None, None, 0.25, 2.0])),
    }


class Attempt:
    """One attempt as its provider saw it."""

    def __init__(self, caller, begun, state):
        self.caller, self.begun, self.state = caller, begun, state
        self.ended = self.used = None


class Simulated(AbstractLLMClient):
    """A client of a provider that does as it is told, and remembers."""

    provider, default_model = "openai", "gpt-4o"

    def __init__(self, script, callers, **options):
        super().__init__(**options)
        self.script, self.callers = list(script), callers
        self.world = Script()
        self.attempts = []

    def now(self):
        return self.world.clock.monotonic

    def begin(self, number, model):
        attempt = Attempt(number, self.now(), self._policies.breaker(self._target(model)).state)
        self.attempts.append(attempt)
        seconds, outcome = self.script.pop(0) if self.script else (0, "ok")
        return attempt, seconds, outcome

    def whole(self, number, model):
        attempt, seconds, outcome = self.begin(number, model)
        return Later(seconds, lambda: self.ends(attempt, outcome))

    def ends(self, attempt, outcome):
        attempt.ended = self.now()
        attempt.used = {"ok": USED, "garbled": GARBLED}.get(outcome)
        error = {
            "overloaded": lambda: ProviderServerError("Overloaded."),
            "limited": lambda: LLMRateLimitError("Slow down.", retry_after=2.0),
            "lost": lambda: ProviderConnectionError("Lost."),
            "garbled": lambda: ProviderResponseError("Garbled.", usage=GARBLED),
            "refused": lambda: InvalidRequestError("No."),
        }.get(outcome)
        return Err(error()) if error else Ok(Completion((Choice(ChatMessage("assistant", "Hi."), "stop"),), USED))

    def pieces(self, number, model):
        """A stream: its first chunk, the rest a second later, the end; or its failure."""
        attempt, seconds, outcome = self.begin(number, model)
        steps = [(seconds, self._first), (1, lambda: self._last(attempt)), (0, lambda: None)]
        if outcome != "ok":
            steps = [(seconds, lambda: self.ends(attempt, outcome))]
        steps = iter(steps)
        return lambda: Later(*next(steps))

    def _first(self):
        return StreamChunk("H")

    def _last(self, attempt):
        attempt.ended, attempt.used = self.now(), USED
        return StreamChunk("i.", finish_reason="stop", usage=USED)

    def call(self, number):
        """A caller's flow: what it got, and what its stream had given."""
        caller = self.callers[number]
        patience = caller["patience"]
        deadline = None if patience is None else BEGUN + caller["at"] + patience
        asked = self._asked(caller["prompt"], {"model": caller["model"], "deadline": deadline})
        record = StreamRecord(self._target(caller["model"]))
        try:
            if caller["streams"]:
                result = yield from self._pieces(lambda _: self.pieces(number, caller["model"]), asked, record)
                return result if isinstance(result, Err) else Ok(record.completion())
            return (yield from self._whole(lambda _: self.whole(number, caller["model"]), asked))
        except DeadlineExceededError as error:
            return Err(error)

    def simulate(self):
        return self.world.run_all([(caller["at"], self.call(n)) for n, caller in enumerate(self.callers)])


worlds = given(policies(), attempts, st.lists(callers(), min_size=1, max_size=8))


def simulated(policy, script, callers, cache=None):
    client = Simulated(script, callers, cache=cache, **policy)
    results = client.simulate()
    event(f"{len(client.attempts)} attempts")
    return client, results


@worlds
@settings(max_examples=400)
def test_attempts_are_bounded(policy, script, callers):
    client, _ = simulated(policy, script, callers)
    most = (policy["max_retries"] + 1) * (2 if policy["hedge_seconds"] else 1)
    for number in range(len(callers)):
        assert sum(attempt.caller == number for attempt in client.attempts) <= most


@worlds
@settings(max_examples=400)
def test_no_attempt_begins_after_its_deadline(policy, script, callers):
    client, _ = simulated(policy, script, callers)
    for attempt in client.attempts:
        caller = callers[attempt.caller]
        if caller["patience"] is not None:
            assert attempt.begun <= BEGUN + caller["at"] + caller["patience"]


@worlds
@settings(max_examples=400)
def test_a_breaker_that_is_not_closed_lets_one_caller_through(policy, script, callers):
    """With a hedge the one that probes may make two attempts; nobody else makes any."""
    client, _ = simulated(policy, script, callers)
    assert not any(attempt.state == "open" for attempt in client.attempts)
    probes = [attempt for attempt in client.attempts if attempt.state == "half_open"]
    for one in probes:
        beside = [
            other
            for other in probes
            if other.begun <= one.begun < (other.ended or other.begun)
            and callers[other.caller]["model"] == callers[one.caller]["model"]
            and one.begun - other.begun < policy["recovery_seconds"]
        ]
        assert len({other.caller for other in [*beside, one]}) == 1


@worlds
@settings(max_examples=400)
def test_the_rate_is_never_exceeded_in_any_window(policy, script, callers):
    client, _ = simulated(policy, script, callers)
    rate = policy["requests_per_minute"]
    if rate is None:
        return
    times = [attempt.begun for attempt in client.attempts]
    for first in range(len(times)):
        for last in range(first, len(times)):
            assert last - first + 1 <= rate + (times[last] - times[first]) * rate / 60 + 1e-6


@worlds
@settings(max_examples=400)
def test_no_more_are_under_way_than_there_are_slots(policy, script, callers):
    client, _ = simulated(policy, script, callers)
    slots = policy["max_concurrency"]
    if slots is None:
        return
    assert client._policies.slots.busy == 0
    if policy["hedge_seconds"] is None and all(caller["patience"] is None for caller in callers):
        for one in client.attempts:
            assert sum(a.begun <= one.begun < a.ended for a in client.attempts) <= slots


def cost(usage, model):
    price_in, price_out = PRICES[model]
    return usage.input_tokens * price_in + usage.output_tokens * price_out


@worlds
@settings(max_examples=400)
def test_each_attempt_is_paid_for_once(policy, script, callers):
    """What callers are told they paid is what the provider was used for: no attempt twice, none forgotten.

    One that its deadline cut off counts with nothing: nobody knows what it used.
    """
    client, results = simulated({**policy, "hedge_seconds": None}, script, callers, cache=LLMCache())
    told = [_told_cost(result) for result in results]
    unknown = {number for number, known in enumerate(told) if known is None}
    used = [
        cost(a.used, callers[a.caller]["model"])
        for a in client.attempts
        if a.used is not None and a.caller not in unknown
    ]
    assert sum(known for known in told if known is not None) == pytest.approx(sum(used), abs=1e-12)
    for number in unknown:
        assert any(a.caller == number and a.used is None for a in client.attempts)


def _told_cost(result):
    """What a caller was told: nothing is known of an attempt that broke off."""
    if isinstance(result, Ok):
        return result.value.cost_usd
    error = result.error
    if getattr(error, "partial", None) is not None:
        return error.cost_usd
    return getattr(error, "cost_usd", None) or 0.0


@worlds
@settings(max_examples=200)
def test_hedged_answers_cost_what_both_attempts_did(policy, script, callers):
    policy = {**policy, "hedge_seconds": 0.25, "max_retries": 0}
    client, results = simulated(policy, script, callers)
    for number, result in enumerate(results):
        mine = [a for a in client.attempts if a.caller == number]
        if isinstance(result, Ok):
            assert result.value.attempts == len(mine)
            lost = len(mine) - 1
            known = [a.used for a in mine if a.used is not None]
            assert result.value.usage.input_tokens == USED.input_tokens * max(1, len(known)) + 10 * (
                lost - (max(1, len(known)) - 1) if "cancelled for a faster" in "".join(result.value.warnings) else 0
            )


@worlds
@settings(max_examples=200)
def test_the_same_question_is_asked_once_at_a_time(policy, script, callers):
    """With a cache and a provider that answers, each question is asked once, however many ask it together."""
    callers = [{**caller, "patience": None} for caller in callers]
    calm = {**policy, "requests_per_minute": None, "tokens_per_minute": None, "hedge_seconds": None}
    client, results = simulated(calm, [(3, "ok")] * 20, callers, cache=LLMCache())
    questions = {(caller["model"], caller["prompt"]) for caller in callers}
    asked = [(callers[a.caller]["model"], callers[a.caller]["prompt"]) for a in client.attempts]
    assert all(isinstance(result, Ok) for result in results)
    assert sorted(asked) == sorted(questions)
    for number, result in enumerate(results):
        mine = any(a.caller == number for a in client.attempts)
        assert (result.value.cache is None) == mine
        assert mine or result.value.cost_usd == 0.0
        assert result.value.text == "Hi."
