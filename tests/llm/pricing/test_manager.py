"""Whose price it is: one's own, a source of one's own, the catalog's; and what is unknown stays so."""

import json

import pytest

from lambdallm.llm import pricing
from lambdallm.llm.errors import ConfigurationError
from lambdallm.llm.pricing import (
    CatalogPrices,
    FilePrices,
    MappedPrices,
    Price,
    PricingManager,
    PricingSourceProtocol,
    Quote,
)
from lambdallm.llm.types import ChatMessage, ChatRequest, ToolDefinition, Usage

CHEAP, DEAR = Price(1.0, 2.0), Price(10.0, 20.0)
GPT = "openai/gpt-4o"


class Contract:
    """A source as people write them."""

    name = "our contract"
    dated = "2026-11-01"

    def price_of(self, model):
        return DEAR if model.startswith("openai/") else None


def test_the_catalog_knows_the_models_people_use():
    quote = PricingManager().quote(GPT)
    assert quote.price.input > 0
    assert quote.source == "catalog"
    assert quote.dated.startswith("20")


def test_a_source_of_ones_own_stands_before_the_catalog_and_behind_overrides():
    assert PricingManager(sources=[Contract()]).quote(GPT) == Quote(DEAR, "our contract", "2026-11-01")
    prices = PricingManager({GPT: {"input": 1, "output": 2}}, sources=[Contract()])
    assert prices.quote(GPT) == Quote(CHEAP, "overrides")
    assert prices.price_of("openai/gpt-5") == DEAR
    assert prices.price_of("anthropic/claude-haiku-4-5") == CatalogPrices().price_of("anthropic/claude-haiku-4-5")


@pytest.mark.parametrize("model", ["acme/unheard-of", "nobody-has-this", "", "acme/"])
def test_an_unknown_model_has_no_price_and_no_cost(model):
    prices = PricingManager()
    assert prices.quote(model) == Quote(None)
    assert prices.cost(Usage(10, 10), model) is None
    assert prices.estimate("Hello", model, max_tokens=5) is None


def test_the_door_opens_to_every_name_it_shows():
    assert all(getattr(pricing, name) is not None for name in pricing.__all__)
    assert all(getattr(pricing.tokens, name) is not None for name in pricing.tokens.__all__)
    assert all(isinstance(source, PricingSourceProtocol) for source in (Contract(), CatalogPrices(), MappedPrices({})))


def test_without_the_catalog_only_ones_own_prices_count():
    prices = PricingManager({"acme/*": CHEAP}, catalog=False)
    assert prices.price_of("acme/large") == CHEAP
    assert prices.price_of(GPT) is None


@pytest.mark.parametrize(
    ("model", "found"),
    [
        ("openai/gpt-4o", CHEAP), ("openai/gpt-4o-mini", DEAR), ("bedrock/x.haiku-9", Price(5.0, 6.0)),
        ("anything/else", None), ("acme/gpt-4o", CHEAP),
    ],
)  # fmt: skip
def test_names_go_before_patterns_and_patterns_in_their_order(model, found):
    own = MappedPrices({"openai/*": DEAR, "gpt-4o": CHEAP, "*haiku*": {"input": 5, "output": 6}})
    assert own.price_of(model) == found


def test_an_override_of_none_makes_a_price_unknown():
    prices = PricingManager({"openai/*": None}, sources=[Contract()])
    assert prices.quote(GPT) == Quote(None, "overrides")
    assert prices.cost(Usage(1, 1), GPT) is None


@pytest.mark.parametrize("suffix", ["json", "yaml"])
def test_a_file_holds_overrides_and_is_read_again_when_told(tmp_path, suffix):
    path = tmp_path / f"prices.{suffix}"
    write(path, {"dated": "2026-11-01", "prices": {GPT: {"input": 1, "output": 2}}})
    prices = PricingManager(str(path))
    assert prices.quote(GPT) == Quote(CHEAP, str(path), "2026-11-01")
    write(path, {GPT: {"input": 10, "output": 20}})
    assert prices.price_of(GPT) == CHEAP
    prices.reload()
    assert prices.quote(GPT) == Quote(DEAR, str(path), "")


def write(path, content):
    import yaml

    path.write_text(json.dumps(content) if path.suffix == ".json" else yaml.safe_dump(content))


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("p.json", "{", "can't be read"), ("p.yaml", "a: [", "can't be read"), ("p.json", "[1]", "holds no object"),
        ("p.json", '{"gpt-4o": {"inptu": 1}}', "Did you mean 'input'?"), ("p.json", '{"prices": 3}', "'prices' is 3"),
    ],
)  # fmt: skip
def test_a_file_that_is_none_is_told(tmp_path, name, content, told):
    (tmp_path / name).write_text(content)
    with pytest.raises(ConfigurationError) as caught:
        FilePrices(str(tmp_path / name))
    assert told in str(caught.value)


def test_a_file_that_turns_bad_leaves_the_prices_as_they_were(tmp_path):
    path = tmp_path / "prices.json"
    write(path, {GPT: {"input": 1, "output": 2}})
    prices = PricingManager(str(path))
    path.write_text("{")
    with pytest.raises(ConfigurationError):
        prices.reload()
    assert prices.price_of(GPT) == CHEAP


def test_a_missing_file_is_told():
    with pytest.raises(ConfigurationError, match="can't be read"):
        PricingManager("nowhere/prices.json")


def test_what_a_call_cost():
    prices = PricingManager({"acme/*": {"input": 2, "output": 10, "cached": 0.5}})
    assert prices.cost(Usage(1000, 100, 400), "acme/large") == pytest.approx((600 * 2 + 400 * 0.5 + 100 * 10) / 1e6)
    assert prices.cost(None, "acme/large") is None


def test_runs_of_other_models_within_a_call_are_priced_by_their_names():
    prices = PricingManager({"acme/large": CHEAP, "acme/adviser": DEAR}, catalog=False)
    usage = Usage(100, 10, others=(("adviser", Usage(10, 1)), ("", Usage(5, 0))))
    assert prices.cost(usage, "acme/large") == pytest.approx((105 * 1 + 10 * 2 + 10 * 10 + 1 * 20) / 1e6)
    assert prices.cost(usage.replace(others=(("stranger", Usage(1)),)), "acme/large") is None


class Letters:
    """A counter of one's own: a token is a letter."""

    def count(self, text, model=None):
        return len(text)

    def count_messages(self, messages, model=None):
        return sum(len(message.text) for message in messages)


def test_what_a_call_will_cost_before_it_is_made():
    prices = PricingManager({"acme/*": Price(1.0, 10.0)}, counter=Letters())
    assert prices.estimate("four", "acme/large") == pytest.approx(4e-6)
    assert prices.estimate([ChatMessage("user", "four")], "acme/large", max_tokens=10) == pytest.approx(104e-6)
    assert prices.estimate([{"role": "user", "content": "four"}], "acme/large") == pytest.approx(4e-6)


def test_a_whole_requests_tools_and_limit_are_counted():
    prices = PricingManager({"acme/*": Price(1.0, 10.0)})
    asked = ChatRequest("acme/large", (ChatMessage("user", "How warm is it?"),), max_tokens=100)
    bare = prices.estimate(asked)
    tool = ToolDefinition("weather", "The weather in a city", {"type": "object", "properties": {"city": {}}})
    assert bare > 100 * 10 / 1e6
    assert prices.estimate(asked.replace(tools=(tool,))) > bare
    assert prices.estimate(asked, max_tokens=200) == pytest.approx(bare + 100 * 10 / 1e6)
