"""A request that comes again is answered by its first result: once, for its own caller, unless it failed."""

import datetime
import decimal
import enum
import uuid

import pytest

from lambdallm.llm.backends import BackendError
from lambdallm.llm.errors import ConfigurationError, UnauthorizedError
from lambdallm.llm.types import Usage
from lambdallm.middleware import (
    AuthMiddleware,
    ConflictError,
    IdempotencyMiddleware,
    InvalidEventError,
    KeyReusedError,
    Principal,
)
from lambdallm.middleware.idempotency_record import decoded, encoded
from lambdallm.middleware.idempotency_stores import MemoryRecords
from lambdallm.runtime.response import Response

from .worlds import SECONDS, http


class Function:
    """Counts its runs; gives each result in turn, and raises those that are errors."""

    def __init__(self, *results):
        self.results, self.runs = results or ({"statusCode": 201, "body": "made"},), 0

    def __call__(self, event, context):
        self.runs += 1
        result = self.results[min(self.runs, len(self.results)) - 1]
        if isinstance(result, Exception):
            raise result
        return result


def keyed(key="k1", body='{"n": 1}', **headers):
    return http(body=body, idempotency_key=key, **headers)


class TestOnce:
    def test_the_first_result_answers_the_next(self, place):
        layer, function = IdempotencyMiddleware(), Function()
        first = place.invoke([layer], function, keyed())
        context = place.invocation()
        assert place.invoke([layer], function, keyed(), context) == first
        assert function.runs == 1
        assert context.response_headers == {"Idempotency-Replayed": "true"}

    def test_another_key_is_another_request(self, place):
        layer, function = IdempotencyMiddleware(), Function()
        place.invoke([layer], function, keyed("a"))
        place.invoke([layer], function, keyed("b"))
        assert function.runs == 2

    def test_without_a_key_it_is_done_as_ever(self, place):
        layer, function = IdempotencyMiddleware(), Function()
        for _ in range(2):
            place.invoke([layer], function, http())
        assert function.runs == 2

    def test_or_refused(self, place):
        with pytest.raises(InvalidEventError, match="Idempotency-Key"):
            place.invoke([IdempotencyMiddleware(required=True)], Function(), http())

    def test_until_its_time_has_passed(self, place):
        layer, function = IdempotencyMiddleware(expires_after_seconds=60), Function()
        place.invoke([layer], function, keyed())
        place.world.pass_time(59)
        place.invoke([layer], function, keyed())
        place.world.pass_time(2)
        place.invoke([layer], function, keyed())
        assert function.runs == 2

    def test_another_caller_with_the_same_key_gets_nothing_of_the_first(self, place):
        layer, function = IdempotencyMiddleware(), Function()
        callers = [Principal("ada", "jwt", {"iss": issuer}) for issuer in ("us", "them", "us")]
        for caller in (*callers, Principal("eve"), Principal("ada", "api_key")):
            context = place.invocation()
            context.principal = caller
            place.invoke([layer], function, keyed(), context)
        assert function.runs == 4

    def test_functions_that_share_a_store_are_apart(self, place):
        store, function = MemoryRecords(), Function()
        place.invoke([IdempotencyMiddleware(store=store)], function, keyed())
        place.invoke([IdempotencyMiddleware(store=store, name="other")], function, keyed())
        assert function.runs == 2

    @pytest.mark.parametrize(
        "key", ["detail.order_id", ("source", "detail.order_id"), lambda event, _: event["detail"]]
    )
    def test_keys_of_other_events(self, place, key):
        layer, function = IdempotencyMiddleware(key), Function("done")
        for number in (1, 1, 2):
            event = {"source": "shop", "id": object(), "detail": {"order_id": number}}
            assert place.invoke([layer], function, event) == "done"
        assert function.runs == 2

    @pytest.mark.parametrize("name", ["authorization", "x_api_key"])
    def test_nor_does_one_whom_only_the_function_knows(self, place, name):
        layer, function = IdempotencyMiddleware(), Function("for ada", "for bob")
        assert [place.invoke([layer], function, keyed(**{name: who})) for who in "aba"] == [
            "for ada", "for bob", "for ada",
        ]  # fmt: skip

    def test_nor_does_one_who_was_recognised_without_a_name(self, place):
        layers = [AuthMiddleware(lambda token: token in ("ada", "bob")), IdempotencyMiddleware()]
        function = Function("for ada", "for bob")
        told = [place.invoke(layers, function, keyed(authorization=who)) for who in ("ada", "bob", "ada")]
        assert told == ["for ada", "for bob", "for ada"]

    def test_nor_does_one_without_credentials_where_the_layers_are_in_the_wrong_order(self, place):
        layers, function = [IdempotencyMiddleware(), AuthMiddleware(lambda token: token == "right")], Function("secret")
        assert place.invoke(layers, function, keyed(authorization="right")) == "secret"
        for headers in ({}, {"authorization": "wrong"}):
            with pytest.raises(UnauthorizedError):
                place.invoke(layers, function, keyed(**headers))


