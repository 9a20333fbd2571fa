"""The single function for all providers: the documented event and configuration, and what guards a request."""

import json

import pytest

from lambdallm.gateway import unified as module
from lambdallm.gateway.transformers import TransformerRegistry
from lambdallm.gateway.unified import AnswerRefused, UnifiedLLMHandler, lambda_handler
from lambdallm.llm.auth import secrets
from lambdallm.llm.catalog.loader import Catalog
from lambdallm.llm.drivers import Driver
from lambdallm.llm.errors import (
    CircuitOpenError,
    ConfigurationError,
    DeadlineExceededError,
    InternalError,
    InvalidRequestError,
    LLMAuthenticationError,
    LLMRateLimitError,
    ProviderConnectionError,
    ProviderResponseError,
    ProviderServerError,
    UnknownProviderError,
    UnsupportedParameterError,
)
from lambdallm.transport.errors import ConnectError
from lambdallm.transport.types import HttpResponse

DOCUMENTED = {
    "openai": {
        "endpoint": "https://api.openai.com/v1/chat/completions",
        "secret_path": "/ai-agent/llm-secrets/{env}/openai",
        "model_id": "gpt-4o",
        "request_transformer": "openai_request",
        "response_transformer": "openai_response",
        "auth_type": "bearer",
        "auth_header": "Authorization",
        "timeout": 30,
    },
    "anthropic": {
        "endpoint": "https://api.anthropic.com/v1/messages",
        "secret_path": "/ai-agent/llm-secrets/{env}/anthropic",
        "model_id": "claude-3-sonnet",
        "request_transformer": "anthropic_request",
        "response_transformer": "anthropic_response",
        "auth_type": "x-api-key",
        "auth_header": "x-api-key",
        "timeout": 30,
    },
}
MESSAGES = [{"role": "user", "content": "Hello"}]
TOOL = {"type": "function", "function": {"name": "find", "parameters": {"type": "object"}}}
EVENT = {"provider": "openai", "messages": MESSAGES, "tools": []}
OPENAI = {
    "id": "c1",
    "model": "gpt-4o-2024-08-06",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100},
}
ANTHROPIC = {
    "id": "m1",
    "type": "message",
    "role": "assistant",
    "model": "claude-3-sonnet",
    "content": [{"type": "text", "text": "Hi"}, {"type": "tool_use", "id": "t1", "name": "find", "input": {"a": 1}}],
    "stop_reason": "tool_use",
    "usage": {"input_tokens": 3, "output_tokens": 2},
}
BUSY = HttpResponse(500, body=b'{"error": {"message": "down", "type": "server_error"}}')
REFUSED = HttpResponse(401, body=b'{"error": {"message": "bad key"}}')


def ok(answer):
    return HttpResponse(200, body=json.dumps(answer).encode())


class Provider:
    """A transport that answers with replies in their order, the last one again and again."""

    def __init__(self, *replies):
        self.replies, self.requests, self.timeouts = list(replies), [], []

    def send(self, request, timeouts):
        self.requests.append(request)
        self.timeouts.append(timeouts)
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if isinstance(reply, Exception):
            raise reply
        return reply

    def close(self):
        """Nothing is open."""

    @property
    def bodies(self):
        return [json.loads(request.body) for request in self.requests]


@pytest.fixture(autouse=True)
def kept(monkeypatch):
    """The secrets that are kept elsewhere, by their names; and how often each was read."""
    held = {"/ai-agent/llm-secrets/prod/openai": "sk-openai", "/ai-agent/llm-secrets/prod/anthropic": "sk-anthropic"}
    reads = []

    def read(reference):
        reads.append(reference)
        return held[reference.name]
        yield

    monkeypatch.setattr(secrets, "CACHE", secrets.SecretCache(read=read))
    monkeypatch.setenv("LAMBDALLM_ENV", "prod")
    held["reads"] = reads
    return held


