"""Middleware around the real `@handler`, in functions that block and in those that are awaited."""

import asyncio
import json

import pytest

from lambdallm import handler
from lambdallm.llm.errors import BudgetExceededError, ConfigurationError, UnauthorizedError
from lambdallm.llm.pricing import PricingManager
from lambdallm.middleware import (
    ApiKeys,
    AuthMiddleware,
    CorsMiddleware,
    CostTrackingMiddleware,
    IdempotencyMiddleware,
    LoggingMiddleware,
    Middleware,
    RateLimitMiddleware,
    ShortCircuit,
    ValidationMiddleware,
)
from lambdallm.testing import MockLambdaContext, mock_model

from .worlds import http, http_v1


@pytest.fixture(params=["def", "async def"])
def decorated(request):
    """What makes a handler of a function, in either kind."""

    def make(function, layers, **options):
        async def awaited(event, context):
            return function(event, context)

        return handler(middleware=layers, **options)(function if request.param == "def" else awaited)

    make.awaits = request.param == "async def"
    return make


def body_of(response):
    return json.loads(response["body"])


class Recorder(Middleware):
    def __init__(self, name, log):
        self.name, self.log = name, log

    def before_invoke(self, event, context):
        self.log.append(f"{self.name} before")

    def after_invoke(self, event, result, context):
        self.log.append(f"{self.name} after {result}")

    def on_error(self, event, error, context):
        self.log.append(f"{self.name} error")


class Answers(Middleware):
    """Answers in the function's place, or in an error's."""

    def __init__(self, before=None, error=None):
        self.before, self.error = before, error

    def before_invoke(self, event, context):
        if self.before is not None:
            raise ShortCircuit(self.before)

    def on_error(self, event, error, context):
        return self.error


def fails(event, context):
    raise KeyError("x")


class TestOrder:
    def test_before_in_order_and_after_in_reverse(self, decorated):
        log = []
        function = decorated(
            lambda event, context: log.append("function") or 7, [Recorder("a", log), Recorder("b", log)]
        )
        assert function({}, None) == 7
        assert log == ["a before", "b before", "function", "b after 7", "a after 7"]

    def test_a_short_circuit_is_a_result_for_the_layers_outside(self, decorated):
        log = []
        layers = [Recorder("a", log), Answers(before="cached"), Recorder("b", log)]
        assert decorated(fails, layers)({}, None) == "cached"
        assert log == ["a before", "a after cached"]

    def test_and_becomes_a_response(self, decorated):
        response = decorated(fails, [Answers(before={"statusCode": 204})])(http_v1(), None)
        assert response["statusCode"] == 204

    def test_an_answered_error_is_a_result_for_the_layers_outside(self, decorated):
        log = []
        assert decorated(fails, [Recorder("a", log), Answers(error="sorry")])({}, None) == "sorry"
        assert log == ["a before", "a after sorry"]

    def test_an_error_that_nobody_answers_is_raised_or_becomes_a_response(self, decorated):
        log = []
        function = decorated(fails, [Recorder("a", log)])
        with pytest.raises(KeyError):
            function({}, None)
        assert function(http(), None)["statusCode"] == 500
        assert log == ["a before", "a error"] * 2

    def test_methods_may_be_awaited_where_the_function_is(self, decorated):
        class Waits(Middleware):
            async def before_invoke(self, event, context):
                await asyncio.sleep(0)
                return {"changed": True}

        function = decorated(lambda event, context: event, [Waits()])
        if decorated.awaits:
            assert function({}, None) == {"changed": True}
        else:
            with pytest.raises(ConfigurationError, match="awaited"):
                function({}, None)

    def test_warm_invocations_share_the_layers_and_nothing_else(self, decorated):
        lines = []
        function = decorated(lambda event, context: event["n"], [LoggingMiddleware(lines.append)])
        assert [function({"n": number}, MockLambdaContext()) for number in range(3)] == [0, 1, 2]
        assert [line["cold_start"] for line in lines] == [True, False, False]