class TestPayload:
    @pytest.mark.parametrize(
        ("query", "first", "second"),
        [
            ("rawQueryString", "id=1", "id=2"),
            ("queryStringParameters", {"id": "1"}, {"id": "2"}),
            ("multiValueQueryStringParameters", {"id": ["1"]}, {"id": ["1", "2"]}),
        ],
    )
    def test_another_query_is_another_payload(self, place, query, first, second):
        layer = IdempotencyMiddleware()
        place.invoke([layer], Function(), {**keyed(), query: first})
        with pytest.raises(KeyReusedError):
            place.invoke([layer], Function(), {**keyed(), query: second})

    @pytest.mark.parametrize("change", [{"body": '{"n": 2}'}, {"path": "/other"}, {"method": "PUT"}])
    def test_the_same_key_for_another_request_is_refused(self, place, change):
        layer, function = IdempotencyMiddleware(), Function()
        place.invoke([layer], function, http(body='{"n": 1}', idempotency_key="k"))
        with pytest.raises(KeyReusedError) as caught:
            place.invoke([layer], function, http(**{"body": '{"n": 1}', "idempotency_key": "k", **change}))
        assert caught.value.http_status == 422

    def test_the_order_of_fields_does_not_matter(self, place):
        layer, function = IdempotencyMiddleware(), Function()
        place.invoke([layer], function, keyed(body='{"a": 1, "b": 2}'))
        place.invoke([layer], function, keyed(body='{"b":2,"a":1}'))
        assert function.runs == 1

    def test_a_body_that_is_no_json_is_compared_as_it_is(self, place):
        layer, function = IdempotencyMiddleware(), Function()
        place.invoke([layer], function, keyed(body="a=1"))
        with pytest.raises(KeyReusedError):
            place.invoke([layer], function, keyed(body="a=2"))

    def test_a_part_of_one_s_own(self, place):
        layer, function = IdempotencyMiddleware("id", payload="amount"), Function()
        place.invoke([layer], function, {"id": 1, "amount": 5, "sent": 1})
        place.invoke([layer], function, {"id": 1, "amount": 5, "sent": 2})
        with pytest.raises(KeyReusedError):
            place.invoke([layer], function, {"id": 1, "amount": 6})


class TestFailures:
    def test_a_run_that_fails_leaves_nothing(self, place):
        layer, function = IdempotencyMiddleware(), Function(ValueError("no"), "yes")
        with pytest.raises(ValueError, match="no"):
            place.invoke([layer], function, keyed())
        assert place.invoke([layer], function, keyed()) == "yes"

    @pytest.mark.parametrize("result", [{"statusCode": 503}, {"statusCode": 429}, Response("down", 500)])
    def test_a_response_that_says_later_leaves_nothing(self, place, result):
        layer, function = IdempotencyMiddleware(), Function(result, "yes")
        place.invoke([layer], function, keyed())
        assert place.invoke([layer], function, keyed()) == "yes"

    @pytest.mark.parametrize("result", [{"statusCode": 404}, Response("no", 400)])
    def test_a_refusal_is_a_result(self, place, result):
        layer, function = IdempotencyMiddleware(), Function(result, "never")
        assert [place.invoke([layer], function, keyed()) for _ in range(2)] == [result, result]

    def test_a_result_that_can_t_be_kept_leaves_nothing(self, place):
        layer, function = IdempotencyMiddleware(), Function(object())
        for _ in range(2):
            place.invoke([layer], function, keyed())
        assert function.runs == 2


