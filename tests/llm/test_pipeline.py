"""The whole walk of a call, against a script: what is sent, in which order, and what comes back."""

import json

import pytest

from lambdallm.llm.call import CallSettings
from lambdallm.llm.catalog.loader import Catalog
from lambdallm.llm.catalog.resolve import resolve
from lambdallm.llm.errors import (
    ConfigurationError,
    DeadlineExceededError,
    LLMAuthenticationError,
    LLMRateLimitError,
    MissingKeyError,
    ProviderConnectionError,
    StreamError,
)
from lambdallm.llm.flow import Emit, Now, Open, Send, Sleep
from lambdallm.llm.pipeline import chat, stream_chat
from lambdallm.llm.streaming.record import StreamRecord
from lambdallm.llm.types import ChatMessage, ChatRequest, Usage
from lambdallm.testing import Script
from lambdallm.transport.types import HttpResponse

KEY = "not-a-real-key"
ENVIRON = {"OPENAI_API_KEY": KEY, "ANTHROPIC_API_KEY": KEY}
ASK = ChatRequest("gpt-4o-mini", (ChatMessage("user", "Hi"),))
ANSWER = {
    "id": "chatcmpl-1",
    "model": "gpt-4o-mini-2024-07-18",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "prompt_tokens_details": {"cached_tokens": 400}},
}


def target(name="openai/gpt-4o-mini"):
    return resolve(name, Catalog(environ={}, folders=()))


def reply(body, status=200, headers=()):
    return HttpResponse(status, headers, json.dumps(body).encode())


def event(delta, **more):
    chunk = {"id": "c", "choices": [{"index": 0, "delta": delta, "finish_reason": None, **more}]}
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


def run(replies, settings=None, request=ASK, name="openai/gpt-4o-mini", environ=ENVIRON):
    script = Script(replies, environ)
    return script, script.run(chat(request, target(name), settings or CallSettings()))


def stream(pieces, settings=None, status=200):
    script = Script([(status, pieces)], ENVIRON)
    record = StreamRecord(target())
    return script, record, script.run(stream_chat(ASK, target(), settings or CallSettings(), record))


