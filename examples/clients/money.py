"""What a call will cost and what it did: `python examples/clients/money.py` needs no key. Amounts are US dollars.

What is not known is `None`, never 0: a price, a count, or a sum of which a part is unknown.
"""

from lambdallm.llm import ChatMessage, EstimatingCounter, TokenCounterRegistry, Usage, create_llm_client
from lambdallm.llm.pricing import Price, PricingManager

QUESTION = "Explain in three sentences why the sky is blue, for a child of eight."
MODELS = ("openai/gpt-4o-mini", "anthropic/claude-haiku-4-5", "bedrock/amazon.nova-lite-v1:0", "acme/large")


def estimate():
    """Before the call: the input is counted, the answer taken to have 200 tokens."""
    prices = PricingManager()
    for model in MODELS:
        cost, quote = prices.estimate(QUESTION, model, max_tokens=200), prices.quote(model)
        print(f"{model:30} {'unknown' if cost is None else f'{cost:.6f}'}  {quote.source} {quote.dated}".rstrip())


def count():
    """Counted by tiktoken where its files are at hand, estimated everywhere else; nothing is fetched."""
    messages = [ChatMessage("system", "Be brief."), ChatMessage("user", QUESTION)]
    print(f"estimated for gpt-4o: {EstimatingCounter().count_messages(messages, 'gpt-4o')} tokens")
    print(f"best at hand for Claude: {TokenCounterRegistry().count_messages(messages, 'claude-haiku-4-5')} tokens")


def charge():
    """After the call: each token once, at the rate of its kind. `input_tokens` hold the cached ones too."""
    usage = Usage(input_tokens=10_000, cached_tokens=9_000, output_tokens=300)
    price = PricingManager().price_of("anthropic/claude-haiku-4-5")
    print(f"input {price.input}, cached {price.cached}, output {price.output} a million tokens")
    print(f"  {PricingManager().cost(usage, 'anthropic/claude-haiku-4-5'):.4f} with 9,000 of 10,000 cached")


def answer():
    """An answer knows its own cost, all its attempts counted; the embedded model and `echo` are free, so 0 is meant."""
    with create_llm_client("echo", blocking=True) as client:
        told = client.complete(QUESTION).unwrap()
    print(f"{told.usage.input_tokens} tokens in, {told.usage.output_tokens} out, {told.cost_usd} dollars")


class ContractPrices:
    """A source of one's own: what was agreed with the provider."""

    name = "our contract"

    def price_of(self, model):
        return Price(input=0.1, output=0.4) if model == "openai/gpt-4o-mini" else None


def override():
    """Prices of one's own come first, then the sources, then the catalog."""
    prices = PricingManager({"acme/*": {"input": 1.0, "output": 3.0}}, sources=[ContractPrices()])
    for model in ("acme/large", "openai/gpt-4o-mini", "openai/gpt-4o"):
        quote = prices.quote(model)
        print(f"{model:20} {quote.price.input} in, {quote.price.output} out, from {quote.source}")


def main():
    estimate()
    count()
    charge()
    answer()
    override()


if __name__ == "__main__":
    main()
