"""What works over a client says at once what it can't work over: no client, or one of the wrong kind."""

import pytest

from lambdallm.llm import create_llm_client, routing, safety, structured
from lambdallm.llm.clients import sync
from lambdallm.llm.clients.named import OpenAIClient
from lambdallm.llm.errors import ConfigurationError
from lambdallm.llm.routing import sync as routing_sync
from lambdallm.llm.safety import sync as safety_sync
from lambdallm.llm.structured import sync as structured_sync

AWAITS = {
    "router": lambda client: routing.LLMRouter([client]),
    "extractor": structured.StructuredExtractor,
    "filter": safety.SecureLLMClient,
}
BLOCKS = {
    "router": lambda client: routing_sync.LLMRouter([client]),
    "extractor": structured_sync.StructuredExtractor,
    "filter": safety_sync.SecureLLMClient,
}


def refused(make, given):
    with pytest.raises(ConfigurationError) as raised:
        make(given)
    return str(raised.value)


@pytest.mark.parametrize("kind", AWAITS)
def test_both_kinds_take_their_own(kind):
    assert AWAITS[kind](create_llm_client("echo"))
    assert BLOCKS[kind](create_llm_client("echo", blocking=True))


@pytest.mark.parametrize("kind", AWAITS)
def test_what_awaits_is_not_called_where_nobody_awaits(kind):
    words = refused(BLOCKS[kind], create_llm_client("echo"))
    assert "ProviderClient(provider='echo', model=None) is asynchronous" in words
    assert "blocking=True" in words


@pytest.mark.parametrize("kind", AWAITS)
def test_what_blocks_does_not_hold_up_an_event_loop(kind):
    words = refused(AWAITS[kind], create_llm_client("echo", blocking=True))
    assert "is blocking" in words
    assert "blocking=False" in words


@pytest.mark.parametrize("kind", AWAITS)
def test_wrappers_and_routers_are_told_apart_too(kind):
    for other in ("router", "filter"):
        assert "is asynchronous" in refused(BLOCKS[kind], AWAITS[other](create_llm_client("echo")))


@pytest.mark.parametrize("kind", ["extractor", "filter"])
@pytest.mark.parametrize("given", ["echo", 5, None, OpenAIClient])
def test_what_is_no_client(kind, given):
    for make in (AWAITS[kind], BLOCKS[kind]):
        words = refused(make, given)
        assert f"{given!r} is no client" in words


@pytest.mark.parametrize("part", ["rate_limiter", "circuit_breaker", "token_counter", "pricing"])
@pytest.mark.parametrize("client", [OpenAIClient, sync.OpenAIClient])
def test_a_part_of_a_client_has_to_be_one(client, part):
    assert f"{part} is 5" in refused(lambda given: client(**{part: given}), 5)


def test_a_client_s_name_shows_no_key():
    assert repr(OpenAIClient(api_key="k-1", model="gpt-4o")) == "OpenAIClient(provider='openai', model='gpt-4o')"
