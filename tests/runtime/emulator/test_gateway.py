"""API Gateway in front of functions: routes, both payload formats, what answers mean, limits, and streams of REST."""

import http.client
import json
import threading
from contextlib import contextmanager

import pytest

from events import event as fixture
from fake_engine import FakeEmulator, failing, streaming
from lambdallm.runtime.emulator.errors import TooManyRequestsError
from lambdallm.runtime.emulator.gateway import GatewayFront, HttpApi, RestApi
from lambdallm.runtime.emulator.limits import Limits
from lambdallm.runtime.emulator.listener import Listener
from lambdallm.runtime.emulator.routes import Route
from lambdallm.runtime.events import kind_of

PROXY = {"ANY /{proxy+}": "app", "ANY /": "app"}


def fine(*_):
    return b'{"statusCode": 200, "body": "fine"}'


def busy(*_):
    raise TooManyRequestsError("Rate Exceeded.")


def ask(listener, method="GET", target="/", body=None, headers=()):
    connection = http.client.HTTPConnection(listener.host, listener.port, timeout=20)
    try:
        connection.request(method, target, body, dict(headers))
        response = connection.getresponse()
        return response, response.read()
    finally:
        connection.close()


@contextmanager
def serving(api, function=fine, limits=None, **options):
    emulator = FakeEmulator(limits, app=function, other=function)
    with Listener(GatewayFront(emulator, api, **options)) as listener:
        yield listener, emulator


def sent(emulator):
    return json.loads(emulator.calls[-1][1])


TABLE = {
    "GET /things": "app",
    "GET /things/{id}": "app",
    "GET /things/special": "other",
    "ANY /things/{proxy+}": "other",
    "POST /things/{id}": "app:live",
}


class TestRoutes:
    @pytest.mark.parametrize(
        ("method", "path", "function", "resource", "parameters"),
        [
            ("GET", "/things", "app", "/things", None),
            ("GET", "/things/7", "app", "/things/{id}", {"id": "7"}),
            ("GET", "/things/special", "other", "/things/special", None),
            ("GET", "/things/7/parts", "other", "/things/{proxy+}", {"proxy": "7/parts"}),
            ("PUT", "/things/7", "other", "/things/{proxy+}", {"proxy": "7"}),
            ("POST", "/things/7", "app", "/things/{id}", {"id": "7"}),
        ],
    )
    def test_the_most_specific_one_wins(self, method, path, function, resource, parameters):
        with serving(RestApi(TABLE)) as (listener, emulator):
            assert ask(listener, method, path)[0].status == 200
        assert emulator.calls[0][0] == function
        assert emulator.calls[0][2] == ("live" if method == "POST" else None)
        assert (sent(emulator)["resource"], sent(emulator)["pathParameters"]) == (resource, parameters)

    def test_nothing_there(self):
        with serving(RestApi(TABLE)) as (listener, _):
            response, body = ask(listener, "GET", "/none")
            assert (response.status, json.loads(body)) == (403, {"message": "Missing Authentication Token"})
            assert response.getheader("x-amzn-ErrorType") == "MissingAuthenticationTokenException"
        with serving(HttpApi(TABLE)) as (listener, _):
            response, body = ask(listener, "GET", "/none")
            assert (response.status, json.loads(body)) == (404, {"message": "Not Found"})

    def test_a_default_takes_what_is_left(self):
        with serving(HttpApi({"GET /a": "other", "$default": "app"})) as (listener, emulator):
            ask(listener, "DELETE", "/any/thing")
            assert (emulator.calls[0][0], sent(emulator)["routeKey"]) == ("app", "$default")
            ask(listener, "GET", "/a")
            assert (emulator.calls[1][0], sent(emulator)["routeKey"]) == ("other", "GET /a")

    @pytest.mark.parametrize("key", ["/things", "GET things", "FETCH /things", ""])
    def test_a_route_that_is_none_is_refused(self, key):
        with pytest.raises(ValueError, match="is no route"):
            GatewayFront(FakeEmulator(), RestApi({key: "app"}))


