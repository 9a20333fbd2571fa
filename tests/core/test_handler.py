"""`@handler`: the order of an invocation, its settings, and what Lambda gets back."""

import inspect
import json
import sys

import pytest

from lambdallm import Middleware, Model, Prompt, handler, register_provider
from lambdallm.core.exceptions import (
    ConfigurationError,
    DeadlineExceededError,
    LambdaLLMError,
    LLMAuthenticationError,
    LLMContentFilterError,
    ProviderServerError,
)
from lambdallm.core.router import CostAwareRouter
from lambdallm.providers.base import BaseProvider
from lambdallm.testing import MockLambdaContext, MockProvider, mock_model

HTTP = {"version": "2.0", "requestContext": {"http": {"method": "POST"}}, "body": "{}"}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_the_documented_defaults():
    parameters = inspect.signature(handler).parameters.items()
    defaults = {name: p.default for name, p in parameters if p.kind is not p.KEYWORD_ONLY}
    assert defaults == {
        "model": Model.CLAUDE_3_HAIKU,
        "timeout_strategy": "fail-fast",
        "timeout_buffer": 5,
        "max_retries": 3,
        "fallback_model": None,
        "middleware": None,
        "session": None,
        "router": None,
    }


def test_it_works_with_and_without_parentheses_and_keeps_the_function_s_name():
    @handler
    def one(event, context):
        """Says one."""
        return 1

    @handler()
    def two(event, context):
        return 2

    assert (one({}, None), two({}, None)) == (1, 2)
    assert (one.__name__, one.__doc__) == ("one", "Says one.")


class TestResponses:
    @pytest.mark.parametrize(
        ("returned", "status", "body"),
        [
            ("text", 200, "text"),
            ({"a": 1}, 200, '{"a": 1}'),
            ([1], 200, "[1]"),
            ({"statusCode": 201, "body": {"a": 1}}, 201, '{"a": 1}'),
            ({"statusCode": 204}, 204, None),
        ],
    )
    def test_http_events(self, returned, status, body):
        response = handler(lambda event, context: returned)(HTTP, None)
        assert (response["statusCode"], response.get("body")) == (status, body)

    def test_other_events_get_the_value_itself(self):
        assert handler(lambda event, context: {"a": 1})({"any": "event"}, None) == {"a": 1}

    def test_a_stream_is_joined_where_nobody_can_read_it_piece_by_piece(self):
        @handler
        def streaming(event, context):
            return context.stream("Say it")

        with mock_model(["one two three"]):
            assert streaming(HTTP, None)["body"] == "one two three"

    def test_a_stream_is_handed_on_where_somebody_can(self):
        @handler(response_streaming="direct")
        def streaming(event, context):
            return context.stream("Say it")

        reader = MockLambdaContext()
        reader.accepts_stream = True
        with mock_model(["one two"]):
            assert list(streaming({}, reader)) == [b"one", b" two"]

    def test_what_json_has_no_word_for_is_named(self):
        with pytest.raises(TypeError, match="object can't be sent as JSON"):
            handler(lambda event, context: {"a": object()})({}, None)


class Recorder(Middleware):
    def __init__(self, name, log):
        self.name, self.log = name, log

    def before_invoke(self, event, context):
        self.log.append(f"{self.name} before")
        return {**event, self.name: True}

    def after_invoke(self, event, result, context):
        self.log.append(f"{self.name} after")
        return [*result, self.name]

    def on_error(self, event, error, context):
        self.log.append(f"{self.name} {type(error).__name__}")


class TestMiddleware:
    def test_in_order_before_and_in_reverse_after(self):
        log = []

        @handler(middleware=[Recorder("a", log), Recorder("b", log)])
        def function(event, context):
            log.append(f"function {sorted(event)}")
            return []

        assert function({}, None) == ["b", "a"]
        assert log == ["a before", "b before", "function ['a', 'b']", "b after", "a after"]

    def test_an_error_passes_all_that_were_entered_and_is_raised(self):
        log = []

        @handler(middleware=[Recorder("a", log), Recorder("b", log)])
        def function(event, context):
            raise KeyError("x")

        with pytest.raises(KeyError):
            function({}, None)
        assert log[2:] == ["b KeyError", "a KeyError"]

    def test_an_error_may_be_answered(self):
        class Answers(Middleware):
            def on_error(self, event, error, context):
                return {"statusCode": 500, "body": "sorry"}

        @handler(middleware=[Answers()])
        def function(event, context):
            raise KeyError("x")

        assert function(HTTP, None) == {"statusCode": 500, "body": "sorry"}

    def test_methods_that_return_nothing_change_nothing(self):
        class Silent(Middleware):
            def before_invoke(self, event, context):
                pass

            def after_invoke(self, event, result, context):
                pass

        assert handler(middleware=[Silent()])(lambda event, context: event)({"a": 1}, None) == {"a": 1}