class TestDocumented:
    def test_the_example_refuses_with_401(self, decorated):
        class Auth(Middleware):
            def validate(self, token):
                return token == "right"

            def before_invoke(self, event, context):
                token = event.get("headers", {}).get("Authorization")
                if not self.validate(token):
                    raise UnauthorizedError("Invalid token")
                return event

        function = decorated(lambda event, context: "in", [Auth()])
        assert function(http(Authorization="right"), None)["body"] == "in"
        refused = function(http(Authorization="wrong"), None)
        assert refused["statusCode"] == 401
        assert body_of(refused)["error"]["message"].startswith("Invalid token")

    def test_validate_may_be_awaited(self, decorated):
        class Auth(AuthMiddleware):
            async def validate(self, token):
                await asyncio.sleep(0)
                return token == "right"

        function = decorated(lambda event, context: "in", [Auth()])
        answers = [function(http(authorization=token), None)["statusCode"] for token in ("right", "wrong")]
        assert answers == ([200, 401] if decorated.awaits else [500, 500])

    @pytest.mark.parametrize("name", ["Middleware", "LoggingMiddleware", "CostTrackingMiddleware"])
    def test_the_documented_paths(self, name):
        import lambdallm.middleware

        homes = {"Middleware": "base", "LoggingMiddleware": "logging", "CostTrackingMiddleware": "cost"}
        module = __import__(f"lambdallm.middleware.{homes[name]}", fromlist=[name])
        assert getattr(lambdallm.middleware, name) is getattr(module, name)


class TestTogether:
    """Everything there is, in the order that the how-to recommends."""

    ORDER = {"text": str}  # noqa: RUF012

    def layers(self, lines):
        return [
            LoggingMiddleware(lines.append),
            CorsMiddleware("https://app.example.com"),
            RateLimitMiddleware(60, burst=9),
            AuthMiddleware(ApiKeys({"ci": ApiKeys.hashed("key")})),
            ValidationMiddleware(self.ORDER),
            IdempotencyMiddleware(),
            CostTrackingMiddleware(0.5, daily_budget=5.0, key="principal"),
        ]

    @pytest.fixture
    def function(self, decorated):
        self.lines = []

        def ask(event, context):
            return {"said": context.invoke("Read {text}", text=context.validated["text"], max_tokens=400)}

        async def awaited(event, context):
            return {"said": await context.ainvoke("Read {text}", text=context.validated["text"], max_tokens=400)}

        return handler(middleware=self.layers(self.lines))(awaited if decorated.awaits else ask)

    def sent(self, body='{"text": "it"}', **headers):
        return http(body=body, **{"origin": "https://app.example.com", "x_api_key": "key", **headers})

    def test_a_good_request(self, function):
        with mock_model(["Read."], cost_usd=0.1) as model:
            response = function(self.sent(), MockLambdaContext())
        assert (response["statusCode"], body_of(response)) == (200, {"said": "Read."})
        assert response["headers"]["Access-Control-Allow-Origin"] == "https://app.example.com"
        assert len(model.calls) == 1
        assert (self.lines[0]["status"], self.lines[0]["cost_usd"], self.lines[0]["model_calls"]) == (200, 0.1, 1)

    @pytest.mark.parametrize(
        ("change", "status"),
        [
            ({"x_api_key": "wrong"}, 401),
            ({"body": '{"text": 3}'}, 400),
            ({"body": "{"}, 400),
        ],
    )
    def test_refusals_have_a_status_and_can_be_read_by_the_page(self, function, change, status):
        response = function(self.sent(**change), MockLambdaContext())
        assert response["statusCode"] == status
        assert response["headers"]["Access-Control-Allow-Origin"] == "https://app.example.com"
        assert (self.lines[-1]["status"], self.lines[-1]["level"]) == (status, "WARNING")
        assert body_of(response)["error"]["request_id"]

    def test_a_request_that_comes_again_costs_nothing(self, function):
        with mock_model(["once"], cost_usd=0.1) as model:
            first, second = (function(self.sent(idempotency_key="k"), MockLambdaContext()) for _ in range(2))
        assert body_of(first) == body_of(second) == {"said": "once"}
        assert second["headers"]["Idempotency-Replayed"] == "true"
        assert "Idempotency-Replayed" not in first["headers"]
        assert len(model.calls) == 1

    def test_a_key_that_is_used_again_is_refused(self, function):
        with mock_model(["once"], cost_usd=0.1):
            function(self.sent(idempotency_key="k"), MockLambdaContext())
            response = function(self.sent('{"text": "other"}', idempotency_key="k"), MockLambdaContext())
        assert response["statusCode"] == 422

    def test_the_budget_refuses_before_the_call(self, function):
        with mock_model(["dear"], cost_usd=0.9) as model:
            statuses = [function(self.sent(), MockLambdaContext())["statusCode"] for _ in range(7)]
        assert statuses == [200] * 6 + [429]
        assert len(model.calls) == 6, "5.4 dollars are spent, since the last call cost more than was estimated"

    def test_a_preflight_needs_no_key(self, function):
        event = http("OPTIONS", origin="https://app.example.com", access_control_request_method="POST")
        response = function(event, MockLambdaContext())
        assert response["statusCode"] == 204
        assert response["headers"]["Access-Control-Allow-Methods"]

    def test_too_many_requests_say_when_to_come_again(self, function):
        for _ in range(9):
            function(self.sent(x_api_key="wrong"), MockLambdaContext())
        response = function(self.sent(), MockLambdaContext())
        assert (response["statusCode"], response["headers"]["Retry-After"]) == (429, "1")


