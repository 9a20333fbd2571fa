"""What errors mean to who sent a request: a status and safe words over HTTP; for other events Lambda gets the error."""

import json

import pytest

from events import HTTP_KINDS, event
from handler_kinds import KINDS, made
from lambdallm import handler
from lambdallm.core.exceptions import (
    BudgetExceededError,
    ConfigurationError,
    DeadlineExceededError,
    ExtractionParseError,
    LambdaLLMError,
    LLMAuthenticationError,
    LLMContentFilterError,
    LLMQuotaExceededError,
    LLMRateLimitError,
    PromptError,
    ProviderServerError,
    ProviderTimeoutError,
    TokenLimitError,
    UnauthorizedError,
)
from lambdallm.llm.errors import CircuitOpenError
from lambdallm.middleware.errors import ForbiddenError, InvalidEventError, TooManyRequestsError
from lambdallm.testing import MockLambdaContext

SECRET = "sk-none at https://internal"


def failing(error, kind="def", **settings):
    @made(kind, **settings)
    async def function(event, context):
        raise error

    return function


def answered(error, name="function_url"):
    response = failing(error)(event(name), MockLambdaContext(aws_request_id="r-7"))
    return response, json.loads(response["body"])["error"]


@pytest.mark.parametrize(
    ("error", "status", "word"),
    [
        (UnauthorizedError("No token."), 401, "unauthorized"),
        (ForbiddenError("Not yours."), 403, "forbidden"),
        (InvalidEventError("No text.", problems=["$.text: missing"]), 400, "invalid_request"),
        (PromptError("The prompt needs 'text'."), 400, "invalid_request"),
        (TooManyRequestsError("Slowly.", retry_after=1.2), 429, "rate_limit"),
        (TokenLimitError(SECRET), 413, "too_long"),
        (LLMContentFilterError(SECRET), 422, "content_filter"),
        (LLMRateLimitError(SECRET, retry_after=30), 429, "rate_limit"),
        (BudgetExceededError(SECRET), 429, "budget"),
        (LLMQuotaExceededError(SECRET), 503, "unavailable"),
        (CircuitOpenError(SECRET), 503, "unavailable"),
        (ProviderServerError(SECRET), 502, "upstream"),
        (ExtractionParseError(SECRET), 502, "upstream"),
        (ProviderTimeoutError(SECRET), 504, "timeout"),
        (DeadlineExceededError(SECRET), 504, "timeout"),
        (LLMAuthenticationError(SECRET), 500, "internal"),
        (ConfigurationError(SECRET), 500, "internal"),
        (KeyError(SECRET), 500, "internal"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_each_has_its_status_and_gives_nothing_away(error, status, word):
    response, facts = answered(error)
    assert (response["statusCode"], facts["type"], facts["request_id"]) == (status, word, "r-7")
    assert SECRET not in json.dumps(response)


@pytest.mark.parametrize("name", HTTP_KINDS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_service_gets_its_shape(kind, name):
    response = failing(UnauthorizedError("No token."), kind)(event(name), None)
    assert (response["statusCode"], "statusDescription" in response) == (401, name.startswith("alb"))


def test_what_the_sender_can_change_is_told():
    _, facts = answered(InvalidEventError("The body is wrong.", problems=["$.text: missing"]))
    assert facts["message"] == "The body is wrong. Correct the request."
    assert facts["problems"] == ["$.text: missing"]


def test_who_has_to_wait_is_told_how_long():
    assert answered(LLMRateLimitError("x", retry_after=29.1))[0]["headers"]["Retry-After"] == "30"


def test_what_is_not_the_sender_s_fault_is_in_the_log(caplog):
    answered(KeyError(SECRET))
    assert SECRET in caplog.text
    caplog.clear()
    answered(UnauthorizedError("No token."))
    assert not caplog.text


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["sqs", "sns", "s3", "eventbridge", "kinesis", "step_functions"])
def test_lambda_gets_the_error_of_other_events_so_that_it_tries_them_again(kind, name):
    with pytest.raises(ProviderServerError):
        failing(ProviderServerError("down"), kind)(event(name), None)


def test_a_body_that_can_t_be_read_is_the_sender_s():
    @made("def")
    async def function(event, context):
        return context.body

    response = function({**event("api_gateway_v2"), "body": "{"}, None)
    assert response["statusCode"] == 400
    assert "line 1" in json.loads(response["body"])["error"]["message"]


def test_a_result_that_can_t_be_sent_is_the_function_s():
    @made("def")
    async def function(event, context):
        return {"a": object()}

    assert function(event("function_url"), None)["statusCode"] == 500


def test_an_error_may_have_headers_of_its_own():
    error = UnauthorizedError("No token.")
    error.http_headers = {"WWW-Authenticate": "Bearer"}
    assert answered(error)[0]["headers"]["WWW-Authenticate"] == "Bearer"


@pytest.mark.filterwarnings("error")
def test_a_function_that_nobody_awaits_is_named():
    async def inner(event, context):
        raise AssertionError("It is not begun.")

    with pytest.raises(ConfigurationError, match=r"inner.* has to be awaited"):
        handler()(lambda event, context: inner(event, context))({}, None)


@pytest.mark.parametrize("kind", KINDS)
def test_the_log_shows_where_the_function_failed_and_nothing_of_what_led_there(kind, caplog):
    failing(ValueError(SECRET), kind)(event("function_url"), MockLambdaContext())
    trace = caplog.records[-1].exc_info[2]
    assert "tests" in trace.tb_frame.f_code.co_filename


def test_of_tasks_that_fail_together_the_first_error_counts(caplog):
    response, error = answered(ExceptionGroup("two", [ExceptionGroup("one", [TokenLimitError("long")]), KeyError()]))
    assert (response["statusCode"], error["type"]) == (413, "too_long")
    response, _ = answered(ExceptionGroup("one", [DeadlineExceededError("late")]))
    assert response["statusCode"] == 504
    assert isinstance(caplog.records[-1].exc_info[1], ExceptionGroup)


def test_a_cancellation_from_within_is_an_error_and_not_the_end_of_the_environment():
    import asyncio

    function = failing(asyncio.CancelledError(), "async def")
    assert function(event("function_url"), MockLambdaContext())["statusCode"] == 500
    with pytest.raises(LambdaLLMError, match="was cancelled"):
        function({}, MockLambdaContext())


@pytest.mark.parametrize("seconds", [float("inf"), float("nan"), "soon"])
def test_a_wait_that_is_none_is_not_told(seconds):
    error = TooManyRequestsError("Later.")
    error.retry_after = seconds
    response, _ = answered(error)
    assert (response["statusCode"], "Retry-After" in response["headers"]) == (429, False)


def test_an_error_that_can_t_be_answered_ends_the_invocation_all_the_same():
    error = ForbiddenError("No.")
    error.http_headers = {"X": "a\r\nb"}
    seen = []
    with pytest.raises(ValueError, match="line break"):
        failing_after_a_count(error, seen)(event("function_url"), MockLambdaContext())
    assert seen == ["counted"]


def failing_after_a_count(error, seen):
    @handler(metrics_sinks=[lambda metrics: seen.extend(metric.name for metric in metrics)])
    def function(event, context):
        context.metrics.record("counted", 1)
        raise error

    return function
