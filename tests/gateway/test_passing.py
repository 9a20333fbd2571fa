"""A client and a provider that speak the same: what is asked and answered passes through, byte for byte."""

import json
import threading
import time

import pytest

import gateway_play as play
from lambdallm.gateway import CatalogModels, Gateway


@pytest.fixture
def upstream(monkeypatch):
    upstream = play.Upstream()
    play.at_upstream(monkeypatch, upstream)
    yield upstream
    upstream.close()


def test_a_request_reaches_its_provider_as_it_came_but_for_model_and_key(upstream):
    upstream.answer(play.CHAT)
    body = b'{ "messages":[{"role":"user","content":"h\\u00e9"}],  "model": "gpt","own":{"a":1.10,"b":[]}}'
    answer = play.ask(play.gateway(), "POST", "/v1/chat/completions", body, headers=[("authorization", "Bearer mine")])
    assert upstream.last.body == body.replace(b'"model": "gpt"', b'"model": "gpt-4o-mini"')
    assert upstream.last.path == "/v1/chat/completions"
    assert upstream.last.headers["authorization"] == "Bearer upstream-key"
    assert answer.status == 200
    assert answer.body == json.dumps(play.CHAT).encode()


def test_where_the_model_stands_in_two_places_only_the_right_one_is_changed(upstream):
    upstream.answer(play.CHAT)
    said = [{"role": "user", "content": 'say "model":"gpt"'}]
    body = {"messages": said, "model": "gpt", "metadata": {"model": "gpt"}}
    play.ask(play.gateway(), "POST", "/v1/chat/completions", body)
    assert upstream.last.json == {**body, "model": "gpt-4o-mini"}


@pytest.mark.parametrize(
    ("path", "query", "body", "events", "used"),
    [
        (
            "/v1/chat/completions",
            (),
            {"model": "gpt", "stream_options": {"include_usage": True}, "messages": play.HELLO},
            play.chat_chunks("Hel", "lo"),
            (11, 5),
        ),
        (
            "/v1/messages",
            (),
            {"model": "claude", "max_tokens": 99, "messages": play.HELLO},
            play.claude_events("Hel", "lo"),
            (12, 6),
        ),
        (
            "/v1beta/models/gemini:streamGenerateContent",
            (("alt", "sse"),),
            {"contents": [{"role": "user", "parts": [{"text": "Say hello"}]}]},
            play.gemini_events("Hel", "lo"),
            (9, 2),
        ),
    ],
)
def test_a_stream_passes_byte_for_byte_and_its_usage_is_counted(upstream, path, query, body, events, used):
    upstream.stream(*events)
    meter = play.Meter()
    if "model" in body:
        body = {**body, "stream": True}
    answer = play.ask(play.gateway(meter=meter), "POST", path, body, query=query)
    assert (answer.status, answer.body) == (200, b"".join(events))
    [settled] = meter.settled
    assert (settled["usage"].input_tokens, settled["usage"].output_tokens) == used
    assert settled["ok"]
    assert settled["cost"] > 0


def test_usage_that_the_client_did_not_ask_for_is_asked_for_and_kept(upstream):
    events = play.chat_chunks("Hel", "lo")
    upstream.stream(b"".join(events)[:200], b"".join(events)[200:])
    meter = play.Meter()
    body = {"model": "gpt", "stream": True, "messages": play.HELLO}
    answer = play.ask(play.gateway(meter=meter), "POST", "/v1/chat/completions", body)
    assert upstream.last.json["stream_options"] == {"include_usage": True}
    assert answer.body == b"".join(play.chat_chunks("Hel", "lo", usage=False))
    assert meter.settled[0]["usage"].total_tokens == 16