class TestStreams:
    """A budget and a log line wait for the end of what is streamed."""

    class Streaming(MockLambdaContext):
        accepts_stream = True

    def test_are_settled_and_logged_at_their_end(self):
        lines, prices = [], PricingManager({"*": {"input": 0.0, "output": 1000.0}}, catalog=False)
        budget = CostTrackingMiddleware(1.0, prices=prices)

        @handler(middleware=[LoggingMiddleware(lines.append), budget], response_streaming="direct")
        def function(event, context):
            function.guard = context.guards[0]
            return context.stream("Hi", max_tokens=400)

        with mock_model(["one two three"], cost_usd=0.25):
            stream = function({}, self.Streaming())
            assert lines == []
            assert b"".join(stream) == b"one two three"
        assert (lines[0]["message"], lines[0]["model_calls"]) == ("invocation completed", 1)
        assert function.guard.spent_usd > 0

    def test_what_else_is_asked_of_a_stream_is_its_own(self):
        class Keeps(Middleware):
            def after_invoke(self, event, result, context):
                self.stream = result

        layers = [Keeps(), LoggingMiddleware(lambda line: None), CostTrackingMiddleware(1.0)]

        @handler(middleware=layers, response_streaming="direct")
        def function(event, context):
            return context.stream("Hi", max_tokens=400)

        with mock_model(["one two"]):
            assert list(function({}, self.Streaming())) == [b"one", b" two"]
        assert layers[0].stream.completion.text == "one two"

    def test_awaited_ones_too(self):
        lines, budget = [], CostTrackingMiddleware(1.0)

        layers = [LoggingMiddleware(lines.append, content=True), IdempotencyMiddleware("id"), budget]

        @handler(middleware=layers, response_streaming="direct")
        async def function(event, context):
            function.guard = context.guards[0]

            async def pieces():
                async for chunk in context.astream("Hi", max_tokens=400):
                    yield chunk

            return pieces()

        with mock_model(["one two three"]) as model:
            stream = function({"id": 1}, self.Streaming())
            assert lines == []
            pieces = list(stream)
            assert len(pieces) == 3
            assert list(function({"id": 1}, self.Streaming())) == pieces
        assert [line["result"] for line in lines] == ["one two three"] * 2
        assert function.guard.spent_usd > 0
        assert len(model.calls) == 1

    def test_joined_ones_too(self):
        lines = []
        function = handler(middleware=[LoggingMiddleware(lines.append, content=True)])(lambda e, c: c.stream("Hi"))
        with mock_model(["one two"]):
            assert function({}, MockLambdaContext()) == "one two"
        assert lines[0]["result"] == "one two"


def test_a_budget_holds_for_structured_answers_and_fallbacks(decorated):
    prices = PricingManager({"*": {"input": 0.0, "output": 1000.0}}, catalog=False)

    def ask(event, context):
        return context.invoke_structured("Rate", {"score": int}, max_tokens=400)

    async def awaited(event, context):
        return await context.ainvoke_structured("Rate", {"score": int}, max_tokens=400)

    layer = CostTrackingMiddleware(0.3, prices=prices)
    function = handler(middleware=[layer])(awaited if decorated.awaits else ask)
    with mock_model([{"score": 1}]) as model, pytest.raises(BudgetExceededError):
        function({}, MockLambdaContext())
    assert model.calls == []
