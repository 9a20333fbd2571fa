"""Which pages may call, by the Fetch standard."""

import re

import pytest

from lambdallm.llm.errors import ConfigurationError
from lambdallm.middleware import CorsMiddleware

from .worlds import http, http_v1

PAGE = "https://app.example.com"
LISTED = [PAGE, re.compile(r"https://pr-\d+\.example\.com")]


def answered(place, layer, event):
    """The result of an event, the headers that are sent with it, and whether the function ran."""
    ran, context = [], place.invocation()
    result = place.invoke([layer], lambda event, context: ran.append(1) or "result", event, context)
    return result, context.response_headers, bool(ran)


def preflight(origin=PAGE, shape=http, **headers):
    return shape("OPTIONS", origin=origin, access_control_request_method="PUT", **headers)


class TestRequests:
    def test_any_page(self, place):
        assert answered(place, CorsMiddleware(), http(origin=PAGE))[1] == {"Access-Control-Allow-Origin": "*"}

    @pytest.mark.parametrize("origin", [PAGE, "https://pr-12.example.com"])
    def test_a_page_that_is_listed(self, place, origin):
        _, headers, ran = answered(place, CorsMiddleware(LISTED), http(Origin=origin))
        assert headers == {"Vary": "Origin", "Access-Control-Allow-Origin": origin}
        assert ran

    @pytest.mark.parametrize(
        "origin",
        [
            "https://evil.example",
            f"{PAGE}.evil.example",
            "http://app.example.com",
            f"{PAGE}:8443",
            "https://pr-12.example.com.evil.example",
            "https://pr-x.example.com",
            "null",
            "",
        ],
    )
    def test_a_page_that_is_not_reads_nothing_and_the_function_runs(self, place, origin):
        _, headers, ran = answered(place, CorsMiddleware(LISTED), http(origin=origin))
        assert headers == {"Vary": "Origin"}
        assert ran

    def test_without_an_origin_caches_are_still_told(self, place):
        assert answered(place, CorsMiddleware(PAGE), http())[1] == {"Vary": "Origin"}
        assert answered(place, CorsMiddleware(), http())[1] == {}

    def test_credentials_and_headers_to_read(self, place):
        layer = CorsMiddleware(PAGE, credentials=True, expose=["X-Total", "X-Page"])
        assert answered(place, layer, http(origin=PAGE))[1] == {
            "Vary": "Origin",
            "Access-Control-Allow-Origin": PAGE,
            "Access-Control-Allow-Credentials": "true",
            "Access-Control-Expose-Headers": "X-Total, X-Page",
        }

    def test_an_error_can_be_read_too(self, place):
        def fails(event, context):
            raise KeyError("x")

        context = place.invocation()
        with pytest.raises(KeyError):
            place.invoke([CorsMiddleware()], fails, http(origin=PAGE), context)
        assert context.response_headers["Access-Control-Allow-Origin"] == "*"

    def test_what_varies_already_is_kept(self, place):
        context = place.invocation()
        context.response_headers["Vary"] = "Accept"
        place.invoke([CorsMiddleware(PAGE)], lambda event, context: None, http(), context)
        assert context.response_headers["Vary"] == "Accept, Origin"

    @pytest.mark.parametrize("event", [{"Records": []}, {}, None])
    def test_other_events_are_left_alone(self, place, event):
        assert answered(place, CorsMiddleware(PAGE), event) == ("result", {}, True)


class TestPreflight:
    @pytest.mark.parametrize("shape", [http, http_v1])
    def test_is_answered_without_the_function(self, place, shape):
        event = preflight(shape=shape, access_control_request_headers="x-api-key, content-type")
        result, headers, ran = answered(place, CorsMiddleware(LISTED, credentials=True, max_age=60), event)
        assert (result, ran) == ({"statusCode": 204, "body": ""}, False)
        assert headers == {
            "Vary": "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
            "Access-Control-Allow-Origin": PAGE,
            "Access-Control-Allow-Credentials": "true",
            "Access-Control-Allow-Headers": "x-api-key, content-type",
            "Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
            "Access-Control-Max-Age": "60",
        }

    def test_of_a_page_that_is_not_listed_allows_nothing(self, place):
        result, headers, ran = answered(place, CorsMiddleware(PAGE), preflight("https://evil.example"))
        assert (result["statusCode"], ran) == (204, False)
        assert headers.keys() == {"Vary"}

    def test_headers_and_methods_that_are_listed(self, place):
        layer = CorsMiddleware(headers=["X-Api-Key"], methods=["GET"])
        _, headers, _ = answered(place, layer, preflight(access_control_request_headers="x-other"))
        assert headers["Access-Control-Allow-Headers"] == "X-Api-Key"
        assert headers["Access-Control-Allow-Methods"] == "GET"

    @pytest.mark.parametrize("event", [http("OPTIONS"), http("OPTIONS", origin=PAGE)])
    def test_another_request_for_options_is_the_function_s(self, place, event):
        assert answered(place, CorsMiddleware(), event)[2]


@pytest.mark.parametrize("origin", ["app.example.com", f"{PAGE}/", "https://App.example.com", "https://", ""])
def test_an_origin_that_would_never_fit_is_named(origin):
    with pytest.raises(ConfigurationError, match="is no origin"):
        CorsMiddleware([origin])


def test_every_page_with_credentials_is_refused():
    with pytest.raises(ConfigurationError, match="credentials"):
        CorsMiddleware(credentials=True)


def test_the_origin_of_any_frame_with_credentials_is_refused():
    with pytest.raises(ConfigurationError, match="'null'"):
        CorsMiddleware(["null", PAGE], credentials=True)


def test_what_is_neither_text_nor_a_pattern_is_named():
    with pytest.raises(ConfigurationError, match="3 is no origin"):
        CorsMiddleware([3])
