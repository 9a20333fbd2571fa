"""One line for each invocation: what is in it, what is not, and where it goes."""

import io
import json
import logging
from contextlib import suppress

import pytest

from lambdallm.llm.errors import ConfigurationError, ProviderServerError
from lambdallm.llm.types import ChatMessage, Choice, Completion, Usage
from lambdallm.middleware import ConflictError, LoggingMiddleware
from lambdallm.runtime.response import Response
from lambdallm.testing.world import World

from .worlds import Place, http, http_v1

SECRET = "ada@example.com"


def answer(**options):
    return Completion((Choice(ChatMessage("assistant", "Hello")),), **options)


class Lines:
    """Invokes with a logging layer whose lines are kept as objects."""

    def __init__(self, place, **options):
        self.place, self.lines = place, []
        self.layer = LoggingMiddleware(self.lines.append, **options)

    def __call__(self, function=lambda event, context: {"statusCode": 201}, event=None, context=None):
        self.place.invoke([self.layer], function, event, context)
        return self.lines[-1]


def test_the_end_of_an_invocation(place):
    context = place.invocation()
    context.completions += [
        answer(usage=Usage(100, 20), cost_usd=0.25, model="small"),
        answer(usage=Usage(10, 2), cost_usd=None, model="large"),
    ]
    context.total_cost = 0.25

    def function(event, context):
        place.world.pass_time(0.8)
        return {"statusCode": 201}

    assert Lines(place)(function, http(), context) == {
        "timestamp": "2023-11-14T22:13:20.800Z", "level": "INFO", "message": "invocation completed",
        "request_id": "request-1", "correlation_id": "gw-1", "function_name": "orders", "cold_start": True,
        "method": "POST", "path": "/orders", "duration_ms": 800.0, "status": 201, "model_calls": 2,
        "models": ["large", "small"], "input_tokens": 110, "output_tokens": 22, "cost_usd": 0.25, "unpriced_calls": 1,
    }  # fmt: skip


def test_an_error_is_named_and_its_message_is_not(place):
    def function(event, context):
        raise ProviderServerError(f"No service for {SECRET}.")

    log = Lines(place)
    with pytest.raises(ProviderServerError):
        log(function, http())
    (line,) = log.lines
    assert (line["level"], line["message"], line["error_type"]) == ("ERROR", "invocation failed", "ProviderServerError")
    assert SECRET not in json.dumps(line)
    assert "status" not in line


def test_an_error_that_decides_a_status_tells_it(place):
    def function(event, context):
        raise ConflictError("busy")

    log = Lines(place)
    with pytest.raises(ConflictError):
        log(function)
    assert (log.lines[0]["status"], log.lines[0]["level"]) == (409, "WARNING")


def test_only_the_first_invocation_of_an_environment_is_cold(place):
    log = Lines(place)
    assert [log()["cold_start"] for _ in range(3)] == [True, False, False]


def test_an_environment_that_was_provisioned_is_never_cold(place):
    place.world._environ["AWS_LAMBDA_INITIALIZATION_TYPE"] = "provisioned-concurrency"
    assert Lines(place)()["cold_start"] is False


def test_the_beginning_is_for_debugging(place):
    log = Lines(place, level="debug")
    log(event=http())
    assert [(line["level"], line["message"]) for line in log.lines] == [
        ("DEBUG", "invocation started"),
        ("INFO", "invocation completed"),
    ]
    assert "duration_ms" not in log.lines[0]


def test_lambda_s_own_level_holds_unless_one_is_given(place):
    place.world._environ["AWS_LAMBDA_LOG_LEVEL"] = "WARN"
    quiet, loud = Lines(place), Lines(place, level="INFO")
    place.invoke([quiet.layer, loud.layer], lambda event, context: None)
    assert (len(quiet.lines), len(loud.lines)) == (0, 1)


