"""Each token is paid for once, at the rate of its kind and of its service tier."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdallm.llm.catalog.definition import PRICED_APART, Price, price_of
from lambdallm.llm.catalog.loader import Catalog
from lambdallm.llm.catalog.resolve import resolve
from lambdallm.llm.errors import ConfigurationError
from lambdallm.llm.pricing.cost import cost_of, cost_usd, total
from lambdallm.llm.types import Usage

PRICE = Price(input=3.0, output=15.0, cached=0.3, cache_write=3.75)
RATES = Price(2.0, 8.0, cached=0.5, cache_write=2.5, rates={
    "cache_write_1h": 4.0, "audio_input": 40.0, "audio_cached": 2.5, "audio_output": 80.0, "image_output": 30.0,
    "web_search": 10_000.0,
})  # fmt: skip


@pytest.mark.parametrize(
    ("usage", "dollars"),
    [
        (Usage(1_000_000, 0), 3.0),
        (Usage(0, 1_000_000), 15.0),
        (Usage(1_000_000, 0, cached_tokens=1_000_000), 0.3),
        (Usage(1_000_000, 0, cached_tokens=400_000, cache_write_tokens=100_000), 1.5 + 0.12 + 0.375),
        (Usage(0, 1_000_000, reasoning_tokens=600_000), 15.0),
    ],
)
def test_kinds_of_tokens(usage, dollars):
    assert cost_usd(usage, PRICE) == pytest.approx(dollars)


@pytest.mark.parametrize(
    ("usage", "dollars"),
    [
        (Usage(1_000_000, 0, 0, 1_000_000, details={"cache_write_1h": 400_000}), 0.6 * 2.5 + 0.4 * 4),
        (Usage(1_000_000, 0, details={"audio_input": 300_000}), 0.7 * 2 + 0.3 * 40),
        (Usage(1_000_000, 0, 500_000, details={"audio_cached": 200_000}), 0.5 * 2 + 0.3 * 0.5 + 0.2 * 2.5),
        (
            Usage(0, 1_000_000, details={"audio_output": 100_000, "image_output": 200_000}),
            0.7 * 8 + 0.1 * 80 + 0.2 * 30,
        ),
        (Usage(1_000_000, 0, details={"web_search": 3}), 2 + 0.03),
        (Usage(1_000_000, 0, details={"video_input": 300_000}), 2.0),
    ],
    ids=["kept for an hour", "sound", "cached sound", "sound and images made", "a fee", "no price of its own"],
)
def test_kinds_priced_apart_are_paid_for_instead_of_their_base_not_on_top(usage, dollars):
    assert cost_usd(usage, RATES) == pytest.approx(dollars)


def test_a_fee_that_no_list_has_makes_the_cost_unknown():
    assert cost_usd(Usage(10, 10, details={"web_search": 1}), PRICE) is None


def test_a_long_input_changes_the_price_of_the_whole_call():
    price = Price(1.0, 2.0, over=1000, over_price=Price(2.0, 4.0))
    assert cost_usd(Usage(1000, 0), price) == pytest.approx(0.001)
    assert cost_usd(Usage(1001, 0), price) == pytest.approx(0.002002)


@pytest.mark.parametrize(("usage", "price"), [(None, PRICE), (Usage(1, 1), None)])
def test_unknown_is_none_and_not_zero(usage, price):
    assert cost_usd(usage, price) is None


def test_a_record_that_counts_nothing_has_an_unknown_cost():
    assert cost_usd(Usage(native={"trafficType": "ON_DEMAND"}), PRICE) is None
    assert cost_usd(Usage(), PRICE) == 0


def test_what_a_provider_says_it_charges_is_what_it_costs():
    """Cohere charges for a prompt's own words, and not for those that it puts around them."""
    usage = Usage(1431, 60, billed=(26, 50))
    assert cost_usd(usage, Price(2.0, 10.0)) == (26 * 2.0 + 50 * 10.0) / 1_000_000
    assert (usage + Usage(10, 5)).billed == (36, 55)
    assert (Usage(1, 1) + Usage(1, 1)).billed is None


def test_a_charge_in_dollars_needs_no_price_list():
    assert cost_usd(Usage(10, 10, charged_usd=0.0123), None) == 0.0123
    assert cost_usd(Usage(10, 10, charged_usd=0.0), PRICE) == 0


TIERED = Price(2.0, 8.0, cached=0.5, rates={"audio_input": 40.0, "web_search": 10_000.0}, over=1000,
               over_price=Price(4.0, 12.0), tiers={"flex": 0.5, "priority": Price(5.0, 9.0), "us": 1.1})  # fmt: skip


@pytest.mark.parametrize(
    ("tier", "dollars"),
    [(None, 2.0), ("flex", 1.0), ("priority", 5.0), ("us", 2.2), ("flex+us", 1.1), ("us+priority", 5.5)],
)
def test_a_service_tier_has_its_own_prices(tier, dollars):
    assert cost_usd(Usage(1000, 0, tier=tier), TIERED) == pytest.approx(dollars / 1000)


