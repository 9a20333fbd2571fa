"""Extraction over clients that hand their calls on: what the models behind them can do decides how they are asked."""

import json
from dataclasses import dataclass

import pytest

from lambdallm.llm.caching import LLMCache
from lambdallm.llm.clients import named
from lambdallm.llm.clients import sync as blocking
from lambdallm.llm.clients.behind import Behind, answering
from lambdallm.llm.errors import ConfigurationError, DeadlineExceededError, ExtractionMaxRetriesError
from lambdallm.llm.protocols import BlockingLLMClientProtocol, HandsOnProtocol
from lambdallm.llm.result import Ok
from lambdallm.llm.routing import Candidate
from lambdallm.llm.routing import LLMRouter as AsyncRouter
from lambdallm.llm.routing.sync import LLMRouter
from lambdallm.llm.safety import PersonalDataFilter
from lambdallm.llm.safety import SecureLLMClient as AsyncSecured
from lambdallm.llm.safety.sync import SecureLLMClient
from lambdallm.llm.streaming.sync import ParallelStreamAggregator, StreamingResponse
from lambdallm.llm.structured.modes import asks, known_of
from lambdallm.llm.structured.output_model import output_model
from lambdallm.llm.structured.sync import StructuredExtractor
from lambdallm.llm.types import ChatMessage, Choice, Completion
from scripted_extractors import Awaiting, AwaitingClient, Blocking, BlockingClient, said


@dataclass
class Sentiment:
    label: str
    score: float = 1.0


TEXT = '{"label": "by ada@example.com", "score": 0.5}'
VALUE = Sentiment("by [EMAIL]", 0.5)
FILTERS = [PersonalDataFilter()]
CHEAP, DEAR = 9 * 2.5e-6 + 4 * 10e-6, 9 * 1e-6 + 4 * 5e-6


def openai(text=TEXT):
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    return {"model": "gpt-4o", "choices": [choice], "usage": {"prompt_tokens": 9, "completion_tokens": 4}}


def anthropic(text=TEXT):
    usage = {"input_tokens": 9, "output_tokens": 4}
    return {"type": "message", "role": "assistant", "model": "m", "content": [{"type": "text", "text": text}],
            "stop_reason": "end_turn", "usage": usage}  # fmt: skip