class TestUnderWay:
    def interrupted(self, place, layer, **options):
        """A run that Lambda kills in the middle."""

        def function(event, context):
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            place.invoke([layer], function, keyed(), place.invocation(**options))

    def test_the_second_is_refused_while_the_first_is(self, place):
        layer, function = IdempotencyMiddleware(), Function()
        self.interrupted(place, layer)
        with pytest.raises(ConflictError, match="under way, for 30 s at most") as caught:
            place.invoke([layer], function, keyed())
        assert (caught.value.http_status, caught.value.retry_after, function.runs) == (409, 1.0, 0)

    def test_the_same_key_for_another_payload_is_told_as_that(self, place):
        layer = IdempotencyMiddleware()
        self.interrupted(place, layer)
        with pytest.raises(KeyReusedError):
            place.invoke([layer], Function(), keyed(body="{}"))

    def test_one_that_was_killed_is_in_nobody_s_way_after_lambda_s_limit(self, place):
        layer, function = IdempotencyMiddleware(), Function()
        self.interrupted(place, layer)
        place.world.pass_time(SECONDS + 1)
        place.invoke([layer], function, keyed())
        place.invoke([layer], function, keyed())
        assert function.runs == 1

    def test_without_a_limit_lambda_s_longest_counts(self, place):
        layer = IdempotencyMiddleware()
        self.interrupted(place, layer, remaining_ms=2**31 - 1)
        place.world.pass_time(899)
        with pytest.raises(ConflictError):
            place.invoke([layer], Function(), keyed())
        place.world.pass_time(2)
        place.invoke([layer], Function(), keyed())

    @pytest.mark.parametrize("late", ["late", ValueError("late")])
    def test_a_late_run_neither_finishes_nor_removes_the_record_of_who_took_its_place(self, place, late, caplog):
        layer = IdempotencyMiddleware()
        other = Function("second")

        def first(event, context):
            place.world.pass_time(SECONDS + 1)
            inner = place.invocation()
            run_inside(place, layer, other, inner)
            if isinstance(late, Exception):
                raise late
            return late

        try:
            place.invoke([layer], first, keyed())
        except ValueError:
            assert isinstance(late, ValueError)
        assert place.invoke([layer], Function("third"), keyed()) == "second"
        assert isinstance(late, Exception) or "another run took its place" in caplog.text

    def test_one_that_expires_before_it_is_done_is_still_kept(self, place):
        """The record of a long run must not be forgotten while it is under way."""
        layer = IdempotencyMiddleware(expires_after_seconds=1)

        def function(event, context):
            place.world.pass_time(5)
            with pytest.raises(ConflictError):
                run_inside(place, layer, Function(), place.invocation())
            return "done"

        assert place.invoke([layer], function, keyed()) == "done"