@pytest.fixture
def made(tmp_path):
    """Makes a handler over scripted answers; `lines` of its log are kept."""

    def made(*replies, entries=DOCUMENTED, kind=UnifiedLLMHandler, **changes):
        entries = {name: {**entry, "max_retries": 0, **changes} for name, entry in entries.items()}
        (tmp_path / "provider_configs.json").write_text(json.dumps(entries))
        provider, lines = Provider(*(replies or [ok(OPENAI)])), []
        handler = kind(tmp_path / "provider_configs.json", driver=Driver(provider), logger=lines.append)
        handler.upstream, handler.lines = provider, lines
        return handler

    return made


class TestTheDocumentedRequest:
    def test_openai(self, made):
        handler = made(ok(OPENAI))
        answer = handler.handle_request({**EVENT, "tools": [TOOL], "temperature": 0.5})
        (request,) = handler.upstream.requests
        assert request.url == "https://api.openai.com/v1/chat/completions"
        assert ("Authorization", "Bearer sk-openai") in request.headers
        body = handler.upstream.bodies[0]
        assert (body["model"], body["messages"], body["temperature"]) == ("gpt-4o", MESSAGES, 0.5)
        assert body["tools"][0]["function"]["name"] == "find"
        assert (answer["content"], answer["finish_reason"], answer["tool_calls"]) == ("Hi", "stop", [])
        assert (answer["provider"], answer["model"], answer["attempts"]) == ("openai", "gpt-4o-2024-08-06", 1)

    def test_anthropic(self, made):
        handler = made(ok(ANTHROPIC))
        answer = handler.handle_request({"provider": "anthropic", "messages": MESSAGES, "tools": [TOOL]})
        (request,) = handler.upstream.requests
        assert dict(request.headers)["x-api-key"] == "sk-anthropic"
        assert dict(request.headers)["anthropic-version"] == "2023-06-01"
        assert handler.upstream.bodies[0]["tools"] == [{"name": "find", "input_schema": {"type": "object"}}]
        assert answer["tool_calls"] == [{"id": "t1", "name": "find", "arguments": {"a": 1}}]

    def test_the_answer_is_plain_json_in_one_form(self, made):
        of_both = [made(ok(OPENAI)).handle_request(EVENT)]
        of_both.append(made(ok(ANTHROPIC)).handle_request({**EVENT, "provider": "anthropic"}))
        assert [json.loads(json.dumps(answer)) for answer in of_both] == of_both
        assert len({tuple(answer) for answer in of_both}) == 1
        assert of_both[0]["usage"]["total_tokens"] == 1100

    def test_its_message_goes_back_in_the_next_request_to_any_provider(self, made):
        handler = made(ok(ANTHROPIC), ok(OPENAI))
        first = handler.handle_request({**EVENT, "provider": "anthropic"})
        result = {"role": "tool", "tool_call_id": "t1", "content": "42"}
        handler.handle_request({**EVENT, "messages": [*MESSAGES, first["message"], result]})
        asked = handler.upstream.bodies[1]["messages"]
        assert [message["role"] for message in asked] == ["user", "assistant", "tool"]
        assert asked[1]["tool_calls"][0]["id"] == "t1"

    def test_what_it_cost_is_known_where_the_catalog_knows_the_price(self, made):
        assert made(ok(OPENAI)).handle_request(EVENT)["cost_usd"] == pytest.approx(0.0035)
        assert made(ok(OPENAI)).handle_request({**EVENT, "model": "gpt-of-tomorrow"})["cost_usd"] is None

    def test_the_event_may_name_another_model(self, made):
        handler = made(ok(OPENAI))
        handler.handle_request({**EVENT, "model": "openai/gpt-4o-mini"})
        assert handler.upstream.bodies[0]["model"] == "gpt-4o-mini"

    def test_tools_may_be_left_out(self, made):
        assert made(ok(OPENAI)).handle_request({"provider": "openai", "messages": MESSAGES})["content"] == "Hi"

    def test_the_attributes_of_the_document(self, made):
        handler = made()
        assert handler.configs["openai"]["model_id"] == "gpt-4o"
        assert isinstance(handler.transformers, TransformerRegistry)
        assert handler.secret_cache == {}

    def test_the_file_of_the_document_is_one_of_the_catalogs_too(self, tmp_path):
        rolled_out = {"openai": {**DOCUMENTED["openai"], "rollout": {"percent": 5}}}
        (tmp_path / "provider_configs.json").write_text(json.dumps({**DOCUMENTED, **rolled_out}))
        known = Catalog({}, (str(tmp_path),))
        assert known.provider("openai").secret_path == "/ai-agent/llm-secrets/{env}/openai"


