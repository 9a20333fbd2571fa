"""The vendors' own SDKs, unmodified, against a gateway over loopback: each protocol to each provider."""

import json
import threading

import anthropic
import openai
import pytest
from google import genai

import gateway_play as play
from lambdallm.gateway import Limits

EVERY = ["gpt", "claude", "gemini"]


@pytest.fixture(scope="module")
def upstream():
    upstream = play.Upstream()
    with pytest.MonkeyPatch.context() as monkeypatch:
        play.at_upstream(monkeypatch, upstream)
        yield upstream
    upstream.close()


@pytest.fixture(autouse=True)
def at_upstream(monkeypatch, upstream):
    upstream.forget()
    play.at_upstream(monkeypatch, upstream)


@pytest.fixture(scope="module")
def meter():
    return play.Meter()


@pytest.fixture(scope="module")
def url(upstream, meter):
    with play.served(play.gateway(meter=meter)) as url:
        yield url


@pytest.fixture
def openai_client(url):
    with openai.OpenAI(base_url=f"{url}/v1", api_key="mine", max_retries=0) as client:
        yield client


@pytest.fixture
def claude_client(url):
    with anthropic.Anthropic(base_url=url, api_key="mine", max_retries=0) as client:
        yield client


@pytest.fixture
def gemini_client(url):
    client = genai.Client(api_key="mine", http_options={"base_url": url})
    yield client
    client.close()


def whole(upstream, model):
    upstream.answer({"gpt": play.CHAT, "claude": play.MESSAGE, "gemini": play.CONTENT}[model])


def streamed(upstream, model):
    make = {"gpt": play.chat_chunks, "claude": play.claude_events, "gemini": play.gemini_events}[model]
    upstream.stream(*make("Hel", "lo."))


@pytest.mark.parametrize("model", EVERY)
def test_openais_chat(openai_client, upstream, model):
    whole(upstream, model)
    answer = openai_client.chat.completions.create(model=model, messages=play.HELLO, max_tokens=50)
    assert answer.choices[0].message.content == "Hello."
    assert answer.choices[0].finish_reason == "stop"
    assert answer.id.startswith("chatcmpl-")
    assert answer.usage.prompt_tokens in (9, 11, 12)
    assert answer._request_id


@pytest.mark.parametrize("model", EVERY)
def test_openais_chat_in_pieces(openai_client, upstream, model):
    streamed(upstream, model)
    options = {"include_usage": True}
    chunks = list(
        openai_client.chat.completions.create(model=model, messages=play.HELLO, stream=True, stream_options=options)
    )
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == "Hello."
    assert chunks[-1].usage.total_tokens > 0


@pytest.mark.parametrize("model", EVERY)
def test_openais_responses(openai_client, upstream, model):
    whole(upstream, model)
    answer = openai_client.responses.create(model=model, input="Say hello", instructions="Be short.")
    assert (answer.output_text, answer.status, answer.store) == ("Hello.", "completed", False)
    assert answer.id.startswith("resp_")


@pytest.mark.parametrize("model", EVERY)
def test_openais_responses_in_pieces(openai_client, upstream, model):
    streamed(upstream, model)
    with openai_client.responses.stream(model=model, input="Say hello") as stream:
        words = [event.delta for event in stream if event.type == "response.output_text.delta"]
        answer = stream.get_final_response()
    assert "".join(words) == answer.output_text == "Hello."


def test_openais_completions(openai_client):
    answer = openai_client.completions.create(model="fast", prompt="Say hello")
    assert (answer.choices[0].text, answer.object) == ("Say hello", "text_completion")
    pieces = openai_client.completions.create(model="fast", prompt="Say hello", stream=True)
    assert "".join(piece.choices[0].text for piece in pieces) == "Say hello"