class TestWhole:
    def test_one_request_goes_where_the_definition_says(self):
        script, _ = run([reply(ANSWER)])
        (sent,) = script.of(Send)
        assert sent.request.url == "https://api.openai.com/v1/chat/completions"
        assert dict(sent.request.headers)["Authorization"] == f"Bearer {KEY}"
        assert json.loads(sent.request.body)["messages"] == [{"role": "user", "content": "Hi"}]

    def test_the_answer_knows_provider_model_and_price(self):
        _, result = run([reply(ANSWER)])
        answer = result.unwrap()
        assert (answer.text, answer.provider, answer.finish_reason) == ("Hello", "openai", "stop")
        assert answer.usage.replace(native={}) == Usage(1000, 100, cached_tokens=400, native={})
        assert answer.cost_usd == pytest.approx((600 * 0.15 + 400 * 0.075 + 100 * 0.6) / 1e6)

    def test_a_model_without_a_price_costs_nobody_knows_what(self):
        _, result = run([reply(ANSWER)], name="openai/gpt-of-tomorrow")
        assert result.unwrap().cost_usd is None

    def test_a_rate_limit_is_waited_for_and_counted(self):
        limited = reply({"error": {"message": "slow", "type": "rate_limit"}}, 429, (("retry-after", "2"),))
        script, result = run([limited, reply(ANSWER)])
        assert [effect.seconds for effect in script.of(Sleep)] == [2.0]
        assert result.unwrap().attempts == 2

    def test_an_error_says_where_it_comes_from_and_never_the_key(self):
        _, result = run([reply({"error": {"message": "Incorrect API key"}}, 401, (("x-request-id", "req_1"),))])
        error = result.error
        assert isinstance(error, LLMAuthenticationError)
        assert (error.provider, error.model, error.status, error.request_id) == ("openai", "gpt-4o-mini", 401, "req_1")
        assert KEY not in str(error) + repr(error)

    def test_a_redirect_is_an_error_since_it_would_carry_the_key_elsewhere(self):
        script, result = run([HttpResponse(302, (("location", "https://elsewhere.example"),), b"")])
        assert result.error.status == 302
        assert len(script.of(Send)) == 1

    def test_no_key_says_which_variable_to_set(self):
        with pytest.raises(MissingKeyError, match="OPENAI_API_KEY"):
            run([], environ={})

    def test_a_given_key_and_endpoint_win(self):
        settings = CallSettings(api_key="other", base_url="http://127.0.0.1:1/v1/")
        script, _ = run([reply(ANSWER)], settings)
        (sent,) = script.of(Send)
        assert sent.request.url == "http://127.0.0.1:1/v1/chat/completions"
        assert dict(sent.request.headers)["Authorization"] == "Bearer other"

    def test_no_call_starts_after_the_deadline(self):
        with pytest.raises(DeadlineExceededError):
            run([], CallSettings(deadline=999.0))

    def test_keys_never_show_in_what_is_printed(self):
        script, _ = run([reply(ANSWER)], CallSettings(api_key="sk-visible"))
        assert "sk-visible" not in repr(script.effects) + repr(CallSettings(api_key="sk-visible"))

    def test_bedrock_is_signed_and_its_model_is_in_the_path(self):
        environ = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example", "AWS_REGION": "eu-west-1"}
        body = {"output": {"message": {"role": "assistant", "content": [{"text": "Hi"}]}}, "stopReason": "end_turn"}
        name = "anthropic.claude-3-haiku-20240307-v1:0"
        script, result = run([reply(body)], name=name, environ=environ)
        (sent,) = script.of(Send)
        host = "https://bedrock-runtime.eu-west-1.amazonaws.com"
        assert sent.request.url == f"{host}/model/anthropic.claude-3-haiku-20240307-v1%3A0/converse"
        assert "Credential=AKIDEXAMPLE/20231114/eu-west-1/bedrock/aws4_request" in str(sent.request.headers)
        assert result.unwrap().text == "Hi"

    def test_bedrock_without_a_region_says_so(self, monkeypatch, tmp_path):
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
        with pytest.raises(ConfigurationError, match="AWS_REGION"):
            run([], name="bedrock", environ={"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"})


class TestStream:
    def test_pieces_come_as_they_arrive_and_add_up(self):
        done = event({}, finish_reason="stop")
        script, record, result = stream(
            [event({"content": "Hel"}), event({"content": "lo"}), done + b"data: [DONE]\n\n"]
        )
        assert result.is_ok()
        assert [chunk.delta for chunk in script.emitted if chunk.delta] == ["Hel", "lo"]
        assert len(script.of(Emit)) >= 2, "each arrival is handed on by itself"
        assert record.completion().text == "Hello"

    def test_an_error_before_the_first_piece_is_tried_again(self):
        pieces = [event({"content": "Hi"}), event({}, finish_reason="stop"), b"data: [DONE]\n\n"]
        script = Script([(503, [b"{}"]), (200, pieces)], ENVIRON)
        record = StreamRecord(target())
        result = script.run(stream_chat(ASK, target(), CallSettings(), record))
        assert result.is_ok()
        assert record.completion().attempts == 2
        assert len(script.of(Open)) == 2

    def test_a_connection_lost_in_the_middle_keeps_what_had_come_and_is_not_repeated(self):
        script, _, result = stream([event({"content": "Hel"}), ProviderConnectionError("reset")])
        assert isinstance(result.error, StreamError)
        assert result.error.partial.text == "Hel"
        assert len(script.of(Open)) == 1

    def test_a_stream_that_just_ends_is_an_error(self):
        _, _, result = stream([event({"content": "Hel"})])
        assert isinstance(result.error, StreamError)

    def test_a_rate_limit_is_an_error_of_its_own_kind(self):
        body = json.dumps({"error": {"message": "slow down"}}).encode()
        _, _, result = stream([body], CallSettings(max_retries=0), status=429)
        assert isinstance(result.error, LLMRateLimitError)

    def test_reading_the_clock_does_not_grow_with_the_stream(self):
        pieces = [event({"content": "x"}) for _ in range(50)]
        script, *_ = stream([*pieces, event({}, finish_reason="stop") + b"data: [DONE]\n\n"])
        assert len(script.of(Now)) <= 4
