"""The application without a host: limits, routes, keys, models, accounts, and what clients are told of failures."""

import json

import pytest

import gateway_play as play
from lambdallm.gateway import Caller, CatalogModels, Gateway, GatewayConfig, GatewayError, Limits, Reply, Route
from lambdallm.gateway.caller import matches
from lambdallm.gateway.config.values import CorsSettings, ModelSettings, TargetSettings

BODY = {"model": "fast", "messages": play.HELLO}
PATHS = {
    "openai": ("/v1/chat/completions", BODY),
    "anthropic": ("/v1/messages", {**BODY, "max_tokens": 9}),
    "gemini": ("/v1beta/models/fast:generateContent", {"contents": [{"parts": [{"text": "Hi"}]}]}),
}


@pytest.fixture
def upstream(monkeypatch):
    upstream = play.Upstream()
    play.at_upstream(monkeypatch, upstream)
    yield upstream
    upstream.close()


class Keys:
    """One key, `mine`."""

    def __init__(self, **may):
        self.caller = Caller("k1", "ada", **may)

    def authorized(self, request):
        yield from ()
        if request.headers.get("authorization") != "Bearer mine":
            raise GatewayError(401, "This key is not known.", code="invalid_api_key")
        return self.caller


class Broke(play.Meter):
    def reserve(self, caller, model, tokens, cost_usd):
        yield from ()
        raise GatewayError(429, "The budget is used up.", type="insufficient_quota", headers=(("retry-after", "60"),))


def words(protocol, answer):
    error = answer.json["error"]
    return {"openai": error.get("type"), "anthropic": error.get("type"), "gemini": error.get("status")}[protocol]


@pytest.mark.parametrize("protocol", PATHS)
def test_a_key_that_is_not_known_is_told_so_in_each_protocol(protocol):
    path, body = PATHS[protocol]
    answer = play.ask(play.gateway(keys=Keys()), "POST", path, body)
    said = {"openai": "invalid_request_error", "anthropic": "authentication_error", "gemini": "UNAUTHENTICATED"}
    assert (answer.status, words(protocol, answer)) == (401, said[protocol])
    assert answer.json["error"]["message"] == "This key is not known."


@pytest.mark.parametrize("protocol", PATHS)
def test_a_budget_that_is_used_up_is_told_with_its_wait(protocol):
    path, body = PATHS[protocol]
    answer = play.ask(play.gateway(meter=Broke()), "POST", path, body)
    said = {"openai": "insufficient_quota", "anthropic": "rate_limit_error", "gemini": "RESOURCE_EXHAUSTED"}
    assert (answer.status, words(protocol, answer)) == (429, said[protocol])
    assert answer.headers["retry-after"] == "60"


def test_a_key_may_use_the_models_that_it_names():
    app = play.gateway(keys=Keys(models=("gp*",)))
    mine = [("authorization", "Bearer mine")]
    refused = play.ask(app, "POST", "/v1/chat/completions", BODY, headers=mine)
    assert (refused.status, refused.json["error"]["code"]) == (403, "model_not_allowed")
    listed = play.ask(app, "GET", "/v1/models", headers=mine)
    assert [model["id"] for model in listed.json["data"]] == ["gpt"]
    assert play.ask(app, "GET", "/v1/models/fast", headers=mine).status == 404


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [("*", "a", True), ("a", "a", True), ("a", "ab", False), ("a*", "ab", True), ("*b*d", "abcd", True),
     ("a*a", "a", False), ("openai/*", "anthropic/x", False), ("a*b*c", "abc", True), ("a*b*b", "ab", False)],
)  # fmt: skip
def test_patterns(pattern, name, fits):
    assert matches(pattern, name) is fits


def test_health_needs_no_key():
    assert play.ask(play.gateway(keys=Keys()), "GET", "/health").status == 200
    assert play.ask(play.gateway(keys=Keys()), "GET", "/v1/models").status == 401


def test_a_body_that_is_too_large_is_refused_with_the_way_out():
    answer = play.ask(play.gateway(limits=Limits(body_bytes=100)), "POST", "/v1/chat/completions", b"[" + b" " * 200)
    assert answer.status == 413
    assert "takes at most 100. Send less at once" in answer.json["error"]["message"]