class TestRestEvents:
    def test_an_event_has_the_fields_of_the_documented_one(self):
        with serving(RestApi(PROXY), clock=lambda: 1_583_348_638.39) as (listener, emulator):
            ask(listener, "POST", "/things/7%20?q=a%20b&tag=x&tag=y", "{}", {"X-Tag": "one", "user-agent": "t"})
        event = sent(emulator)
        assert kind_of(event) == "api_gateway_v1"
        assert set(fixture("api_gateway_v1")) == set(event)
        assert (event["path"], event["httpMethod"], event["resource"]) == ("/things/7%20", "POST", "/{proxy+}")
        assert event["queryStringParameters"] == {"q": "a b", "tag": "y"}
        assert event["multiValueQueryStringParameters"] == {"q": ["a b"], "tag": ["x", "y"]}
        assert event["pathParameters"] == {"proxy": "things/7%20"}
        assert (event["headers"]["X-Tag"], event["multiValueHeaders"]["X-Tag"]) == ("one", ["one"])
        assert event["headers"]["User-Agent"] == "t"
        assert (event["body"], event["isBase64Encoded"], event["stageVariables"]) == ("{}", False, None)
        context = event["requestContext"]
        assert set(fixture("api_gateway_v1")["requestContext"]) - {"authorizer"} <= set(context)
        assert (context["stage"], context["accountId"], context["httpMethod"]) == ("prod", "123456789012", "POST")
        assert context["requestTime"] == "04/Mar/2020:19:03:58 +0000"
        assert context["domainName"] == "a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com"
        assert context["identity"]["sourceIp"] == "127.0.0.1"

    def test_what_is_not_there_is_null(self):
        with serving(RestApi(PROXY)) as (listener, emulator):
            ask(listener)
        event = sent(emulator)
        names = ("body", "queryStringParameters", "multiValueQueryStringParameters", "pathParameters", "stageVariables")
        assert [event[name] for name in names] == [None] * 5

    def test_the_stage_may_be_in_the_path(self):
        api = RestApi(PROXY, stage="dev", stage_in_path=True, stage_variables={"a": "b"})
        with serving(api) as (listener, emulator):
            ask(listener, "GET", "/dev/things")
        event = sent(emulator)
        assert (event["path"], event["requestContext"]["path"]) == ("/things", "/dev/things")
        assert event["stageVariables"] == {"a": "b"}

    def test_bodies_are_text_unless_their_type_is_named_binary(self):
        with serving(RestApi(PROXY, binary_types=("image/*",))) as (listener, emulator):
            ask(listener, "POST", "/", b"\x00\xff", {"Content-Type": "image/png"})
            assert (sent(emulator)["body"], sent(emulator)["isBase64Encoded"]) == ("AP8=", True)
            ask(listener, "POST", "/", b"\xff", {"Content-Type": "application/pdf"})
            assert (sent(emulator)["body"], sent(emulator)["isBase64Encoded"]) == ("\ufffd", False)


class TestHttpEvents:
    def test_format_2_has_the_fields_of_the_documented_one(self):
        with serving(HttpApi({"POST /things/{id}": "app"})) as (listener, emulator):
            headers = {"Cookie": "a=b; c=d", "Content-Type": "application/json", "X-Tag": "one"}
            ask(listener, "POST", "/things/7%2F8?q=a%20b&tag=x&tag=y", '{"ü": 1}'.encode(), headers)
        event = sent(emulator)
        assert kind_of(event) == "api_gateway_v2"
        assert set(fixture("api_gateway_v2")) == set(event)
        assert set(fixture("api_gateway_v2")["requestContext"]) == set(event["requestContext"])
        assert (event["routeKey"], event["rawQueryString"]) == ("POST /things/{id}", "q=a%20b&tag=x&tag=y")
        assert event["queryStringParameters"] == {"q": "a b", "tag": "x,y"}
        assert (event["cookies"], "cookie" in event["headers"]) == (["a=b", "c=d"], False)
        assert (event["body"], event["isBase64Encoded"]) == ('{"ü": 1}', False)
        assert event["requestContext"]["accountId"] == "123456789012"

    def test_an_http_api_decodes_the_path(self):
        """Unlike a REST API and a function URL: seen on AWS."""
        with serving(HttpApi({"$default": "app"})) as (listener, emulator):
            ask(listener, "GET", "/a%20b")
        assert (sent(emulator)["rawPath"], sent(emulator)["requestContext"]["http"]["path"]) == ("/a b", "/a b")

    def test_a_named_stage_stays_in_the_path_of_the_event(self):
        api = HttpApi({"GET /things/{id}": "app"}, stage="dev", stage_in_path=True, stage_variables={"a": "b"})
        with serving(api) as (listener, emulator):
            assert ask(listener, "GET", "/dev/things/7")[0].status == 200
        event = sent(emulator)
        assert (event["rawPath"], event["pathParameters"]) == ("/dev/things/7", {"id": "7"})
        assert (event["requestContext"]["stage"], event["stageVariables"]) == ("dev", {"a": "b"})

    def test_format_1(self):
        with serving(HttpApi({"ANY /{proxy+}": "app"}, payload_format="1.0")) as (listener, emulator):
            ask(listener, "GET", "/a%20b", headers={"Cookie": "a=b"})
        event = sent(emulator)
        assert (kind_of(event), event["version"], event["path"]) == ("api_gateway_v1", "1.0", "/a b")
        assert event["headers"]["Cookie"] == "a=b"
        assert event["pathParameters"] == {"proxy": "a b"}


