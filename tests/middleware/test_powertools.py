"""Powertools for AWS Lambda around our handlers and inside them: its decorators know nothing of us, nor we of them."""

import io
import json

import pytest
from aws_lambda_powertools import Logger
from aws_lambda_powertools.middleware_factory import lambda_handler_decorator
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent,
)

import servers
from lambdallm import handler
from lambdallm.middleware import AuthMiddleware, LoggingMiddleware, Middleware
from lambdallm.testing import MockLambdaContext, mock_model

from .worlds import http


@pytest.fixture(params=["around", "inside"])
def both(request):
    """Puts a decorator of Powertools around our handler, or around the function in it."""

    def decorated(decorate, function, layers=()):
        if request.param == "around":
            return decorate(handler(middleware=list(layers))(function))
        return handler(middleware=list(layers))(decorate(function))

    return decorated


@lambda_handler_decorator
def with_log(inner, event, context, log=None):
    log.append(f"before {context.function_name}")
    result = inner(event, context)
    log.append(f"after {result}")
    return result


class Recorder(Middleware):
    def __init__(self, log):
        self.log = log

    def before_invoke(self, event, context):
        self.log.append("ours before")

    def after_invoke(self, event, result, context):
        self.log.append("ours after")


class TestDecorators:
    def test_of_one_s_own(self, both):
        log = []
        function = both(lambda f: with_log(f, log=log), lambda event, context: context.invoke("Hi"), [Recorder(log)])
        with mock_model(["hello"]):
            assert function({}, MockLambdaContext()) == "hello"
        theirs = ["before test-function", "after hello"]
        assert sorted(log) == sorted([*theirs, "ours before", "ours after"])
        assert log in (
            [theirs[0], "ours before", "ours after", theirs[1]],
            ["ours before", *theirs, "ours after"],
        )

    def test_errors_pass_both(self, both):
        def fails(event, context):
            raise KeyError("x")

        with pytest.raises(KeyError):
            both(lambda f: with_log(f, log=[]), fails)({}, MockLambdaContext())

    def test_around_a_handler_they_see_its_responses(self):
        log = []
        function = with_log(handler(middleware=[AuthMiddleware(lambda token: False)])(lambda e, c: "in"), log=log)
        assert function(http(), MockLambdaContext())["statusCode"] == 401
        assert '"unauthorized"' in log[1]


class TestLogger:
    """Loggers of one name share where they write: each test has a name of its own."""

    def test_its_context_and_our_line_are_one_log(self, both, request):
        out, service = io.StringIO(), request.node.name
        logger = Logger(service=service, stream=out)

        def function(event, context):
            logger.info("in the function")
            return context.invoke("Hi")

        decorated = both(logger.inject_lambda_context(clear_state=True), function, [LoggingMiddleware(logger)])
        with mock_model(["hello"], cost_usd=0.5):
            decorated(http(x_correlation_id="c-1"), MockLambdaContext())
        inner, ours = (json.loads(line) for line in out.getvalue().splitlines())
        assert (inner["message"], inner["function_name"]) == ("in the function", "test-function")
        assert (ours["message"], ours["service"], ours["cost_usd"]) == ("invocation completed", service, 0.5)
        assert inner["function_request_id"] == ours["request_id"]
        assert ours["correlation_id"] == "c-1"

    def test_its_correlation_id_path(self, request):
        out = io.StringIO()
        logger = Logger(service=request.node.name, stream=out)

        @logger.inject_lambda_context(correlation_id_path="requestContext.requestId")
        @handler
        def function(event, context):
            logger.info("here")

        function(http(), MockLambdaContext())
        assert json.loads(out.getvalue())["correlation_id"] == "gw-1"


class TestIdempotent:
    @pytest.fixture
    def persistence(self, ministack, monkeypatch):
        import boto3

        for name, value in (servers.AWS | {"AWS_DEFAULT_REGION": "us-east-1"}).items():
            monkeypatch.setenv(name, value)
        client = boto3.client("dynamodb", endpoint_url=ministack)
        if "powertools" not in client.list_tables()["TableNames"]:
            client.create_table(
                TableName="powertools",
                KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
                BillingMode="PAY_PER_REQUEST",
            )
        yield DynamoDBPersistenceLayer("powertools", boto3_client=client)
        client.close()

    def test_asks_the_model_once(self, both, persistence, request):
        config = IdempotencyConfig(event_key_jmespath="id")
        function = both(
            lambda f: idempotent(f, persistence_store=persistence, config=config),
            lambda event, context: {"said": context.invoke("Hi")},
            [LoggingMiddleware(lambda line: None)],
        )
        event = {"id": request.node.name}
        with mock_model(["once"]) as model:
            assert [function(event, MockLambdaContext()) for _ in range(2)] == [{"said": "once"}] * 2
        assert len(model.calls) == 1