def events(text=TEXT, size=5):
    told = [{"choices": [{"index": 0, "delta": {"content": text[at : at + size]}}]} for at in range(0, len(text), size)]
    told += [{"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}]
    told += [{"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 4}}]
    return [f"data: {json.dumps(one)}\n\n".encode() for one in told] + [b"data: [DONE]\n\n"]


@pytest.fixture
def gpt(provider):
    with blocking.OpenAIClient(api_key="k", base_url=provider.url, model="gpt-4o", max_retries=0) as client:
        yield client


@pytest.fixture
def claude(provider):
    url = provider.url.removesuffix("/v1")
    with blocking.AnthropicClient(api_key="k", base_url=url, model="claude-haiku-4-5", max_retries=0) as client:
        yield client


def modes(client, model=None, kind=Sentiment):
    return [ask.mode for ask in asks(output_model(kind), "auto", known_of(client, model))]


def test_who_is_behind_a_client(gpt, claude):
    router = LLMRouter([gpt, Candidate(claude, facts={"tools": False})])
    whole = SecureLLMClient(SecureLLMClient(router))
    assert [(one.client, one.target.name, one.facts) for one in answering(whole)] == [
        (gpt, "openai/gpt-4o", {}),
        (claude, "anthropic/claude-haiku-4-5", {"tools": False}),
    ]
    assert answering(whole, "claude-haiku-4-5") == [Behind(claude, None, {"tools": False})]
    assert answering(SecureLLMClient(gpt), "gpt-4o-mini")[0].target.name == "openai/gpt-4o-mini"
    assert isinstance(whole, HandsOnProtocol)
    assert isinstance(whole, BlockingLLMClientProtocol)
    with pytest.raises(ConfigurationError, match="'nope'"):
        answering(whole, "nope")


def test_one_that_hands_on_to_itself_is_refused(gpt):
    loop = SecureLLMClient(gpt)
    loop.client = loop
    with pytest.raises(ConfigurationError, match="without end"):
        answering(loop)


@pytest.mark.parametrize(("router", "secured", "clients"), [
    (LLMRouter, SecureLLMClient, blocking), (AsyncRouter, AsyncSecured, named),
])  # fmt: skip
def test_wrappers_do_not_hide_what_their_model_can(router, secured, clients):
    gpt = clients.OpenAIClient(api_key="k", model="gpt-4o")
    claude = clients.AnthropicClient(api_key="k", model="claude-3-5-haiku-latest")
    scripted = (BlockingClient if clients is blocking else AwaitingClient)(modes=("prompted",))
    assert modes(secured(gpt))[0] == modes(router([gpt]))[0] == "native"
    assert modes(secured(router([secured(gpt), claude]))) == ["tool", "prompted"], "Claude 3.5 takes no schema"
    assert modes(router([gpt, claude]), "gpt-4o")[0] == "native", "the call names the candidate"
    assert modes(router([Candidate(gpt, facts={"json_schema": False})])) == ["tool", "json", "prompted"]
    assert modes(router([gpt, scripted])) == ["prompted"], "what one of them takes alone"
    told = Candidate(scripted, facts={"tools": True})
    scripted.structured_modes = None
    assert modes(router([gpt, scripted])) == ["prompted"]
    assert modes(router([told])) == ["tool", "prompted"]


def test_a_router_knows_what_is_behind_its_candidates(gpt, claude):
    inner = LLMRouter([gpt, claude])
    router = LLMRouter([SecureLLMClient(gpt), SecureLLMClient(inner), SecureLLMClient(BlockingClient())])
    alone, several, foreign = router.facts
    assert (alone.name, alone.provider, alone.model) == ("openai/gpt-4o", "openai", "gpt-4o")
    assert alone.replace(name="") == LLMRouter([gpt]).facts[0].replace(name="")
    assert (several.provider, several.model, several.price) == ("SecureLLMClient", None, None)
    assert "thinking" in several.can, "the inner router asks the one that can"
    assert several.context_window == max(one.context_window for one in inner.facts)
    assert (foreign.can, foreign.cannot, foreign.context_window) == (frozenset(), frozenset(), None)
    assert router._routing.keeping == {alone.name, several.name}


def test_an_open_circuit_is_seen_through_a_wrapper(gpt, claude, provider):
    router = LLMRouter([SecureLLMClient(gpt), claude])
    provider.replies = [(500, {}, {"error": {"message": "Down."}})] * 5
    for _ in range(5):
        gpt.complete("Hi")
    provider.replies = [anthropic("Hello.")]
    answer = router.complete("Hi").unwrap()
    assert answer.routing.chosen == "anthropic/claude-haiku-4-5"
    assert "circuit was open" in answer.routing.attempts[0].reason


def test_a_schema_goes_to_every_candidate_in_words_it_takes(gpt, claude, provider):
    extractor = StructuredExtractor(SecureLLMClient(LLMRouter([gpt, claude]), output_filters=FILTERS))
    provider.replies = [openai(), (500, {}, {"error": {"message": "Down."}}), anthropic()]
    first = extractor.extract_full("I love it!", Sentiment).unwrap()
    second = extractor.extract_full("I hate it!", Sentiment).unwrap()
    assert (first.value, first.mode, first.attempts, first.cost_usd) == (VALUE, "native", 1, pytest.approx(CHEAP))
    assert (second.value, second.mode, second.attempts, second.cost_usd) == (VALUE, "native", 2, pytest.approx(DEAR))
    assert [attempt.outcome for attempt in second.completion.routing.attempts] == ["failed", "chosen"]
    sent = [body for _, _, body in provider.received]
    form = sent[0]["response_format"]["json_schema"]
    assert (form["strict"], form["schema"]["required"]) == (True, ["label", "score"])
    assert sent[2]["output_config"]["format"]["schema"] == form["schema"]


def test_what_is_asked_again_is_filtered_again_and_paid_for(gpt, provider):
    """The model is told of its wrong answer as the filters left it."""
    extractor = StructuredExtractor(SecureLLMClient(LLMRouter([gpt]), output_filters=FILTERS))
    provider.replies = [openai('{"label": 3, "score": "ada@example.com"}'), openai()]
    full = extractor.extract_full("I love it!", Sentiment).unwrap()
    assert (full.value, full.attempts, full.cost_usd) == (VALUE, 2, pytest.approx(2 * CHEAP))
    assert "ada@" not in json.dumps(provider.received[1][2])


def test_a_blocked_answer_is_paid_for_and_not_asked_again(gpt, provider):
    secured = SecureLLMClient(gpt, output_filters=[PersonalDataFilter(action="block")])
    provider.replies = [openai()]
    error = StructuredExtractor(secured).extract("I love it!", Sentiment).error
    assert (error.code, error.attempts, error.cost_usd) == ("personal_data", 1, pytest.approx(CHEAP))
    assert len(provider.received) == 1


def test_a_cached_answer_costs_nothing_and_is_filtered_again(provider):
    with blocking.OpenAIClient(api_key="k", base_url=provider.url, model="gpt-4o", cache=LLMCache()) as gpt:
        extractor = StructuredExtractor(SecureLLMClient(LLMRouter([gpt]), output_filters=FILTERS))
        provider.replies = [openai()]
        for cost in (pytest.approx(CHEAP), 0.0):
            full = extractor.extract_full("I love it!", Sentiment).unwrap()
            assert (full.value, full.cost_usd) == (VALUE, cost)
    assert full.completion.cache == "hit"


def test_a_structure_streams_through_filters_and_a_router(gpt, claude, provider):
    extractor = StructuredExtractor(SecureLLMClient(LLMRouter([gpt, claude]), output_filters=FILTERS))
    provider.replies = [events()]
    with extractor.stream("I love it!", Sentiment) as stream:
        seen = [partial.data for partial in stream]
    assert (stream.value, stream.extraction.cost_usd) == (VALUE, pytest.approx(CHEAP))
    assert seen[-1] == {"label": "by [EMAIL]", "score": 0.5}
    assert not any("@" in str(data) for data in seen)
    assert stream.extraction.completion.routing.chosen == "openai/gpt-4o"


def test_streams_of_wrapped_routers_are_measured_and_merged(gpt, provider):
    router = LLMRouter([gpt])
    secured = SecureLLMClient(router, output_filters=FILTERS)
    provider.answer = lambda body: events(body["messages"][-1]["content"])
    with StreamingResponse(secured.stream_chat("Ask ada@example.com now")) as response:
        assert "".join(chunk.delta for chunk in response) == response.content == "Ask [EMAIL] now"
    assert (response.total_tokens, response.completion.cost_usd) == (13, pytest.approx(CHEAP))
    streams = {"plain": router.stream_chat("One"), "secured": secured.stream_chat("Two")}
    with ParallelStreamAggregator(streams) as merged:
        for _ in merged:
            pass
    assert {name: answer.text for name, answer in merged.completions.items()} == {"plain": "One", "secured": "Two"}
    assert merged.cost_usd == pytest.approx(2 * CHEAP)


def test_a_deadline_goes_through_wrappers_as_it_is(gpt, provider):
    """Where no time is left nobody is asked, which is no silence of a provider; what was paid for is still told."""
    router = LLMRouter([gpt])
    for client in (gpt, router, SecureLLMClient(gpt), SecureLLMClient(router)):
        with pytest.raises(DeadlineExceededError):
            client.complete("Hi", deadline=0.0)
        with pytest.raises(DeadlineExceededError):
            StructuredExtractor(client).extract("Hi", Sentiment, deadline=0.0)
    assert provider.received == []


@pytest.mark.parametrize("kind", [Blocking, Awaiting])
def test_nothing_is_asked_again_after_the_deadline(kind):
    world = kind(said('{"label": 3}'))
    error = world.extract("Hi", Sentiment, deadline=0.0).error
    assert type(error) is ExtractionMaxRetriesError
    assert "in 1 try." in str(error)
    assert (error.attempts, error.cost_usd, len(world.client.calls)) == (1, 0.5, 1)


def test_a_client_with_hooks_of_its_own_is_told_in_words():
    """Nobody knows whether somebody's own code hands a schema or a tool on."""

    class Acme(blocking.AbstractLLMClient):
        provider, default_model = "acme", "acme-1"
        heard = ()

        def _do_complete(self, messages, **options):
            type(self).heard = messages, options
            return Ok(Completion((Choice(ChatMessage("assistant", TEXT), "stop"),)))

    full = StructuredExtractor(Acme()).extract_full("I love it!", Sentiment).unwrap()
    assert (full.value.score, full.mode, full.cost_usd) == (0.5, "prompted", None)
    assert "matching this JSON Schema" in Acme.heard[0][0].text
    assert Acme.heard[1] == {}
    Acme.structured_modes = ("json",)
    assert StructuredExtractor(Acme()).extract_full("I love it!", Sentiment).unwrap().mode == "json"


def test_a_wrapper_of_ones_own_needs_one_method(gpt):
    class Timed:
        def __init__(self, client):
            self.client = client

        def behind(self, model=None):
            return (Behind(self.client, model),)

    assert modes(Timed(gpt))[0] == "native"
    assert modes(BlockingClient(said(TEXT), modes=None)) == ["prompted"]