@pytest.mark.parametrize("model", EVERY)
def test_anthropics_messages(claude_client, upstream, model):
    whole(upstream, model)
    answer = claude_client.messages.create(model=model, max_tokens=50, messages=play.HELLO)
    assert (answer.content[0].text, answer.stop_reason) == ("Hello.", "end_turn")
    assert answer.id.startswith("msg_")
    assert answer._request_id


@pytest.mark.parametrize("model", EVERY)
def test_anthropics_messages_in_pieces(claude_client, upstream, model):
    streamed(upstream, model)
    with claude_client.messages.stream(model=model, max_tokens=50, messages=play.HELLO) as stream:
        assert "".join(stream.text_stream) == "Hello."
        answer = stream.get_final_message()
    assert answer.stop_reason == "end_turn"
    assert answer.usage.output_tokens > 0


@pytest.mark.parametrize("model", EVERY)
def test_geminis_content(gemini_client, upstream, model):
    whole(upstream, model)
    answer = gemini_client.models.generate_content(model=model, contents="Say hello")
    assert answer.text == "Hello."
    assert answer.candidates[0].finish_reason.name == "STOP"


@pytest.mark.parametrize("model", EVERY)
def test_geminis_content_in_pieces(gemini_client, upstream, model):
    streamed(upstream, model)
    pieces = list(gemini_client.models.generate_content_stream(model=model, contents="Say hello"))
    assert "".join(piece.text or "" for piece in pieces) == "Hello."
    assert pieces[-1].usage_metadata.total_token_count > 0


TOOL = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


def test_a_tool_of_openais_client_is_called_by_anthropics_model(openai_client, upstream):
    call = {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Oslo"}}
    upstream.answer({**play.MESSAGE, "content": [call], "stop_reason": "tool_use"})
    tools = [{"type": "function", "function": {"name": "weather", "parameters": TOOL}}]
    answer = openai_client.chat.completions.create(model="claude", messages=play.HELLO, tools=tools)
    [made] = answer.choices[0].message.tool_calls
    assert (made.id, made.function.name) == ("toolu_1", "weather")
    assert json.loads(made.function.arguments) == {"city": "Oslo"}
    assert upstream.last.json["tools"][0]["input_schema"] == TOOL


def test_a_tool_of_anthropics_client_is_called_by_openais_model(claude_client, upstream):
    call = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Oslo"}'}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    upstream.answer({**play.CHAT, "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]})
    tools = [{"name": "weather", "input_schema": TOOL}]
    answer = claude_client.messages.create(model="gpt", max_tokens=9, messages=play.HELLO, tools=tools)
    assert (answer.stop_reason, answer.content[0].input) == ("tool_use", {"city": "Oslo"})


def test_embeddings_for_both(openai_client, gemini_client):
    answer = openai_client.embeddings.create(model="fast", input=["one", "two"], dimensions=4)
    assert [len(row.embedding) for row in answer.data] == [4, 4]
    found = gemini_client.models.embed_content(model="fast", contents=["one"], config={"output_dimensionality": 4})
    assert found.embeddings[0].values == pytest.approx(answer.data[0].embedding, abs=1e-6)


def test_tokens_are_counted_for_both(claude_client, gemini_client, upstream):
    upstream.answer({"input_tokens": 14})
    assert claude_client.messages.count_tokens(model="claude", messages=play.HELLO).input_tokens == 14
    upstream.answer({"totalTokens": 6})
    assert gemini_client.models.count_tokens(model="gemini", contents="Say hello").total_tokens == 6
    assert claude_client.messages.count_tokens(model="fast", messages=play.HELLO).input_tokens > 1


def test_every_client_lists_the_models(openai_client, claude_client, gemini_client):
    names = list(play.MODELS)
    assert [model.id for model in openai_client.models.list()] == names
    assert [model.id for model in claude_client.models.list()] == names
    assert [model.name for model in gemini_client.models.list()] == [f"models/{name}" for name in names]
    assert openai_client.models.retrieve("fast").owned_by == "echo"
    assert claude_client.models.retrieve("fast").id == "fast"