class TestContext:
    def test_it_counts_time_cost_and_tokens(self):
        seen = {}

        @handler
        def function(event, context):
            context.invoke("Hello {name}", name="World")
            context.invoke("Again")
            seen.update(cost=context.total_cost, time=context.remaining_time_ms, id=context.aws_request_id)
            seen.update(calls=context.metrics.total("model.calls"), checkpoint=context.should_checkpoint)

        with mock_model(["Hi"], cost_usd=0.25):
            function({}, MockLambdaContext(remaining_time_ms=9_000, aws_request_id="r-1"))
        assert seen["cost"] == 0.5
        assert 8_000 < seen["time"] <= 9_000
        assert (seen["id"], seen["calls"], seen["checkpoint"]) == ("r-1", 2, False)

    def test_a_cost_nobody_knows_is_counted_as_unknown(self):
        @handler
        def function(event, context):
            context.invoke("Hi")
            return context.total_cost, context.unpriced_calls

        with mock_model(["Hi"], cost_usd=None):
            assert tuple(function({}, None)) == (0.0, 1)

    def test_the_reserve_is_kept_back_from_lambda_s_limit(self):
        @handler(timeout_buffer=5, model="echo")
        def function(event, context):
            assert context.should_checkpoint
            context.invoke("Hi")

        with pytest.raises(DeadlineExceededError):
            function({}, MockLambdaContext(remaining_time_ms=4_000))

    def test_keywords_are_variables_first_and_options_second(self):
        @handler
        def function(event, context):
            context.invoke("About {model}", model="T", max_tokens=7, system_prompt="Be {how}", how="kind")

        with mock_model(["ok"]) as model:
            function({}, None)
        (call,) = model.calls
        assert (call.prompt, call.config.max_tokens, call.config.system_prompt) == ("About T", 7, "Be kind")

    def test_structured_answers(self):
        @handler
        def function(event, context):
            return context.invoke_structured("Rate {it}", {"score": int}, it="this")

        with mock_model([{"score": 3}]):
            assert function({}, None) == {"score": 3}

    def test_a_model_that_knows_no_schema_is_told_in_words(self):
        class Plain(BaseProvider):
            def invoke(self, prompt, config):
                self.system = config.system_prompt
                return MockProvider(['{"score": 3}']).invoke(prompt, config)

        plain = Plain()
        register_provider("plain", plain)
        result = handler(model="plain/any")(lambda e, c: c.invoke_structured("Rate", {"score": int}))({}, None)
        assert result == {"score": 3}
        assert '"score"' in plain.system

    def test_an_attribute_nobody_has_is_named(self):
        with pytest.raises(AttributeError, match="'nope'"):
            handler(lambda event, context: context.nope)({}, None)


class TestFallback:
    def invoke(self, *answers):
        with mock_model(list(answers)) as model:
            result = handler(model="a", fallback_model="b", max_retries=0)(lambda e, c: c.invoke("Hi"))({}, None)
        return result, [call.config.model_id for call in model.calls]

    def test_another_model_answers_when_the_first_can_t(self):
        assert self.invoke(ProviderServerError("down"), "Hi") == ("Hi", ["a", "b"])

    def test_but_not_when_the_request_is_at_fault(self):
        with pytest.raises(LLMContentFilterError):
            self.invoke(LLMContentFilterError("no"), "Hi")

    def test_a_stream_falls_back_before_its_first_piece(self):
        class Down(BaseProvider):
            def invoke(self, prompt, config):
                raise ProviderServerError("down")

        register_provider("down", Down())
        register_provider("up", MockProvider(["all good"]))
        function = handler(model="down/x", fallback_model="up/y", max_retries=0)(lambda e, c: c.stream("Hi"))
        assert function({}, None) == "all good"

    def test_a_stream_that_breaks_in_the_middle_is_not_begun_again_by_another_model(self):
        """The reader would see the beginning twice."""

        class Breaks(BaseProvider):
            def invoke(self, prompt, config):
                raise AssertionError("streamed only")

            def stream(self, prompt, config):
                yield "Hel"
                raise ProviderServerError("died")

        register_provider("breaks", Breaks())
        register_provider("up", MockProvider(["all good"]))
        pieces = []

        @handler(model="breaks/x", fallback_model="up/y", max_retries=0)
        def function(event, context):
            for text in context.stream("Hi").texts():
                pieces.append(text)

        with pytest.raises(ProviderServerError) as caught:
            function({}, None)
        assert pieces == ["Hel"]
        assert caught.value.partial.text == "Hel"

    def test_a_wrong_key_is_raised(self):
        with pytest.raises(LLMAuthenticationError):
            self.invoke(LLMAuthenticationError("wrong key"), "Hi")


