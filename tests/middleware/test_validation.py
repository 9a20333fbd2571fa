"""Events and results that have the form that was promised, and those that have not."""

from dataclasses import dataclass

import pytest

from lambdallm.llm.errors import ConfigurationError
from lambdallm.middleware import InvalidEventError, InvalidResultError, ValidationMiddleware
from lambdallm.runtime.response import Response

from .worlds import http


@dataclass
class Order:
    id: int
    tags: list[str]


def given(event, context):
    return context.validated


class TestEvents:
    @pytest.mark.parametrize(
        "form",
        [
            {"id": int, "tags": [str]},
            {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id", "tags"]},
        ],
    )
    def test_the_body_of_a_request(self, place, form):
        event = http(body='{"id": 1, "tags": ["a"]}')
        assert place.invoke([ValidationMiddleware(form)], given, event) == {"id": 1, "tags": ["a"]}

    def test_as_an_instance(self, place):
        assert place.invoke([ValidationMiddleware(Order)], given, http(body='{"id": 1, "tags": []}')) == Order(1, [])

    def test_the_whole_of_any_other_event(self, place):
        assert place.invoke([ValidationMiddleware(Order)], given, {"id": 1, "tags": []}) == Order(1, [])

    def test_every_problem_is_named_with_its_path(self, place):
        with pytest.raises(InvalidEventError) as caught:
            place.invoke([ValidationMiddleware(Order)], given, http(body='{"id": "x", "tags": [1]}'))
        assert caught.value.http_status == 400
        assert caught.value.problems == ("$.id: expected integer, got 'x'", "$.tags[0]: expected string, got 1")

    @pytest.mark.parametrize("body", [None, "", "{", "[]", '"text"'])
    def test_bodies_that_are_none(self, place, body):
        with pytest.raises(ValueError) as caught:
            place.invoke([ValidationMiddleware({"id": int})], given, http(body=body))
        assert caught.value.http_status == 400

    def test_the_whole_event(self, place):
        layer = ValidationMiddleware(event={"type": "object", "required": ["requestContext"]})
        place.invoke([layer], lambda event, context: None, http())
        with pytest.raises(InvalidEventError, match="The event does not fit"):
            place.invoke([layer], lambda event, context: None, {"detail": 3})


class TestResults:
    @pytest.mark.parametrize(
        "result",
        [
            {"total": 1.5},
            {"statusCode": 200, "body": '{"total": 2}'},
            {"statusCode": 200, "body": {"total": 2}},
            Response({"total": 3}),
        ],
    )
    def test_that_fit(self, place, result):
        assert place.invoke([ValidationMiddleware(result={"total": float})], lambda event, context: result) == result

    @pytest.mark.parametrize(
        "result", [{"total": "1"}, {}, "text", {"statusCode": 200, "body": "{"}, Response(None), object()]
    )
    def test_that_do_not(self, place, result):
        with pytest.raises(InvalidResultError) as caught:
            place.invoke([ValidationMiddleware(result={"total": float})], lambda event, context: result)
        assert caught.value.http_status == 500

    def test_values_are_checked_as_their_json(self, place):
        layer = ValidationMiddleware(result={"id": int, "tags": [str]})
        assert place.invoke([layer], lambda event, context: Order(1, ["a"])) == Order(1, ["a"])

    def test_streams_are_not_checked(self, place):
        result = place.invoke([ValidationMiddleware(result={"total": float})], lambda event, context: iter("ab"))
        assert "".join(result) == "ab"


def test_nothing_to_check_is_a_mistake():
    with pytest.raises(ConfigurationError, match="nothing to check"):
        ValidationMiddleware()