def run_inside(place, layer, function, context):
    """An invocation within another's function: in a thread, as another environment would be."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        pool.submit(place.invoke, [layer], function, keyed(), context).result()


class TestResults:
    @pytest.mark.parametrize(
        "result",
        [
            None,
            "text",
            3.5,
            [1, {"a": None}],
            b"\x00\xff",
            {"statusCode": 200, "body": b"image"},
            {"$bytes": "mine"},
            Response({"id": 7}, 201, {"Location": "/7"}, ("a=b",)),
            Response(b"image"),
        ],
    )
    def test_come_back_as_they_were(self, result):
        assert decoded(encoded(result, {"X-Id": "7"})) == (result, {"X-Id": "7"})

    def test_headers_that_were_added_within_come_back(self, place):
        def function(event, context):
            context.response_headers["Location"] = "/orders/7"

        layer, contexts = IdempotencyMiddleware(), [place.invocation() for _ in range(2)]
        for number, context in enumerate(contexts):
            context.response_headers["X-Outer"] = str(number)
            place.invoke([layer], function, keyed(), context)
        assert contexts[1].response_headers == {
            "X-Outer": "1",
            "Location": "/orders/7",
            "Idempotency-Replayed": "true",
        }

    def test_values_come_back_as_objects(self):
        assert decoded(encoded(Usage(1, 2), {}))[0]["output_tokens"] == 2

    def test_streams_are_kept_when_they_were_read(self):
        from .worlds import Place

        place, layer = Place(False), IdempotencyMiddleware()
        function = Function(iter(["Hel", "lo"]))
        stream = place.invoke([layer], function, keyed())
        with pytest.raises(ConflictError):
            place.invoke([layer], function, keyed())
        assert list(stream) == ["Hel", "lo"]
        assert list(place.invoke([layer], function, keyed())) == ["Hel", "lo"]

    def test_a_stream_that_was_left_leaves_nothing(self):
        from .worlds import Place

        place, layer = Place(False), IdempotencyMiddleware()
        stream = place.invoke([layer], Function(iter(["Hel", "lo"])), keyed())
        next(stream)
        stream.close()
        assert place.invoke([layer], Function("whole"), keyed()) == "whole"


class Mood(enum.Enum):
    GOOD = "good"


class TestResultsThatJsonHasNoWordsFor:
    def test_are_kept_as_responses_have_them(self, place):
        made = {
            "at": datetime.datetime(2030, 1, 2), "id": uuid.UUID(int=7),
            "sum": decimal.Decimal("1.5"), "mood": Mood.GOOD,
        }  # fmt: skip
        layer, function = IdempotencyMiddleware(), Function(made)
        assert place.invoke([layer], function, keyed()) == made
        assert place.invoke([layer], function, keyed()) == {
            "at": "2030-01-02T00:00:00", "id": "00000000-0000-0000-0000-000000000007", "sum": 1.5, "mood": "good",
        }  # fmt: skip
        assert function.runs == 1

    def test_the_log_says_what_is_not_kept(self, place, caplog):
        layer, function = IdempotencyMiddleware(), Function({"what": object()})
        for _ in range(2):
            place.invoke([layer], function, keyed())
        assert function.runs == 2
        assert "is no JSON, so it is not kept" in caplog.text


class TestCheckpoints:
    PAUSED = {"checkpoint": {"id": "c1"}}  # noqa: RUF012

    @pytest.mark.parametrize(
        "going_on",
        [keyed(x_lambdallm_checkpoint="c1"), keyed(body='{"n": 1, "checkpoint": {"id": "c1"}}')],
    )
    def test_going_on_from_one_is_another_request(self, place, going_on):
        layer, function = IdempotencyMiddleware(), Function(self.PAUSED, "done", "never")
        assert [place.invoke([layer], function, keyed()) for _ in range(2)] == [self.PAUSED, self.PAUSED]
        assert [place.invoke([layer], function, going_on) for _ in range(2)] == ["done", "done"]
        assert function.runs == 2


class Down:
    """A store that does not answer, or answers so often."""

    gives_flows = True

    def __init__(self, answers=0):
        self.inner, self.answers = MemoryRecords(), answers

    def _asked(self, operation, *arguments):
        yield from ()
        if self.answers <= 0:
            raise BackendError("It is down.")
        self.answers -= 1
        return (yield from operation(*arguments))

    def begin(self, key, record):
        return self._asked(self.inner.begin, key, record)

    def finish(self, key, record):
        return self._asked(self.inner.finish, key, record)

    def release(self, key, owner):
        return self._asked(self.inner.release, key, owner)


class TestOutages:
    def test_events_are_refused(self, place):
        function = Function()
        with pytest.raises(BackendError, match="down"):
            place.invoke([IdempotencyMiddleware(store=Down())], function, keyed())
        assert function.runs == 0

    def test_or_done_without_a_check(self, place, caplog):
        layer = IdempotencyMiddleware(store=Down(), on_backend_failure="open")
        assert place.invoke([layer], Function("done"), keyed()) == "done"
        assert "not known whether" in caplog.text

    def test_a_result_that_could_not_be_kept_still_answers(self, place, caplog):
        assert place.invoke([IdempotencyMiddleware(store=Down(1))], Function("done"), keyed()) == "done"
        assert "could not be kept" in caplog.text

    def test_the_function_s_own_error_is_what_its_caller_gets(self, place, caplog):
        with pytest.raises(ValueError, match="mine"):
            place.invoke([IdempotencyMiddleware(store=Down(1))], Function(ValueError("mine")), keyed())
        assert "stays claimed" in caplog.text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"expires_after_seconds": 0}, "expires_after_seconds is 0"),
        ({"on_backend_failure": "hope"}, "on_backend_failure is 'hope'"),
        ({"key": "cookie:x"}, "'cookie:x'"),
        ({"store": object()}, "keeps no idempotency records"),
    ],
)
def test_settings_that_make_no_sense_are_named(options, message):
    with pytest.raises(ConfigurationError, match=message):
        IdempotencyMiddleware(**options)


def test_memory_holds_no_more_than_it_should(place, monkeypatch):
    monkeypatch.setattr("lambdallm.middleware.idempotency_stores._MOST_RECORDS", 3)
    store = MemoryRecords()
    for number in range(9):
        place.invoke([IdempotencyMiddleware(store=store)], Function(), keyed(str(number)))
    assert len(store._records) == 3


def test_memory_forgets_what_has_expired(place):
    store = MemoryRecords()
    for number in range(9):
        layer = IdempotencyMiddleware(store=store, expires_after_seconds=10)
        place.invoke([layer], Function(), keyed(str(number)))
        place.world.pass_time(SECONDS)
    assert len(store._records) <= 2


def test_a_store_s_address_is_in_no_error():
    with pytest.raises(ConfigurationError) as caught:
        IdempotencyMiddleware(store="redis://user:password@cache")
    assert "password" not in str(caught.value)