class TestContent:
    EVENT = {"mail": SECRET, "deep": [{"key": "x"}]}  # noqa: RUF012

    def said(self, place, function=lambda event, context: {"to": SECRET}, **options):
        log = Lines(place, **options)
        with suppress(ValueError):
            log(function, self.EVENT)
        return log.lines[-1]

    def test_none_by_default(self, place):
        assert SECRET not in json.dumps(self.said(place))

    def test_all(self, place):
        line = self.said(place, content=True)
        assert (line["event"], line["result"]) == (self.EVENT, {"to": SECRET})

    def test_redacted(self, place):
        line = self.said(place, content="redacted")
        assert (line["event"]["mail"], line["event"]["deep"]) == ("[EMAIL]", [{"key": "x"}])
        assert line["result"] == {"to": "[EMAIL]"}

    def test_an_error_s_message_too(self, place):
        def function(event, context):
            raise ValueError(f"bad: {SECRET}")

        assert self.said(place, function, content="redacted")["error_message"] == "bad: [EMAIL]"

    def test_what_a_filter_blocks_is_left_out(self, place):
        from lambdallm.llm.safety import PersonalDataFilter

        line = self.said(place, content="redacted", filters=[PersonalDataFilter(action="block")])
        assert line["content_blocked_by"] == "personal_data"
        assert SECRET not in json.dumps(line)

    def test_values_are_shown_as_objects(self, place):
        line = self.said(place, lambda event, context: Usage(1, 2), content="redacted")
        assert line["result"]["input_tokens"] == 1


class TestCorrelation:
    @pytest.mark.parametrize(
        ("headers", "found"),
        [
            ({"X_Correlation_Id": "abc"}, "abc"),
            ({"x_request_id": "r", "x_correlation_id": "c"}, "c"),
            ({"x_correlation_id": "line\nbreak"}, "gw-1"),
            ({"x_correlation_id": "long" * 99}, "gw-1"),
            ({}, "gw-1"),
        ],
    )
    def test_is_the_caller_s_own_where_it_is_one(self, place, headers, found):
        context = place.invocation()
        assert Lines(place)(event=http(**headers), context=context)["correlation_id"] == found
        assert context.correlation_id == found

    def test_else_the_trace_s(self, place):
        place.world._environ["_X_AMZN_TRACE_ID"] = "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1"
        line = Lines(place)()
        assert line["correlation_id"] == line["trace_id"] == "1-5759e988-bd862e3fe1be46a994272793"

    def test_a_w3c_trace(self, place):
        event = http(traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
        assert Lines(place)(event=event)["trace_id"] == "0af7651916cd43dd8448eb211c80319c"

    def test_headers_of_one_s_own(self, place):
        log = Lines(place, correlation_headers=["x-job"])
        assert log(event=http_v1(x_job="7", x_request_id="r"))["correlation_id"] == "7"


class TestStreams:
    def read(self, place, function, upto=99):
        """The lines before and after the pieces of a function's result are read."""
        log = Lines(place, content=True)
        context = place.invocation()
        stream = place.invoke([log.layer], function, None, context)
        before = len(log.lines)
        for _, _ in zip(range(upto), stream, strict=False):
            context.completions.append(answer(usage=Usage(1, 1), cost_usd=0.0))
        stream.close()
        return before, log.lines

    def test_are_logged_when_they_have_ended(self):
        before, lines = self.read(Place(False), lambda event, context: iter(["Hel", "lo"]))
        assert before == 0
        assert (lines[0]["result"], lines[0]["model_calls"]) == ("Hello", 2)

    def test_that_break_are_errors(self):
        def pieces(event, context):
            yield "Hel"
            raise ProviderServerError("died")

        place, log = Place(False), Lines(Place(False))
        with pytest.raises(ProviderServerError):
            list(place.invoke([log.layer], pieces))
        assert [(line["message"], line["error_type"]) for line in log.lines] == [
            ("invocation failed", "ProviderServerError")
        ]

    def test_whose_reader_leaves_say_so(self):
        _, lines = self.read(Place(False), lambda event, context: iter("abc"), upto=1)
        assert (lines[0]["message"], lines[0]["reader_left"], lines[0]["result"]) == ("invocation completed", True, "a")

    def test_that_are_awaited(self):
        import asyncio

        async def pieces(event, context):
            for piece in ("Hel", "lo"):
                yield piece

        place = Place(True)
        log = Lines(place, content=True)

        async def read():
            context = place.invocation()
            await log.layer.before_invoke(None, context)
            stream = await log.layer.after_invoke(None, pieces(None, None), context)
            return [piece async for piece in stream]

        assert asyncio.run(read()) == ["Hel", "lo"]
        assert log.lines[0]["result"] == "Hello"


class TestWhere:
    def run(self, logger=None, environ=None, **options):
        place = Place(False, World(lambda effect: None, environ))
        place.invoke([LoggingMiddleware(logger, **options)], lambda event, context: {"statusCode": 200}, http())

    def test_standard_output_by_default(self, capsys):
        self.run(fields={"service": "shop"})
        line = json.loads(capsys.readouterr().out)
        assert (line["service"], line["status"]) == ("shop", 200)

    def test_halves_of_characters_are_escaped(self, capsysbinary):
        place = Place(False)
        place.invoke([LoggingMiddleware(content=True)], lambda event, context: None, {"text": "\ud800 é"})
        line = capsysbinary.readouterr().out
        assert json.loads(line)["event"] == {"text": "\ud800 é"}
        assert "é".encode() in line

    def logged(self, environ=None):
        told = []
        handler = logging.Handler()
        handler.emit = told.append
        logger = logging.Logger("app", logging.DEBUG)
        logger.addHandler(handler)
        self.run(logger, environ, fields={"name": "clash"})
        (record,) = told
        return record

    def test_a_logger_gets_a_line_of_json(self):
        record = self.logged()
        assert record.levelno == logging.INFO
        assert json.loads(record.getMessage())["request_id"] == "request-1"

    def test_and_fields_where_lambda_writes_json_itself(self):
        record = self.logged({"AWS_LAMBDA_LOG_FORMAT": "JSON"})
        assert record.getMessage() == "invocation completed"
        assert (record.request_id, record.status, record.name_) == ("request-1", 200, "clash")

    def test_powertools_gets_fields(self):
        from aws_lambda_powertools import Logger

        out = io.StringIO()
        self.run(Logger(service="of test_logging", stream=out))
        line = json.loads(out.getvalue())
        assert (line["message"], line["service"]) == ("invocation completed", "of test_logging")
        assert (line["request_id"], line["duration_ms"]) == ("request-1", 0.0)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((3,), {}, "logger is 3"),
        ((), {"content": "some"}, "content is 'some'"),
        ((), {"level": "LOUD"}, "level is 'LOUD'"),
    ],
)
def test_settings_that_make_no_sense_are_named(arguments, options, message):
    with pytest.raises(ConfigurationError, match=message):
        LoggingMiddleware(*arguments, **options)