class TestRestAnswers:
    def answered(self, result, headers=(), **settings):
        payload = result if isinstance(result, bytes) else json.dumps(result).encode()
        with serving(RestApi(PROXY, **settings), lambda *_: payload) as (listener, _):
            return ask(listener, headers=headers)

    def test_headers_of_both_kinds_are_united(self):
        response, body = self.answered({
            "statusCode": "201",
            "headers": {"X-A": "1", "X-B": True},
            "multiValueHeaders": {"X-A": ["1", "2"], "Set-Cookie": ["a=b", "c=d"]},
            "body": "x",
        })  # fmt: skip
        assert (response.status, body) == (201, b"x")
        assert response.headers.get_all("X-A") == ["1", "2"]
        assert response.headers.get_all("Set-Cookie") == ["a=b", "c=d"]
        assert (response.getheader("X-B"), response.getheader("Content-Type")) == ("true", "application/json")

    @pytest.mark.parametrize(
        "result",
        [
            {"statusCode": 200, "body": "", "cookies": ["a=b"]},
            {"statusCode": 200, "body": {"a": 1}},
            {"statusCode": 200, "headers": {"X-A": 1}},
            {"statusCode": "many"},
            {"hello": "world"},
            ["a"],
            b"no json",
        ],
    )
    def test_what_is_malformed_is_a_bad_gateway(self, result):
        response, body = self.answered(result)
        assert (response.status, json.loads(body)) == (502, {"message": "Internal server error"})

    def test_base64_is_decoded_for_those_who_accept_a_binary_type(self):
        result = {"statusCode": 200, "body": "AP8=", "isBase64Encoded": True}
        assert self.answered(result)[1] == b"AP8="
        assert self.answered(result, {"Accept": "image/png"}, binary_types=("image/png",))[1] == b"\x00\xff"
        assert self.answered(result, {"Accept": "text/html"}, binary_types=("image/png",))[1] == b"AP8="
        assert self.answered(result, binary_types=("*/*",))[1] == b"\x00\xff"


class TestHttpAnswers:
    def test_format_2_takes_anything(self):
        with serving(HttpApi({"$default": "app"}), lambda *_: b'{"hello": "world"}') as (listener, _):
            assert ask(listener)[1] == b'{"hello":"world"}'

    def test_text_is_the_type_of_what_names_none(self):
        with serving(HttpApi({"$default": "app"})) as (listener, _):
            assert ask(listener)[0].getheader("Content-Type") == "text/plain; charset=utf-8"

    def test_format_1_needs_a_status(self):
        with serving(HttpApi({"$default": "app"}, payload_format="1.0"), lambda *_: b'{"a": 1}') as (listener, _):
            assert ask(listener)[0].status == 500


class TestFailures:
    @pytest.mark.parametrize(
        ("function", "rest", "http_api"),
        [
            (failing(), (502, "Internal server error"), (500, "Internal Server Error")),
            (failing(kind="Sandbox.Timedout"), (502, "Internal server error"), (500, "Internal Server Error")),
            (busy, (500, "Internal server error"), (503, "Service Unavailable")),
        ],
    )
    def test_each_api_has_its_own_words(self, function, rest, http_api):
        for api, expected in ((RestApi(PROXY), rest), (HttpApi(PROXY), http_api)):
            with serving(api, function) as (listener, _):
                response, body = ask(listener)
            assert (response.status, json.loads(body)["message"]) == expected

    @pytest.mark.parametrize(
        ("api", "status", "said"),
        [
            (RestApi(PROXY, timeout_seconds=0.05), 504, "Endpoint request timed out"),
            (HttpApi(PROXY, timeout_seconds=0.05), 503, "Service Unavailable"),
        ],
    )
    def test_an_api_waits_no_longer_than_its_limit(self, api, status, said):
        answers = []

        def silent(_payload, answer):
            answers.append(answer)

        with serving(api, silent) as (listener, _):
            response, body = ask(listener)
            assert (response.status, json.loads(body)["message"]) == (status, said)
            answers[0].over()

    def test_bodies_have_two_limits(self):
        """That of the API, and that of Lambda for the event."""
        with serving(RestApi(PROXY, body_bytes=3000), limits=Limits(sync_bytes=2000)) as (listener, emulator):
            response, body = ask(listener, "POST", "/", "x" * 4000)
            assert (response.status, json.loads(body)["message"].startswith("HTTP content length")) == (413, True)
            assert emulator.calls == []

    def test_a_body_that_is_not_kept_is_never_half_an_event(self, monkeypatch):
        monkeypatch.setattr("lambdallm.runtime.emulator.listener.KEPT_BYTES", 1000)
        with serving(RestApi(PROXY)) as (listener, emulator):
            assert ask(listener, "POST", "/", "x" * 2000)[0].status == 413
            assert emulator.calls == []