def test_an_unknown_model_is_each_sdks_own_not_found(openai_client, claude_client, gemini_client):
    with pytest.raises(openai.NotFoundError, match="'nope' does not exist"):
        openai_client.chat.completions.create(model="nope", messages=play.HELLO)
    with pytest.raises(anthropic.NotFoundError, match="'nope' does not exist"):
        claude_client.messages.create(model="nope", max_tokens=9, messages=play.HELLO)
    with pytest.raises(genai.errors.ClientError, match="NOT_FOUND"):
        gemini_client.models.generate_content(model="nope", contents="Hi")


def test_a_providers_rate_limit_reaches_each_sdk_with_its_wait(openai_client, claude_client, upstream):
    for _ in range(2):
        upstream.answer({"error": {"message": "org-secret is over", "type": "requests"}}, 429, [("retry-after", "7")])
    with pytest.raises(openai.RateLimitError) as told:
        openai_client.chat.completions.create(model="gpt", messages=play.HELLO)
    assert told.value.response.headers["retry-after"] == "7"
    assert "org-secret" not in str(told.value)
    with pytest.raises(anthropic.RateLimitError) as told:
        claude_client.messages.create(model="gpt", max_tokens=9, messages=play.HELLO)
    assert told.value.response.headers["retry-after"] == "7"


def test_openais_client_tries_again_as_it_is_told(url, upstream):
    upstream.answer({"error": {"message": "over"}}, 429, [("retry-after", "1")])
    upstream.answer(play.CHAT)
    with openai.OpenAI(base_url=f"{url}/v1", api_key="mine", max_retries=1) as client:
        assert client.chat.completions.create(model="gpt", messages=play.HELLO).choices[0].message.content == "Hello."


def test_a_client_that_leaves_ends_the_providers_work_and_is_counted(openai_client, upstream, meter):
    goes_on = threading.Event()
    filler = play.sse({"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m",
                       "choices": [{"index": 0, "delta": {"content": "more"}, "finish_reason": None}]})  # fmt: skip
    upstream.left.clear()
    upstream.stream(*play.chat_chunks("Hel", "lo")[:3], goes_on, *[filler * 2000] * 2000)
    before = len(meter.settled)
    stream = openai_client.chat.completions.create(model="gpt", messages=play.HELLO, stream=True)
    assert next(stream).choices[0].delta.role == "assistant"
    stream.close()
    settled = meter.wait(before + 1)
    goes_on.set()
    assert upstream.left.wait(20)
    assert (settled["status"], settled["ok"]) == (499, False)
    assert settled["usage"].input_tokens > 0


def test_it_says_that_it_lives_and_is_ready(url):
    from urllib.request import urlopen

    with urlopen(f"{url}/health") as answer:
        assert json.load(answer) == {"status": "ok"}
    with urlopen(f"{url}/ready") as answer:
        assert json.load(answer) == {"status": "ready", "models": 4}


def test_a_client_that_gives_up_waiting_ends_the_call_too(url, upstream, meter):
    never = threading.Event()
    upstream.stream(never)
    before = len(meter.settled)
    hasty = openai.OpenAI(base_url=f"{url}/v1", api_key="mine", max_retries=0, timeout=0.5)
    with hasty as client, pytest.raises(openai.APITimeoutError):
        client.chat.completions.create(model="gpt", messages=play.HELLO)
    assert meter.wait(before + 1)["status"] == 499
    never.set()


def test_a_body_over_the_limit_is_a_413(upstream):
    with (
        play.served(play.gateway(limits=Limits(body_bytes=1000))) as url,
        openai.OpenAI(base_url=f"{url}/v1", api_key="mine", max_retries=0) as client,
        pytest.raises(openai.APIStatusError) as told,
    ):
        client.chat.completions.create(model="fast", messages=[{"role": "user", "content": "x" * 5000}])
    assert (told.value.status_code, told.value.code) == (413, "request_too_large")