def test_a_line_that_can_t_be_written_harms_no_invocation(caplog):
    from lambdallm import handler

    def broken(fields):
        raise OSError("disk full")

    circle = {}
    circle["self"] = circle
    assert handler(middleware=[LoggingMiddleware(broken)])(lambda event, context: 7)({}, None) == 7
    assert handler(middleware=[LoggingMiddleware(content=True)])(lambda event, context: 7)(circle, None) == 7
    assert "disk full" in caplog.text


def test_fields_can_be_added_by_a_subclass(place):
    class Own(LoggingMiddleware):
        def record(self, event, context, result, error):
            return super().record(event, context, result, error) | {"tenant": event["tenant"]}

    lines = []
    place.invoke([Own(lines.append)], lambda event, context: None, {"tenant": "a"})
    assert lines[0]["tenant"] == "a"


@pytest.mark.parametrize("content", [True, "redacted"])
def test_credentials_are_never_logged(place, content):
    lines = []
    event = {
        **http(authorization="Bearer opaque-1", x_api_key="opaque-1", cookie="sid=opaque-1", x_kept="seen"),
        "cookies": ["sid=opaque-1"],
        "multiValueHeaders": {"Authorization": ["Basic opaque-1"]},
        "identity": {"apiKey": "opaque-1", "user": None},
    }
    result = Response("hello", headers={"Set-Cookie": "sid=opaque-1"}, cookies=("sid=opaque-1",))
    place.invoke([LoggingMiddleware(lines.append, content=content)], lambda event, context: result, event)
    (line,) = lines
    assert "opaque-1" not in str(line)
    assert line["event"]["headers"]["x-kept"] == "seen"
    assert line["result"]["body"] == "hello"