class TestEvents:
    @pytest.mark.parametrize(
        ("event", "kind", "said"),
        [
            ({"messages": MESSAGES}, InvalidRequestError, "The event has no 'provider'"),
            ({"provider": "openai"}, InvalidRequestError, "The event has no 'messages'"),
            ([1], InvalidRequestError, r"The event is \[1\]"),
            ({**EVENT, "provider": "opnai"}, UnknownProviderError, "No provider is called 'opnai'.*'openai'"),
            ({**EVENT, "provider": ["x"]}, UnknownProviderError, "No provider is called"),
            ({**EVENT, "temprature": 1}, InvalidRequestError, "'temprature'.*Did you mean 'temperature'"),
            ({**EVENT, "stream": True}, InvalidRequestError, "answered whole"),
            ({**EVENT, "messages": [{"role": "usr", "content": "x"}]}, InvalidRequestError, "usr"),
            ({**EVENT, "messages": 7}, InternalError, "TypeError"),
        ],
    )
    def test_that_are_none(self, made, event, kind, said):
        handler = made()
        with pytest.raises(kind, match=said):
            handler.handle_request(event)
        assert handler.upstream.requests == []

    def test_what_the_provider_cannot_be_asked_is_said_before_it_is(self, made):
        handler = made(ok(ANTHROPIC))
        with pytest.raises(UnsupportedParameterError, match="seed"):
            handler.handle_request({**EVENT, "provider": "anthropic", "seed": 1})
        assert handler.upstream.requests == []


class TestKeys:
    def test_are_read_once_and_held(self, made, kept):
        handler = made()
        for _ in range(3):
            handler.handle_request(EVENT)
        assert len(kept["reads"]) == 1
        assert handler.secret_cache == {"/ai-agent/llm-secrets/{env}/openai": "sk-openai"}

    def test_are_in_no_repr(self, made):
        handler = made()
        handler.handle_request(EVENT)
        assert repr(handler.secret_cache) == "SecretsHeld('/ai-agent/llm-secrets/{env}/openai')"

    def test_are_read_again_after_five_minutes(self, made, kept, monkeypatch):
        handler = made()
        handler.handle_request(EVENT)
        late = module.monotonic() + 301
        monkeypatch.setattr(module, "monotonic", lambda: late)
        monkeypatch.setattr("lambdallm.gateway.keyed.FRESH_SECONDS", 0.0)
        kept["/ai-agent/llm-secrets/prod/openai"] = "sk-later"
        handler.handle_request(EVENT)
        assert dict(handler.upstream.requests[-1].headers)["Authorization"] == "Bearer sk-later"

    def test_are_read_again_where_one_is_refused(self, made, kept, monkeypatch):
        monkeypatch.setattr("lambdallm.gateway.keyed.FRESH_SECONDS", 0.0)
        handler = made(ok(OPENAI), REFUSED, ok(OPENAI))
        handler.handle_request(EVENT)
        kept["/ai-agent/llm-secrets/prod/openai"] = "sk-new"
        assert handler.handle_request(EVENT)["content"] == "Hi"
        sent = [dict(request.headers)["Authorization"] for request in handler.upstream.requests]
        assert sent == ["Bearer sk-openai", "Bearer sk-openai", "Bearer sk-new"]

    def test_that_are_still_wrong_are_sent_once(self, made):
        handler = made(REFUSED)
        with pytest.raises(LLMAuthenticationError, match="bad key"):
            handler.handle_request(EVENT)
        assert len(handler.upstream.requests) == 1

    def test_the_providers_variable_comes_first(self, made, kept, monkeypatch):
        monkeypatch.setenv("OPENAI_API_KEY", "sk-variable")
        handler = made()
        handler.handle_request(EVENT)
        assert dict(handler.upstream.requests[0].headers)["Authorization"] == "Bearer sk-variable"
        assert kept["reads"] == []

    def test_in_ssm(self, made, kept):
        kept["/llm/prod/openai"] = "sk-parameter"
        handler = made(secret_path="ssm:/llm/{env}/openai")
        handler.handle_request(EVENT)
        assert (kept["reads"][0].service, kept["reads"][0].name) == ("ssm", "/llm/prod/openai")

    def test_need_the_name_of_the_environment_where_it_is_in_the_path(self, made, monkeypatch):
        monkeypatch.delenv("LAMBDALLM_ENV")
        with pytest.raises(ConfigurationError, match="Set LAMBDALLM_ENV"):
            made().handle_request(EVENT)

    def test_none_is_sent_to_who_takes_none(self, made):
        entry = {"endpoint": "http://127.0.0.1:9/v1/chat/completions", "request_transformer": "openai_request"}
        handler = made(entries={"house": {**entry, "auth_type": "none"}})
        handler.handle_request({**EVENT, "provider": "house", "model": "small"})
        assert [name for name, _ in handler.upstream.requests[0].headers] == ["Content-Type"]


