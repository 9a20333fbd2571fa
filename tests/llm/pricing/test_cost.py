"""Each token is paid for once."""

import pytest

from lambdallm.llm.catalog.definition import Price
from lambdallm.llm.pricing.cost import cost_usd
from lambdallm.llm.types import Usage

PRICE = Price(input=3.0, output=15.0, cached=0.3, cache_write=3.75)


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


def test_a_long_input_changes_the_price_of_the_whole_call():
    price = Price(1.0, 2.0, over=1000, over_price=Price(2.0, 4.0))
    assert cost_usd(Usage(1000, 0), price) == pytest.approx(0.001)
    assert cost_usd(Usage(1001, 0), price) == pytest.approx(0.002002)


@pytest.mark.parametrize(("usage", "price"), [(None, PRICE), (Usage(1, 1), None)])
def test_unknown_is_none_and_not_zero(usage, price):
    assert cost_usd(usage, price) is None


def test_what_a_provider_says_it_charges_is_what_it_costs():
    """Cohere charges for a prompt's own words, and not for those that it puts around them."""
    usage = Usage(1431, 60, billed=(26, 50))
    assert cost_usd(usage, Price(2.0, 10.0)) == (26 * 2.0 + 50 * 10.0) / 1_000_000
    assert (usage + Usage(10, 5)).billed == (36, 55)
    assert (Usage(1, 1) + Usage(1, 1)).billed is None
