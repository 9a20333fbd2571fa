"""Whatever clients do and whichever strategy chooses: nobody is asked twice, everything paid is counted once."""

import random
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdallm.llm.catalog.definition import Price
from lambdallm.llm.errors import (
    CircuitOpenError,
    ConfigurationError,
    InvalidRequestError,
    LLMContentFilterError,
    LLMRateLimitError,
    MissingKeyError,
    ProviderServerError,
    ProviderTimeoutError,
    TokenLimitError,
)
from lambdallm.llm.result import Ok
from lambdallm.llm.routing import (
    Candidate,
    CostOptimizedStrategy,
    LatencyOptimizedStrategy,
    ParallelRaceStrategy,
    SequentialCascadeStrategy,
    WeightedStrategy,
)
from lambdallm.llm.types import StreamChunk, Usage

from .worlds import Fake, Worlds

ERRORS = [
    ProviderServerError, LLMRateLimitError, ProviderTimeoutError, TokenLimitError, LLMContentFilterError,
    InvalidRequestError, MissingKeyError, CircuitOpenError,
]  # fmt: skip

failures = st.one_of(
    st.sampled_from(ERRORS).map(lambda kind: kind("No.")),
    st.sampled_from(ERRORS[:-2]).map(lambda kind: kind("No.", usage=Usage(3, 1), cost_usd=0.5)),
)
seconds = st.sampled_from([0, 1, 2, 5])
texts = st.sampled_from(["Hi.", "Hello there."])
pieces = st.lists(st.one_of(texts, st.just(StreamChunk(metadata={"a": 1})), failures), max_size=4).map(
    lambda items: next((items[: at + 1] for at, item in enumerate(items) if isinstance(item, BaseException)), items)
)
facts = st.fixed_dictionaries(
    {}, optional={"context_window": st.sampled_from([5, 100, 10_000]), "tools": st.booleans()}
)
strategies = st.one_of(
    st.builds(SequentialCascadeStrategy),
    st.builds(
        ParallelRaceStrategy, contestants=st.sampled_from([None, 1, 2, 3]), stagger_seconds=st.sampled_from([0, 1, 3])
    ),
    st.builds(CostOptimizedStrategy),
    st.builds(lambda seed: LatencyOptimizedStrategy(random=random.Random(seed).random), st.integers(0, 9)),
    st.builds(lambda seed: WeightedStrategy(random=random.Random(seed).random), st.integers(0, 9)),
)
TOOL = {"type": "function", "function": {"name": "f"}}
options = st.fixed_dictionaries({}, optional={"timeout": st.sampled_from([0.5, 2, 6]), "tools": st.just([TOOL])})


def candidate(name, answer, after, known, priced):
    return Candidate(Fake(answer, after), name, price=Price(1.0, 1.0) if priced else None, facts=known)


def candidates(answers):
    one = st.tuples(answers, seconds, facts, st.booleans())
    return st.lists(one, min_size=1, max_size=5).map(
        lambda several: {f"c{at}": candidate(f"c{at}", *parts) for at, parts in enumerate(several)}
    )


def checked(its, result):
    """The decision, after all that holds of every call."""
    decision = result.value.routing if isinstance(result, Ok) else result.error.routing
    told = {attempt.candidate: attempt for attempt in decision.attempts}
    assert len(told) == len(decision.attempts) == len(its.clients), "every candidate appears once"
    for name, client in its.clients.items():
        calls = len(client.calls)
        assert calls <= 1, "nobody is asked twice"
        assert calls == 0 or told[name].outcome != "unused"
        assert calls == 1 or told[name].outcome in ("skipped", "unused")
    chosen = [attempt.candidate for attempt in decision.attempts if attempt.outcome == "chosen"]
    assert chosen == ([decision.chosen] if isinstance(result, Ok) else [])
    assert all(attempt.reason for attempt in decision.attempts)
    return decision


def own_cost(its, attempt):
    """What an attempt that is not estimated cost: told by the fakes, or by the candidate's own price."""
    client = its.clients[attempt.candidate]
    if attempt.outcome == "failed":
        return client.answer.cost_usd or 0.0
    price = next(one.price for one in its.router.facts if one.name == attempt.candidate)
    return 15 / 1e6 if price else 0.25


def bill_is_right(its, holder, decision):
    """The whole is the sum of its attempts, and unknown where one of those that were paid is."""
    paid = [a for a in decision.attempts if a.usage is not None]
    if not paid:
        assert (holder.usage, holder.cost_usd) == (None, None)
        return
    assert holder.usage.total_tokens == sum(a.usage.total_tokens for a in paid)
    costs = [a.cost_usd if a.estimated else own_cost(its, a) for a in paid]
    assert holder.cost_usd == (None if None in costs else pytest.approx(sum(costs)))


@given(candidates(st.one_of(texts, failures)), strategies, options, st.sampled_from([None, 1.0, 3.0]))
def test_whole_answers(clients, strategy, given_options, hedge):
    its = Worlds(clients, strategy, hedge_seconds=hedge)
    try:
        result = its.ask(**given_options)
    except ConfigurationError:
        assert all(len(client.calls) <= 1 for client in its.clients.values())
        return
    decision = checked(its, result)
    bill_is_right(its, result.value if isinstance(result, Ok) else result.error, decision)


@given(candidates(pieces), strategies, options, st.sampled_from([None, 1.0]))
def test_streams(clients, strategy, given_options, hedge):
    its = Worlds(clients, strategy, hedge_seconds=hedge)
    try:
        result, texts = its.stream(**given_options)
    except ConfigurationError:
        return
    decision = checked_stream(its, result)
    said = "".join(texts)
    if isinstance(result, Ok):
        assert result.value.text == said
    elif said:
        assert result.error.partial.text == said
        assert decision.chosen is not None
    else:
        assert decision.chosen is None
    assert all(stream.closed for client in its.clients.values() for stream in client.streams)


def checked_stream(its, result):
    if isinstance(result, Ok) or result.error.routing.chosen is None:
        return checked(its, result)
    decision = result.error.routing
    assert next(a for a in decision.attempts if a.candidate == decision.chosen).outcome == "failed"
    assert len({a.candidate for a in decision.attempts}) == len(decision.attempts) == len(its.clients)
    return decision


@given(candidates(failures), strategies, st.sampled_from([0.5, 1.5, 2.5, 6]))
def test_nobody_is_begun_after_the_deadline(clients, strategy, timeout):
    begins = []

    class Timed(Fake):
        def complete(self, messages, **options):
            begins.append(its.now)
            return super().complete(messages, **options)

    timed = {name: one.replace(client=Timed(one.client.answer, one.client.seconds)) for name, one in clients.items()}
    its = Worlds(timed, strategy)
    with suppress(ConfigurationError):
        its.ask(timeout=timeout)
    assert all(begun < 1000 + timeout for begun in begins)