class TestSettings:
    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"timeout_strategy": "hope"}, "'hope'.*fail-fast"),
            ({"model": 3}, "model is 3"),
            ({"model": ""}, "model is ''"),
            ({"max_retries": -1}, "max_retries is -1"),
            ({"timeout_buffer": "5"}, "timeout_buffer is '5'"),
            ({"middleware": [Middleware]}, "instances"),
            ({"session": object()}, "session is <object"),
            ({"router": object()}, "router is <object"),
            ({"router": CostAwareRouter}, "Make one"),
            ({"timeout_strategy": "checkpoint", "checkpoint_store": 3}, "store is 3"),
            ({"metrics_sinks": [3]}, "metrics_sinks has 3"),
            ({"embedding_model": 3}, "embedding_model is 3"),
        ],
    )
    def test_a_mistake_is_named_where_it_is_made(self, options, message):
        with pytest.raises(ConfigurationError, match=message):
            handler(**options)

    def asked_model(self, function):
        with mock_model(["ok"]) as model:
            function({}, None)
        return model.calls[0].config.model_id

    def test_code_wins_over_environment_wins_over_file_wins_over_default(self, tmp_path, monkeypatch):
        ask = lambda event, context: context.invoke("Hi")  # noqa: E731
        assert self.asked_model(handler(ask)) == Model.CLAUDE_3_HAIKU
        (tmp_path / "lambdallm.yaml").write_text("model: from-file\n")
        assert self.asked_model(handler(ask)) == Model.CLAUDE_3_HAIKU, "a file is read once"
        monkeypatch.setenv("LAMBDALLM_CONFIG", str(tmp_path / "lambdallm.yaml"))
        assert self.asked_model(handler(ask)) == "from-file"
        monkeypatch.setenv("LAMBDALLM_MODEL", "from-environment")
        assert self.asked_model(handler(ask)) == "from-environment"
        assert self.asked_model(handler(model="from-code")(ask)) == "from-code"
        assert self.asked_model(handler(model=Model.CLAUDE_3_HAIKU)(ask)) == Model.CLAUDE_3_HAIKU

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("modle: x", "'modle'.*'model'"),
            ("max_retries: many", "max_retries is 'many'"),
            ("a: [", "line 1"),
            ("3", "lambdallm.yaml holds "),
        ],
    )
    def test_a_mistake_in_the_file_names_it(self, tmp_path, monkeypatch, text, message):
        file = tmp_path / "lambdallm.yaml"
        file.write_text(text)
        monkeypatch.setenv("LAMBDALLM_CONFIG", str(file))
        with pytest.raises(ConfigurationError, match=message):
            handler(lambda event, context: 1)({}, None)

    def test_a_mistake_in_the_environment_names_it(self, monkeypatch):
        monkeypatch.setenv("LAMBDALLM_MAX_RETRIES", "many")
        with pytest.raises(ConfigurationError, match="LAMBDALLM_MAX_RETRIES is 'many'"):
            handler(lambda event, context: 1)({}, None)


def test_errors_raised_at_the_surface_are_those_of_the_library():
    prompt = Prompt("x {y}")
    with pytest.raises(LambdaLLMError, match="y=…"):
        handler(lambda event, context: prompt.invoke(context))({}, None)


def test_the_answer_s_json_is_readable_text():
    response = handler(lambda event, context: {"text": "é"})(HTTP, None)
    assert json.loads(response["body"]) == {"text": "é"}
    assert "é" in response["body"]


def test_the_project_s_limits_hold_for_prompts_given_as_text(tmp_path, monkeypatch):
    file = tmp_path / "lambdallm.json"
    file.write_text('{"max_tokens": 77, "temperature": 0}')
    monkeypatch.setenv("LAMBDALLM_CONFIG", str(file))

    @handler
    def function(event, context):
        context.invoke("text")
        context.invoke("text", max_tokens=5)
        Prompt("own", max_tokens=9).invoke(context)

    with mock_model(["ok"]) as model:
        function({}, None)
    assert [call.config.max_tokens for call in model.calls] == [77, 5, 9]
    assert [call.config.temperature for call in model.calls] == [0, 0, 0.7]


class TestRawClient:
    """The escape hatch to any AWS service."""

    def test_is_boto3_s(self, monkeypatch):
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        service = handler(lambda event, context: context.get_raw_client("sqs").meta.service_model.service_name)
        assert service({}, None) == "sqs"

    def test_is_made_once_for_a_region(self, monkeypatch):
        made = []
        handler(lambda event, context: made.append(context.get_raw_client("sqs")))
        for region in ("eu-west-1", "eu-west-1", "eu-north-1"):
            monkeypatch.setenv("AWS_DEFAULT_REGION", region)
            handler(lambda event, context: made.append(context.get_raw_client("sqs")))({}, None)
        assert made[0] is made[1]
        assert made[2].meta.region_name == "eu-north-1"

    def test_without_boto3_says_what_to_install(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "boto3", None)
        with pytest.raises(ConfigurationError, match=r"lambdallm\[deploy\]"):
            handler(lambda event, context: context.get_raw_client("polly"))({}, None)