class TestWhatCanBeOverridden:
    def test_each_step(self, made):
        seen = []

        class Mine(UnifiedLLMHandler):
            def _load_provider_configs(self):
                return {"openai": {**DOCUMENTED["openai"], "secret_path": "mine"}}

            def _get_api_key(self, secret_path):
                return f"key of {secret_path}"

            def _call_api(self, endpoint, provider_request, api_key, auth_type, auth_header):
                seen.append((endpoint, provider_request["model"], api_key, auth_type, auth_header))
                return OPENAI

        assert made(kind=Mine).handle_request(EVENT)["content"] == "Hi"
        assert seen == [(DOCUMENTED["openai"]["endpoint"], "gpt-4o", "key of mine", "bearer", "Authorization")]

    def test_transformers_of_ones_own(self, made):
        class Request:
            def transform(self, messages, tools):
                return {"prompt": messages[-1]["content"]}

        class Response:
            def transform(self, response):
                return {"said": response["text"]}

        handler = made(ok({"text": "Hi"}), request_transformer="acme_request", response_transformer="acme_response")
        handler.transformers.register("acme_request", Request())
        handler.transformers.register("acme_response", Response())
        assert handler.handle_request(EVENT) == {"said": "Hi"}
        assert handler.upstream.bodies == [{"prompt": "Hello"}]

    def test_a_call_of_ones_own_may_refuse_as_a_provider_does(self, made):
        class Mine(UnifiedLLMHandler):
            def _call_api(self, *arguments):
                raise AnswerRefused(429, (("retry-after", "7"),), b'{"error": {"message": "slow down"}}')

        with pytest.raises(LLMRateLimitError, match="slow down") as failure:
            made(kind=Mine).handle_request(EVENT)
        assert failure.value.retry_after == 7