def test_anthropics_own_headers_go_with_the_request(upstream):
    upstream.answer(play.MESSAGE)
    headers = [("anthropic-version", "2023-01-01"), ("anthropic-beta", "one,two"), ("x-api-key", "mine")]
    body = {"model": "claude", "max_tokens": 9, "messages": play.HELLO}
    answer = play.ask(play.gateway(), "POST", "/v1/messages", body, headers=headers)
    assert answer.json == play.MESSAGE
    sent = upstream.last.headers
    assert (sent["anthropic-version"], sent["anthropic-beta"]) == ("2023-01-01", "one,two")
    assert sent["x-api-key"] == "upstream-key"


def test_geminis_model_is_in_the_url(upstream):
    upstream.answer(play.CONTENT)
    body = {"contents": [{"parts": [{"text": "Hi"}]}], "safetySettings": []}
    answer = play.ask(play.gateway(), "POST", "/v1beta/models/gemini:generateContent", body)
    assert (answer.json, upstream.last.json) == (play.CONTENT, body)
    assert upstream.last.path == "/v1beta/models/gemini-2.5-flash:generateContent"


def test_a_responses_request_passes_to_a_model_that_is_asked_so(upstream):
    response = {"id": "resp_1", "object": "response", "created_at": 1, "status": "completed", "model": "gpt-4o-mini",
                "output": [{"type": "message", "id": "m", "role": "assistant", "status": "completed",
                            "content": [{"type": "output_text", "text": "Hello.", "annotations": []}]}],
                "usage": {"input_tokens": 4, "output_tokens": 2, "total_tokens": 6}}  # fmt: skip
    upstream.answer(response)
    models = CatalogModels(play.MODELS, wire="openai_responses")
    body = {"model": "gpt", "input": "Hi", "previous_response_id": "resp_0", "truncation": "auto"}
    answer = play.ask(Gateway(models=models), "POST", "/v1/responses", body)
    assert (answer.json, upstream.last.json) == (response, {**body, "model": "gpt-4o-mini"})
    assert upstream.last.path == "/v1/responses"


def test_embeddings_pass_through(upstream):
    vectors = {"object": "list", "data": [{"object": "embedding", "index": 0, "embedding": "AACAPw=="}],
               "model": "text-embedding-3-small", "usage": {"prompt_tokens": 2, "total_tokens": 2}}  # fmt: skip
    upstream.answer(vectors)
    app = Gateway(models=CatalogModels({"embed": "openai/text-embedding-3-small"}), meter=play.Meter())
    body = {"model": "embed", "input": [[1, 2]], "encoding_format": "base64"}
    answer = play.ask(app, "POST", "/v1/embeddings", body)
    assert answer.json == vectors
    assert upstream.last.json == {**body, "model": "text-embedding-3-small"}
    assert app.meter.settled[0]["usage"].input_tokens == 2


def test_a_stream_whose_provider_breaks_off_ends_with_an_error_that_sdks_raise(upstream):
    upstream.stream(*play.chat_chunks("Hel", "lo")[:3], cut=True)
    meter = play.Meter()
    body = {"model": "gpt", "stream": True, "messages": play.HELLO, "stream_options": {"include_usage": True}}
    answer = play.ask(play.gateway(meter=meter), "POST", "/v1/chat/completions", body)
    *kept, last = answer.body.split(b"\n\n")[:-1]
    assert b"\n\n".join(kept) + b"\n\n" == b"".join(play.chat_chunks("Hel", "lo")[:3])
    assert json.loads(last.removeprefix(b"data: "))["error"]["message"].startswith("The provider's answer broke off.")
    [settled] = meter.settled
    assert (settled["ok"], settled["usage"].output_tokens) == (False, 2)


def test_a_stream_that_ends_before_its_protocol_says_so_is_an_error_too(upstream):
    upstream.stream(*play.claude_events("Hel", "lo")[:3])
    body = {"model": "claude", "stream": True, "max_tokens": 9, "messages": play.HELLO}
    answer = play.ask(play.gateway(), "POST", "/v1/messages", body)
    assert answer.body.startswith(b"".join(play.claude_events("Hel", "lo")[:3]))
    assert b"event: error" in answer.body.split(b"\n\n")[-2]