@pytest.mark.parametrize(
    ("body", "said"),
    [(b"{", "no JSON"), (b"[1]", "Send a JSON object"), (b"\xff", "no JSON"), (b"{}", "names no model"),
     (json.dumps({**BODY, "x": eval("[" * 150 + "]" * 150)}).encode(), "deeper than 64"),
     (b'{"a":' * 200_000, "deeper"), (b'{"model": 3}', "names no model")],
    ids=["cut", "list", "binary", "empty", "deep", "very deep", "number"],
)  # fmt: skip
def test_a_body_that_can_not_be_read_is_a_400(body, said):
    answer = play.ask(play.gateway(), "POST", "/v1/chat/completions", body)
    assert answer.status == 400
    assert said in answer.json["error"]["message"]


def test_what_is_malformed_is_named_by_its_path():
    body = {"model": "claude", "messages": [{"role": "user", "content": 7}]}
    answer = play.ask(play.gateway(), "POST", "/v1/chat/completions", body)
    assert (answer.status, answer.json["error"]["param"]) == (400, "messages[0].content")


def test_an_unknown_path_and_a_wrong_method():
    assert play.ask(play.gateway(), "GET", "/v1/nope").status == 404
    answer = play.ask(play.gateway(), "GET", "/v1/chat/completions")
    assert (answer.status, answer.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize("stream", [False, True])
def test_a_parameter_that_the_model_has_no_word_for_is_named(upstream, stream):
    meter = play.Meter()
    body = {**BODY, "model": "claude", "logit_bias": {"50256": -100}, "stream": stream}
    answer = play.ask(play.gateway(meter=meter), "POST", "/v1/chat/completions", body)
    assert (answer.status, answer.json["error"]["param"]) == (400, "logit_bias")
    assert answer.json["error"]["code"] == "unsupported_parameter"
    assert upstream.asked == []
    assert [(one["ok"], one["usage"].total_tokens) for one in meter.settled] == [(False, 0)]


def test_a_parameter_that_changes_nothing_is_left_out_and_told(upstream):
    upstream.answer(play.MESSAGE)
    body = {**BODY, "model": "claude", "metadata": {"a": "b"}, "service_tier": "auto"}
    answer = play.ask(play.gateway(), "POST", "/v1/chat/completions", body)
    assert answer.status == 200
    assert "'metadata' left out" in answer.headers["x-lambdallm-warnings"]


@pytest.mark.parametrize("name", ["previous_response_id", "store", "background", "conversation"])
def test_responses_that_would_have_to_be_stored_are_refused_by_name(name):
    value = True if name in ("store", "background") else "resp_1"
    answer = play.ask(play.gateway(), "POST", "/v1/responses", {"model": "fast", "input": "Hi", name: value})
    assert (answer.status, answer.json["error"]["param"]) == (400, name)


def test_a_gemini_stream_has_to_be_asked_for_as_events():
    answer = play.ask(play.gateway(), "POST", "/v1beta/models/fast:streamGenerateContent", PATHS["gemini"][1])
    assert (answer.status, answer.json["error"]["status"]) == (400, "INVALID_ARGUMENT")


@pytest.mark.parametrize("model", ["gpt", "claude"])
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("status", "told", "code"),
    [(401, 502, "upstream_authentication"), (403, 502, "upstream_authentication"), (500, 500, None), (503, 503, None),
     (429, 429, "rate_limit_exceeded"), (529, 503, None), (408, 504, "timeout")],
)  # fmt: skip
def test_a_providers_failure_leaks_none_of_its_words(upstream, model, stream, status, told, code):
    upstream.answer({"error": {"type": "x", "message": "key sk-secret of org-7"}}, status)
    answer = play.ask(play.gateway(), "POST", "/v1/chat/completions", {**BODY, "model": model, "stream": stream})
    assert (answer.status, answer.json["error"]["code"]) == (told, code)
    assert b"secret" not in answer.body
    assert b"org-7" not in answer.body


def test_a_providers_words_are_told_where_that_is_configured(upstream):
    upstream.answer({"error": {"type": "server_error", "message": "cluster 7 is on fire"}}, 500)
    answer = play.ask(play.gateway(provider_errors=True), "POST", "/v1/chat/completions", {**BODY, "model": "gpt"})
    assert "cluster 7 is on fire" in answer.json["error"]["message"]


def test_what_a_client_can_change_is_told_in_the_providers_words(upstream):
    upstream.answer({"error": {"type": "invalid_request_error", "message": "'temperature' must be at most 2",
                               "param": "temperature"}}, 400)  # fmt: skip
    answer = play.ask(play.gateway(), "POST", "/v1/chat/completions", {**BODY, "model": "gpt", "temperature": 9})
    assert (answer.status, answer.json["error"]["param"]) == (400, "temperature")
    assert "at most 2" in answer.json["error"]["message"]