class TestFailures:
    def test_are_errors_that_know_the_provider(self, made):
        with pytest.raises(ProviderServerError, match="down") as failure:
            made(BUSY).handle_request(EVENT)
        assert (failure.value.provider, failure.value.model, failure.value.status) == ("openai", "gpt-4o", 500)

    def test_that_may_pass_are_tried_again(self, made, monkeypatch):
        monkeypatch.setattr("lambdallm.llm.retry.backoff_seconds", lambda attempt: 0.0)
        handler = made(BUSY, ok(OPENAI), max_retries=1)
        assert handler.handle_request(EVENT)["attempts"] == 2

    def test_of_the_connection(self, made):
        with pytest.raises(ProviderConnectionError, match="Can't connect"):
            made(ConnectError("refused")).handle_request(EVENT)

    @pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b'{"choices": 3}'])
    def test_an_answer_that_is_none(self, made, body):
        with pytest.raises(ProviderResponseError):
            made(HttpResponse(200, body=body)).handle_request(EVENT)

    def test_one_providers_breaker_leaves_the_others_alone(self, made):
        handler = made(BUSY, BUSY, ok(ANTHROPIC), failure_threshold=2)
        for _ in range(2):
            with pytest.raises(ProviderServerError):
                handler.handle_request(EVENT)
        with pytest.raises(CircuitOpenError, match="failed 2 times in a row"):
            handler.handle_request(EVENT)
        assert handler.handle_request({**EVENT, "provider": "anthropic"})["content"] == "Hi"
        assert len(handler.upstream.requests) == 3

    def test_somebody_elses_bug_is_no_exception_of_theirs(self, made):
        class Broken:
            def transform(self, messages, tools):
                raise KeyError("sk-in-a-message")

        handler = made(ok(OPENAI))
        handler.transformers.register("openai_request", Broken())
        with pytest.raises(InternalError, match="The provider 'openai' could not be asked: KeyError") as failure:
            handler.handle_request(EVENT)
        assert isinstance(failure.value.__cause__, KeyError)
        assert "sk-in-a-message" not in json.dumps(handler.lines)
        assert handler.lines[0]["cause"][-1].endswith(" in transform")

    def test_a_broken_entry_harms_its_own_provider_alone(self, made):
        handler = made(ok(ANTHROPIC))
        handler.configs["openai"] = {**handler.configs["openai"], "request_transformer": "nonsense_request"}
        with pytest.raises(ConfigurationError, match="nonsense"):
            handler.handle_request(EVENT)
        assert handler.handle_request({**EVENT, "provider": "anthropic"})["content"] == "Hi"

    def test_no_call_is_made_after_the_deadline(self, made):
        handler = made()
        with pytest.raises(DeadlineExceededError):
            handler.handle_request(EVENT, deadline=module.monotonic() - 1)
        assert handler.upstream.requests == []

    def test_a_call_keeps_the_entrys_limit_and_the_deadline(self, made):
        handler = made(timeout=7)
        deadline = module.monotonic() + 100
        handler.handle_request(EVENT, deadline=deadline)
        assert (handler.upstream.timeouts[0].read, handler.upstream.timeouts[0].deadline) == (7, deadline)


ROLLED_OUT = {**DOCUMENTED["openai"], "rollout": {"percent": 30, "otherwise": "anthropic"}}


class TestRollout:
    def who(self, handler, **fields):
        return handler.handle_request({**EVENT, **fields})["provider"]

    def test_a_share_of_the_users_gets_it_always_the_same_ones(self, made):
        class Both(UnifiedLLMHandler):
            def _call_api(self, endpoint, *_):
                return OPENAI if "openai" in endpoint else ANTHROPIC

        handler = made(entries={**DOCUMENTED, "openai": ROLLED_OUT}, kind=Both)
        users = [f"user-{number}" for number in range(300)]
        first = [self.who(handler, user_id=user) for user in users]
        assert [self.who(handler, user_id=user) for user in users] == first
        assert 60 < first.count("openai") < 120

    def test_a_provider_that_is_switched_off_is_asked_for_nobody(self, made):
        off = {**DOCUMENTED, "openai": {**DOCUMENTED["openai"], "enabled": False}}
        handler = made(entries=off)
        with pytest.raises(ConfigurationError, match="'openai' is not switched on for this request"):
            handler.handle_request(EVENT)
        assert handler.upstream.requests == []

    def test_the_log_says_who_answered(self, made):
        none = {**DOCUMENTED, "openai": {**DOCUMENTED["openai"], "rollout": {"percent": 0, "otherwise": "anthropic"}}}
        handler = made(ok(ANTHROPIC), entries=none)
        handler.handle_request(EVENT)
        assert (handler.lines[0]["provider"], handler.lines[0]["model"]) == ("anthropic", "claude-3-sonnet")


class TestTheLog:
    def test_an_answer_is_one_line_without_what_was_said(self, made):
        handler = made()
        handler.handle_request(EVENT)
        (line,) = handler.lines
        assert (line["level"], line["message"], line["outcome"]) == ("INFO", "llm request", "ok")
        assert (line["provider"], line["model"], line["attempts"]) == ("openai", "gpt-4o", 1)
        assert (line["usage"]["input_tokens"], line["cost_usd"]) == (1000, pytest.approx(0.0035))
        assert not {"Hello", "Hi", "sk-openai"} & set(json.dumps(line).split('"'))

    def test_a_failure_says_its_kind_and_status(self, made):
        handler = made(BUSY)
        with pytest.raises(ProviderServerError):
            handler.handle_request(EVENT)
        (line,) = handler.lines
        assert (line["level"], line["outcome"], line["status"]) == ("ERROR", "ProviderServerError", 500)

    def test_goes_to_standard_output_as_json_where_no_logger_is_given(self, made, tmp_path, capsys):
        made()
        handler = UnifiedLLMHandler(tmp_path / "provider_configs.json", driver=Driver(Provider(ok(OPENAI))))
        handler.handle_request(EVENT)
        assert json.loads(capsys.readouterr().out)["provider"] == "openai"