def test_a_tier_without_a_price_makes_the_cost_unknown():
    assert cost_usd(Usage(10, 10, tier="scale"), TIERED) is None
    assert cost_usd(Usage(10, 10, tier="flex+scale"), TIERED) is None


def test_a_factor_changes_prices_of_tokens_and_no_fee():
    flex = TIERED.at_tier("flex")
    assert flex.rates == {"audio_input": 20.0, "web_search": 10_000.0}
    assert flex.over_price == Price(2.0, 6.0)


def test_runs_of_other_models_within_a_call_are_paid_at_their_own_prices():
    """Anthropic's advisor is a dearer model that the counts leave out; so is what compacting a conversation took."""
    known = Catalog(environ={}, folders=())
    target = resolve("anthropic/claude-haiku-4-5", known)
    usage = Usage(100, 10, others=(("claude-opus-4-6", Usage(50, 5)), ("", Usage(20, 2))))
    dear = known.provider("anthropic").model("claude-opus-4-6").price
    cheap = target.model.price
    expected = cost_usd(Usage(120, 12), cheap) + cost_usd(Usage(50, 5), dear)
    assert cost_of(usage, target) == pytest.approx(expected)
    assert cost_of(usage.replace(others=(("a-model-nobody-knows", Usage(5, 5)),)), target) is None
    assert cost_usd(usage, cheap) is None
    assert cost_of(None, target) is None


def test_a_total_with_an_unknown_cost_is_unknown():
    assert total([0.25, 0.5]) == 0.75
    assert total([0.25, None]) is None
    assert total([]) == 0


# What holds for all usages and prices

amounts = st.floats(0, 1000, allow_nan=False).map(lambda amount: round(amount, 4))
counts = st.integers(0, 500_000)


@st.composite
def usages(draw):
    read, written, fresh = draw(counts), draw(counts), draw(counts)
    said, thought = draw(counts), draw(counts)
    sound = draw(st.integers(0, fresh))
    hour = draw(st.integers(0, written))
    details = {"audio_input": sound, "cache_write_1h": hour, "web_search": draw(st.integers(0, 5))}
    return Usage(fresh + read + written, said + thought, read, written, thought, details=details)


@st.composite
def prices(draw):
    rates = {kind: draw(amounts) for kind in PRICED_APART}
    return Price(*(draw(amounts) for _ in range(5)), rates=rates)


@given(usages(), usages(), prices())
def test_the_cost_of_two_calls_is_the_cost_of_their_usage(one, two, price):
    assert cost_usd(one + two, price) == pytest.approx(cost_usd(one, price) + cost_usd(two, price), rel=1e-6, abs=1e-6)


@given(usages(), prices())
def test_a_cached_token_never_costs_more_where_its_rate_is_lower(usage, price):
    cheaper = price.replace(cached=min(price.cached, price.input))
    uncached = usage.replace(cached_tokens=0)
    assert cost_usd(usage, cheaper) <= cost_usd(uncached, cheaper) + 1e-6


@given(usages(), prices(), st.floats(0, 4))
def test_no_cost_is_negative_and_a_factor_scales_it(usage, price, factor):
    tokens = usage.replace(details={k: n for k, n in usage.details.items() if PRICED_APART[k]})
    assert cost_usd(usage, price) >= -1e-9
    tiered = price.replace(tiers={"t": factor})
    scaled = cost_usd(tokens.replace(tier="t"), tiered)
    assert scaled == pytest.approx(factor * cost_usd(tokens, price), rel=1e-6, abs=1e-2)


@given(usages(), usages(), usages())
def test_adding_usages_has_a_zero_and_no_order(one, two, three):
    assert one + Usage() == one == Usage() + one
    assert one + two == two + one
    assert (one + two) + three == one + (two + three)


def test_a_sum_forgets_a_charge_that_only_one_knows():
    charged = Usage(1, 1, charged_usd=0.5)
    assert (charged + charged).charged_usd == 1.0
    assert (charged + Usage(1, 1)).charged_usd is None
    assert (Usage() + charged).charged_usd == 0.5


@pytest.mark.parametrize(
    ("entry", "named"),
    [
        ({"input": "2", "output": 8}, "'2'"),
        ({"input": 2}, "output is None"),
        ({"input": -1, "output": 1}, "-1"),
        ({"input": 1, "output": 1, "rates": {"audoi_input": 1}}, "audio_input"),
        ({"input": 1, "output": 1, "tiers": {"flex": {"input": 1}}}, "tiers.flex"),
        ({"input": 1, "output": 1, "tiers": {"flex": "half"}}, "'half'"),
        ("cheap", "'cheap'"),
    ],
)
def test_a_price_that_is_none_is_told_with_its_place(entry, named):
    with pytest.raises(ConfigurationError) as caught:
        price_of("acme/one.price", entry)
    assert named in str(caught.value)
    assert "acme/one.price" in str(caught.value)


def test_every_price_in_the_catalog_is_one():
    for provider in Catalog(environ={}, folders=()).all():
        for id in provider.models:
            price = provider.model(id).price
            assert price is None or cost_usd(Usage(10**6, 10**6, 10**5, 10**5), price) >= 0