@pytest.mark.parametrize(
    ("path", "model", "events", "end"),
    [
        ("/v1/chat/completions", "gpt", play.chat_chunks("Hel", "lo")[:3], b"data: [DONE]\n\n"),
        ("/v1/messages", "claude", play.claude_events("Hel", "lo")[:4], b'data: {"type":"message_stop"}\n\n'),
    ],
)
def test_at_the_deadline_what_has_come_ends_with_a_notice_in_the_clients_protocol(upstream, path, model, events, end):
    never = threading.Event()
    upstream.stream(*events, never)
    meter = play.Meter()
    body = {"model": model, "stream": True, "max_tokens": 99, "messages": play.HELLO}
    try:
        answer = play.ask(play.gateway(meter=meter), "POST", path, body, deadline=time.monotonic() + 2.0)
    finally:
        never.set()
    assert answer.status == 200
    assert answer.body.startswith(b"".join(events))
    assert answer.body.endswith(end)
    assert b"the time for it was up" in answer.body
    assert b'"length"' in answer.body or b'"max_tokens"' in answer.body
    assert meter.settled[0]["ok"]
    assert meter.settled[0]["usage"].output_tokens > 0


def test_a_provider_that_says_nothing_until_the_deadline_is_a_504(upstream):
    never = threading.Event()
    upstream.stream(never)
    body = {"model": "gpt", "stream": True, "messages": play.HELLO}
    try:
        answer = play.ask(play.gateway(), "POST", "/v1/chat/completions", body, deadline=time.monotonic() + 1.5)
    finally:
        never.set()
    assert answer.status == 504
    assert answer.json["error"]["code"] == "timeout"


def test_usage_is_kept_wherever_the_stream_is_split(upstream):
    whole = b"".join(play.chat_chunks("Hel", "lo"))
    expected = b"".join(play.chat_chunks("Hel", "lo", usage=False))
    body = {"model": "gpt", "stream": True, "messages": play.HELLO}
    usage = whole.index(b'"choices":[]')
    first = whole.index(b"\n\n")
    for place in (1, first + 1, first + 2, usage - 9, usage + 3, usage + 20, len(whole) - 3):
        upstream.stream(whole[:place], whole[place:])
        meter = play.Meter()
        answer = play.ask(play.gateway(meter=meter), "POST", "/v1/chat/completions", body)
        assert answer.body == expected
        assert meter.settled[0]["usage"].total_tokens == 16


def test_a_stream_of_responses_passes_and_is_counted(upstream):
    base = {"id": "resp_1", "object": "response", "created_at": 1, "model": "gpt-4o-mini", "output": []}
    item = {"type": "message", "id": "m", "role": "assistant", "status": "completed",
            "content": [{"type": "output_text", "text": "Hello.", "annotations": []}]}  # fmt: skip
    usage = {"input_tokens": 4, "output_tokens": 2, "total_tokens": 6}
    told = [
        {"type": "response.created", "response": {**base, "status": "in_progress", "usage": None}},
        {"type": "response.output_text.delta", "item_id": "m", "output_index": 0, "content_index": 0, "delta": "Hi."},
        {"type": "response.completed",
         "response": {**base, "status": "completed", "output": [item], "usage": usage}},
    ]  # fmt: skip
    events = [play.sse({**each, "sequence_number": n}, name=each["type"]) for n, each in enumerate(told)]
    upstream.stream(*events)
    app = Gateway(models=CatalogModels(play.MODELS, wire="openai_responses"), meter=play.Meter())
    answer = play.ask(app, "POST", "/v1/responses", {"model": "gpt", "input": "Hi", "stream": True})
    assert answer.body == b"".join(events)
    assert app.meter.settled[0]["usage"].total_tokens == 6