class TestTheFile:
    def refused(self, tmp_path, text):
        (tmp_path / "provider_configs.json").write_text(text)
        with pytest.raises(ConfigurationError) as failure:
            UnifiedLLMHandler(tmp_path / "provider_configs.json")
        return str(failure.value)

    @pytest.mark.parametrize(
        ("entry", "said"),
        [
            ('"endpont": "https://x"', "line 2, column 7: unknown field 'endpont'. Did you mean 'endpoint'"),
            ('"endpoint": "https://x"', "line 2, column 1: the provider 'a' has no 'request_transformer'."),
            ('"endpoint": "x", "request_transformer": "openai_request"', "line 2, column 7: endpoint is 'x'."),
            ('"auth_type": "basic"', "It should be bearer, x-api-key or none."),
            ('"timeout": "long"', "a.timeout is 'long'."),
            (
                '"endpoint": "https://x", "request_transformer": "openai_request", "rollout": {"otherwise": "b"}',
                "no provider here is called 'b'.",
            ),
            (
                '"endpoint": "https://x", "request_transformer": "openai_request", "rollout": {"percent": 101}',
                "percent is 101. It is at most 100.",
            ),
        ],
    )
    def test_a_mistake_is_told_with_its_place(self, tmp_path, entry, said):
        assert said in self.refused(tmp_path, '{\n"a": {' + entry + "}\n}")

    def test_what_an_entry_leaves_out(self, tmp_path):
        entry = {"endpoint": "https://x.test", "request_transformer": "anthropic_request", "auth_type": "x-api-key"}
        (tmp_path / "c.json").write_text(json.dumps({"a": entry}))
        config = UnifiedLLMHandler(tmp_path / "c.json").configs["a"]
        assert (config["response_transformer"], config["auth_header"]) == ("anthropic_response", "x-api-key")
        assert config["timeout"] == 30

    def test_yaml_does_too(self, tmp_path):
        (tmp_path / "c.yaml").write_text("a: {endpoint: 'https://x.test', request_transformer: openai_request}")
        assert UnifiedLLMHandler(tmp_path / "c.yaml").configs["a"]["auth_type"] == "bearer"

    def test_is_found_in_the_functions_folder_or_named_by_a_variable(self, tmp_path, monkeypatch):
        (tmp_path / "provider_configs.json").write_text(json.dumps(DOCUMENTED))
        (tmp_path / "other.json").write_text("{}")
        monkeypatch.setenv("LAMBDA_TASK_ROOT", str(tmp_path))
        assert set(UnifiedLLMHandler().configs) == {"openai", "anthropic"}
        monkeypatch.setenv("PROVIDER_CONFIGS", str(tmp_path / "other.json"))
        assert UnifiedLLMHandler().configs == {}

    def test_none_is_an_error_that_says_where_to_put_it(self, tmp_path, monkeypatch):
        monkeypatch.setenv("LAMBDA_TASK_ROOT", str(tmp_path))
        with pytest.raises(ConfigurationError, match=r"Put provider_configs\.json beside the function"):
            UnifiedLLMHandler()


def test_the_function_itself_keeps_its_handler_and_lambdas_deadline(tmp_path, monkeypatch, made):
    class Context:
        def get_remaining_time_in_millis(self):
            return 30_000

    handler = made()
    monkeypatch.setattr(module, "_made_once", [])
    monkeypatch.setattr(module, "UnifiedLLMHandler", lambda: handler)
    begun = module.monotonic()
    assert [lambda_handler(EVENT, Context())["content"] for _ in range(2)] == ["Hi", "Hi"]
    assert 29 < handler.upstream.timeouts[0].deadline - begun < 30