def test_a_model_without_a_key_is_the_operators_fault(monkeypatch):
    for name in ("OPENAI_API_KEY",):
        monkeypatch.delenv(name, raising=False)
    answer = play.ask(play.gateway(), "POST", "/v1/chat/completions", {**BODY, "model": "gpt"})
    assert (answer.status, answer.json["error"]["code"]) == (500, "not_configured")


def test_a_call_is_reserved_before_and_settled_after():
    meter = play.Meter()
    answer = play.ask(play.gateway(meter=meter), "POST", "/v1/chat/completions", {**BODY, "max_tokens": 50})
    [(user, model, tokens, cost)] = meter.reserved
    assert (user, model, cost) == ("anyone", "fast", 0.0)
    assert 50 < tokens < 100
    [settled] = meter.settled
    assert (settled["ok"], settled["status"], settled["usage"].total_tokens) == (True, 200, 4)
    assert answer.headers["x-lambdallm-cost-usd"] == "0"


def test_a_failed_call_is_settled_with_nothing_used(upstream):
    meter = play.Meter()
    upstream.answer({"error": {"message": "no"}}, 500)
    play.ask(play.gateway(meter=meter), "POST", "/v1/messages", {**BODY, "model": "gpt", "max_tokens": 9})
    assert [(one["ok"], one["usage"].total_tokens, one["cost"]) for one in meter.settled] == [(False, 0, 0.0)]


def test_a_bug_in_an_endpoint_is_a_500_that_says_nothing_of_it(caplog):
    def broken(gateway, request, caller):
        yield from ()
        raise RuntimeError("the secret is 42")

    app = Gateway(models=CatalogModels({}), routes=[Route("GET", "/broken", broken)])
    answer = play.ask(app, "GET", "/broken")
    assert (answer.status, answer.json["error"]["code"]) == (500, "internal_error")
    assert b"42" not in answer.body
    assert "r-1" in caplog.text
    assert "the secret is 42" in caplog.text


def test_an_endpoint_of_ones_own():
    def hello(gateway, request, caller):
        yield from ()
        return Reply(200, (), f"{request.params['name']} by {caller.user}".encode())

    app = Gateway(models=CatalogModels({}), keys=Keys(), routes=[Route("GET", "/hello/{name}", hello)])
    answer = play.ask(app, "GET", "/hello/a%20b", headers=[("authorization", "Bearer mine")])
    assert answer.body == b"a b by ada"
    assert play.ask(app, "GET", "/hello/a/b").status == 404


def test_every_model_of_the_catalog_is_served_without_a_configuration():
    answer = play.ask(Gateway(), "POST", "/v1/chat/completions", {**BODY, "model": "echo/echo"})
    assert answer.json["choices"][0]["message"]["content"] == "Say hello"


PAGE = [("origin", "https://app.example"), ("access-control-request-method", "POST")]


def test_no_page_may_ask_unless_its_origin_is_named():
    answer = play.ask(Gateway(GatewayConfig()), "GET", "/health", headers=PAGE)
    assert not any(name.startswith("access-control") for name in answer.headers)
    assert play.ask(Gateway(GatewayConfig()), "OPTIONS", "/v1/models", headers=PAGE).status == 405


def test_a_page_whose_origin_is_named_may_ask():
    app = Gateway(GatewayConfig(cors=CorsSettings(("https://app.example",))))
    before = play.ask(app, "OPTIONS", "/v1/chat/completions", headers=PAGE)
    assert (before.status, before.headers["access-control-allow-origin"]) == (204, "https://app.example")
    assert "authorization" in before.headers["access-control-allow-headers"]
    answer = play.ask(app, "GET", "/health", headers=PAGE)
    assert (answer.headers["access-control-allow-origin"], answer.headers["vary"]) == ("https://app.example", "origin")
    other = play.ask(app, "GET", "/health", headers=[("origin", "https://evil.example")])
    assert "access-control-allow-origin" not in other.headers


def test_a_request_that_names_no_model_has_the_default_one():
    models = {"fast": ModelSettings((TargetSettings("echo/echo"),))}
    app = Gateway(GatewayConfig(models, default_model="fast"))
    answer = play.ask(app, "POST", "/v1/chat/completions", {"messages": play.HELLO})
    assert answer.json["choices"][0]["message"]["content"] == "Say hello"