class TestStreams:
    API = RestApi({"GET /chat": Route("", "app", streams=True), "GET /whole": "app"})

    def test_the_first_piece_arrives_before_the_second_is_made(self):
        answers = []

        def slow(_payload, answer):
            answer.streams()
            for piece in (b'{"statusCode": 201, "multiValueHeaders": {"X-A": ["1", "2"]}}', b"\0" * 8, b"one"):
                answer.put(piece)
            answers.append(answer)

        with serving(self.API, slow) as (listener, emulator):
            connection = http.client.HTTPConnection(listener.host, listener.port, timeout=20)
            connection.request("GET", "/chat")
            response = connection.getresponse()
            assert (response.status, response.headers.get_all("X-A")) == (201, ["1", "2"])
            assert response.read1() == b"one"
            answers[0].put(b"two")
            answers[0].over()
            assert response.read() == b"two"
            connection.close()
        assert emulator.calls[0][4] is True

    @pytest.mark.parametrize(
        "function",
        [fine, streaming(b"body", prelude=b"no json"), streaming(b"body", prelude=b'{"isBase64Encoded": 0}')],
    )
    def test_what_has_not_the_metadata_is_an_error(self, function):
        """The documented 500, of a function that answers in the format of another integration too."""
        with serving(self.API, function) as (listener, _):
            response, body = ask(listener, "GET", "/chat")
        assert (response.status, json.loads(body)) == (500, {"message": "Internal server error"})

    def test_a_failure_before_the_metadata(self):
        with serving(self.API, failing()) as (listener, _):
            assert ask(listener, "GET", "/chat")[0].status == 502

    def test_a_streaming_function_where_the_route_does_not_stream_has_no_body(self):
        """As documented: headers and status come, the body does not."""
        with serving(self.API, streaming(b"body", prelude=b'{"statusCode": 201}')) as (listener, _):
            response, body = ask(listener, "GET", "/whole")
        assert (response.status, body) == (201, b"")
        with serving(HttpApi({"$default": "app"}), streaming(b"body")) as (listener, _):
            assert ask(listener)[0].status == 500

    def test_a_route_that_does_not_stream_asks_for_no_stream(self):
        with serving(self.API) as (listener, emulator):
            assert ask(listener, "GET", "/whole")[1] == b"fine"
        assert emulator.calls[0][4] is False

    def test_an_http_api_never_streams(self):
        with serving(HttpApi({"GET /chat": Route("", "app", streams=True)})) as (listener, emulator):
            assert ask(listener, "GET", "/chat")[1] == b"fine"
        assert emulator.calls[0][4] is False

    @pytest.mark.parametrize("limit", [{"idle_seconds": 0.1}, {"stream_seconds": 0.2}])
    def test_a_stream_that_says_nothing_for_too_long_is_cut(self, limit):
        def stuck(_payload, answer):
            answer.streams()
            for piece in (b"{}", b"\0" * 8, b"half"):
                answer.put(piece)

        with serving(self.API.replace(**limit), stuck) as (listener, _):
            with pytest.raises(http.client.IncompleteRead) as caught:
                ask(listener, "GET", "/chat")
            assert caught.value.partial == b"half"

    def test_a_whole_stream_is_not_cut(self):
        with serving(self.API, streaming(*[b"x" * 1000] * 500)) as (listener, _):
            assert len(ask(listener, "GET", "/chat")[1]) == 500_000


def test_invocations_are_told_of():
    told = threading.Event()
    with serving(RestApi(PROXY), on_answer=lambda request, answer: told.set()) as (listener, _):
        ask(listener)
    assert told.is_set()
