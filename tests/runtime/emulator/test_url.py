"""A function URL over a real socket: events as AWS makes them, answers as AWS reads them, streams piece by piece."""

import http.client
import json
import socket
from contextlib import contextmanager

import pytest

from fake_engine import FakeEmulator, failing, streaming
from lambdallm.runtime.emulator.account import Account
from lambdallm.runtime.emulator.aliases import Alias
from lambdallm.runtime.emulator.cors import Cors
from lambdallm.runtime.emulator.errors import TooManyRequestsError
from lambdallm.runtime.emulator.limits import Limits
from lambdallm.runtime.emulator.listener import Listener
from lambdallm.runtime.emulator.replies import PRELUDE_TYPE
from lambdallm.runtime.emulator.url import UrlFront
from lambdallm.runtime.events import kind_of


def echo(payload, _answer):
    return json.dumps({"statusCode": 200, "body": payload.decode()}).encode()


@contextmanager
def serving(function, limits=None, **options):
    emulator = FakeEmulator(limits, app=function)
    with Listener(UrlFront(emulator, "app", **options)) as listener:
        yield Client(listener, emulator)


class Client:
    def __init__(self, listener, emulator):
        self.listener, self.emulator = listener, emulator

    def ask(self, method="GET", target="/", body=None, headers=(), **options):
        connection = http.client.HTTPConnection(self.listener.host, self.listener.port, timeout=20)
        try:
            connection.request(method, target, body, dict(headers), **options)
            response = connection.getresponse()
            return response, response.read()
        finally:
            connection.close()

    def raw(self, data):
        """All that comes back for bytes, until the connection ends."""
        with socket.create_connection((self.listener.host, self.listener.port), timeout=20) as connection:
            connection.sendall(data)
            return b"".join(iter(lambda: connection.recv(65536), b""))

    @property
    def event(self):
        return json.loads(self.emulator.calls[-1][1])


class TestEvents:
    def test_a_request_is_an_event_of_a_function_url(self):
        with serving(echo, clock=lambda: 1_583_348_638.39) as client:
            response, body = client.ask(target="/a/b%20c?x=1&x=2&y=%C3%A9&z=", headers={"X-A": "1", "User-Agent": "t"})
        event = json.loads(body)
        assert response.status == 200
        assert kind_of(event) == "function_url"
        assert list(event) == [
            "version", "routeKey", "rawPath", "rawQueryString", "headers", "queryStringParameters", "requestContext",
            "isBase64Encoded",
        ]  # fmt: skip
        assert (event["rawPath"], event["rawQueryString"]) == ("/a/b%20c", "x=1&x=2&y=%C3%A9&z=")
        assert event["queryStringParameters"] == {"x": "1,2", "y": "é", "z": ""}
        context = event["requestContext"]
        assert context["domainName"].endswith(".lambda-url.eu-west-1.on.aws")
        assert context["apiId"] == context["domainPrefix"]
        assert (context["accountId"], context["stage"], context["routeKey"]) == ("anonymous", "$default", "$default")
        assert (context["time"], context["timeEpoch"]) == ("04/Mar/2020:19:03:58 +0000", 1_583_348_638_390)
        assert context["http"] == {
            "method": "GET", "path": "/a/b%20c", "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "t",
        }  # fmt: skip
        assert event["headers"]["x-a"] == "1"
        assert event["headers"]["x-forwarded-for"] == "127.0.0.1"
        assert event["headers"]["x-amzn-trace-id"].startswith("Root=1-5e5ffb9e-")

    def test_the_answer_carries_the_id_of_the_invocation_and_the_trace(self):
        with serving(echo) as client:
            response, body = client.ask(headers={"X-Amzn-Trace-Id": "Root=1-a-b"})
        assert response.getheader("x-amzn-RequestId").startswith("00000000-")
        assert response.getheader("X-Amzn-Trace-Id") == "Root=1-a-b"
        assert json.loads(body)["headers"]["x-amzn-trace-id"] == "Root=1-a-b"

    def test_cookies_are_a_list_and_stay_a_header(self):
        """Unlike behind an HTTP API, which takes the header away."""
        with serving(echo) as client:
            client.ask(headers={"Cookie": 'seen=yes; theme="dark"'})
        assert client.event["cookies"] == ["seen=yes", 'theme="dark"']
        assert client.event["headers"]["cookie"] == 'seen=yes; theme="dark"'

    @pytest.mark.parametrize("kind", ["application/json", "text/plain; charset=utf-8", "application/problem+json"])
    def test_a_body_of_text_stays_text(self, kind):
        with serving(echo) as client:
            client.ask("POST", "/", "é".encode(), {"Content-Type": kind})
        assert (client.event["body"], client.event["isBase64Encoded"]) == ("é", False)

    @pytest.mark.parametrize("kind", ["image/png", "application/x-www-form-urlencoded", ""])
    def test_any_other_body_is_base64(self, kind):
        with serving(echo) as client:
            client.ask("POST", "/", b"\x00\xff", {"Content-Type": kind} if kind else {})
        assert (client.event["body"], client.event["isBase64Encoded"]) == ("AP8=", True)

    def test_text_that_is_no_utf8_is_base64(self):
        with serving(echo) as client:
            client.ask("POST", "/", b"\xff", {"Content-Type": "text/plain"})
        assert client.event["isBase64Encoded"] is True

    def test_a_body_in_chunks_is_read(self):
        with serving(echo) as client:
            client.ask("POST", "/", iter([b"one", b"two"]), {"Content-Type": "text/plain"}, encode_chunked=True)
        assert client.event["body"] == "onetwo"
        assert "transfer-encoding" not in client.event["headers"]

    @pytest.mark.parametrize("method", ["PROPFIND", "DELETE", "OPTIONS"])
    def test_any_method_goes_through(self, method):
        with serving(echo) as client:
            assert client.ask(method)[0].status == 200
        assert client.event["requestContext"]["http"]["method"] == method


class TestBufferedAnswers:
    @pytest.mark.parametrize(
        ("payload", "body"),
        [
            (b'{"hello": "world"}', b'{"hello":"world"}'),
            (b'["hello", 3, true]', b'["hello",3,true]'),
            (b'"hello"', b"hello"),
            (b"3.1", b"3.1"),
            (b"null", b"null"),
            (b"no json", b"no json"),
        ],
    )
    def test_a_result_without_a_status_is_the_body(self, payload, body):
        """A text comes without its quotes, and JSON without spaces: seen on AWS."""
        with serving(lambda *_: payload) as client:
            response, got = client.ask()
        assert (response.status, response.getheader("Content-Type"), got) == (200, "application/json", body)

    def test_a_whole_response(self):
        result = {
            "statusCode": 201,
            "headers": {"X-A": 1, "Content-Length": "99"},
            "body": "<p>",
            "cookies": ["a=1", "b=2"],
        }
        with serving(lambda *_: json.dumps(result).encode()) as client:
            response, body = client.ask()
        assert (response.status, body, response.getheader("X-A")) == (201, b"<p>", "1")
        assert response.headers.get_all("Set-Cookie") == ["a=1", "b=2"]
        assert response.getheader("Content-Length") == "3"

    def test_base64_is_decoded(self):
        with serving(lambda *_: b'{"statusCode": 200, "body": "AP8=", "isBase64Encoded": true}') as client:
            assert client.ask()[1] == b"\x00\xff"

    def test_head_has_the_head_alone(self):
        with serving(lambda *_: b'{"statusCode": 200, "body": "four"}') as client:
            response, body = client.ask("HEAD")
        assert (response.getheader("Content-Length"), body) == ("4", b"")

    def test_no_content_has_no_length(self):
        with serving(lambda *_: b'{"statusCode": 204}') as client:
            response, body = client.ask()
        assert (response.status, response.getheader("Content-Length"), body) == (204, None, b"")

    def test_http_1_0_gets_its_answer_and_the_end_of_the_connection(self):
        with serving(lambda *_: b'{"statusCode": 200, "body": "four"}') as client:
            said = client.raw(b"GET / HTTP/1.0\r\n\r\n")
        assert said.endswith(b"\r\n\r\nfour")
        assert b"chunked" not in said

    @pytest.mark.parametrize(
        "payload",
        [
            b'{"statusCode": "ok"}',
            b'{"statusCode": 200, "body": {"a": 1}}',
            b'{"statusCode": 200, "headers": {"a": "b\\r\\nc: d"}}',
            b'{"statusCode": 200, "headers": {"a b": "c"}}',
            b'{"statusCode": 200, "headers": {"a": "\\u4e16"}}',
            b'{"statusCode": 200, "body": "%", "isBase64Encoded": true}',
        ],
    )
    def test_what_can_t_be_sent_is_a_bad_gateway(self, payload):
        with serving(lambda *_: payload) as client:
            response, body = client.ask()
        assert (response.status, body) == (502, b"Internal Server Error")


class TestFailures:
    def test_an_error_is_a_bad_gateway_without_details(self):
        with serving(failing("secret")) as client:
            response, body = client.ask()
        assert (response.status, body) == (502, b"Internal Server Error")

    def test_details_are_told_where_that_is_wanted(self):
        with serving(failing("the reason"), explain=True) as client:
            assert json.loads(client.ask()[1])["errorMessage"] == "the reason"

    def test_a_timeout_is_a_bad_gateway_too_unless_it_is_explained(self):
        with serving(failing(kind="Sandbox.Timedout")) as client:
            assert client.ask()[0].status == 502
        with serving(failing(kind="Sandbox.Timedout"), explain=True) as client:
            assert client.ask()[0].status == 504

    def test_too_many_at_once(self):
        def busy(*_):
            raise TooManyRequestsError("Rate Exceeded.")

        with serving(busy) as client:
            response, body = client.ask()
        assert (response.status, body) == (429, b'{"Message":"Rate Exceeded."}')

    def test_a_body_beyond_the_limit_is_refused_without_an_invocation(self):
        with serving(echo, Limits(sync_bytes=1000)) as client:
            response, body = client.ask("POST", "/", b"x" * 2000)
            assert (response.status, body) == (413, b'{"Message":"Request Entity Too Large"}')
            assert client.emulator.calls == []

    def test_a_body_that_is_not_kept_is_never_half_an_event(self, monkeypatch):
        monkeypatch.setattr("lambdallm.runtime.emulator.listener.KEPT_BYTES", 1000)
        with serving(echo) as client:
            assert client.ask("POST", "/", b"x" * 2000)[0].status == 413
            assert client.emulator.calls == []

    @pytest.mark.parametrize(
        "head", [b"Content-Length: -1\r\n", b"Content-Length: x\r\n", b"Transfer-Encoding: gzip\r\n"]
    )
    def test_broken_framing_is_refused(self, head):
        with serving(echo) as client:
            assert client.raw(b"POST / HTTP/1.1\r\n" + head + b"\r\n").startswith(b"HTTP/1.1 400 ")
            assert client.raw(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n").startswith(
                b"HTTP/1.1 400"
            )


class TestStreams:
    def test_the_first_piece_arrives_before_the_second_is_made(self):
        with serving(slow) as client:
            connection = http.client.HTTPConnection(client.listener.host, client.listener.port, timeout=20)
            connection.request("GET", "/")
            response = connection.getresponse()
            assert (response.status, response.getheader("X-A"), response.getheader("Set-Cookie")) == (201, "b", "c=d")
            assert response.read1() == b"one"
            OPEN[0].put(b"two")
            OPEN[0].over()
            assert response.read() == b"two"
            connection.close()
        assert client.emulator.calls[0][4] is True

    @pytest.mark.parametrize("cut", [1, 5, 60, 78, 82, 90])
    def test_the_prelude_may_be_split_anywhere(self, cut):
        data = b'{"statusCode": 202, "headers": {"content-type": "text/plain"}, "cookies": []}' + b"\0" * 8 + b"body"
        with serving(pieces(data[:cut], data[cut:])) as client:
            response, body = client.ask()
        assert (response.status, body) == (202, b"body")

    def test_a_stream_that_fails_is_cut_off(self):
        with serving(pieces(b"{}", b"\0" * 8, b"half", error=ERROR)) as client:
            with pytest.raises(http.client.IncompleteRead) as caught:
                client.ask()
            assert caught.value.partial == b"half"

    @pytest.mark.parametrize("sent", [(), (b'{"statusCode"',)])
    def test_a_failure_before_the_head_is_a_bad_gateway(self, sent):
        with serving(pieces(*sent, error=ERROR)) as client:
            assert client.ask()[0].status == 502

    @pytest.mark.parametrize("prelude", [b"no json", b"[]", b'{"statusCode": 9}', b"x" * 20_000])
    def test_a_prelude_that_is_none_is_a_bad_gateway(self, prelude):
        with serving(streaming(b"body", prelude=prelude)) as client:
            assert client.ask()[0].status == 502

    def test_bytes_without_a_prelude_go_as_they_are(self):
        with serving(pieces(b'{"statusCode": 500}', content_type="application/octet-stream")) as client:
            response, body = client.ask()
        assert (response.status, response.getheader("Content-Type")) == (200, "application/octet-stream")
        assert body == b'{"statusCode": 500}'

    def test_a_url_that_does_not_stream_joins(self):
        with serving(streaming(b"one", b"two"), mode="BUFFERED") as client:
            response, body = client.ask()
            assert (body, response.getheader("Content-Length")) == (b"onetwo", "6")
            assert client.emulator.calls[0][4] is False

    def test_a_buffered_answer_of_a_streaming_url_is_read_as_json(self):
        with serving(lambda *_: b'{"statusCode": 418, "body": "x"}') as client:
            assert client.ask()[0].status == 418

    def test_http_1_0_gets_the_pieces_unframed(self):
        with serving(streaming(b"one", b"two")) as client:
            said = client.raw(b"GET / HTTP/1.0\r\n\r\n")
        assert said.endswith(b"\r\n\r\nonetwo")

    def test_head_has_no_pieces(self):
        with serving(streaming(b"one")) as client:
            response, body = client.ask("HEAD")
        assert (response.status, body) == (200, b"")

    def test_a_client_that_leaves_does_not_stop_the_function(self):
        with serving(slow) as client:
            connection = socket.create_connection((client.listener.host, client.listener.port), timeout=20)
            connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            assert b"HTTP/1.1 201" in connection.recv(65536)
            connection.close()
            for _ in range(100):
                OPEN[0].put(b"x" * 100_000)
            OPEN[0].over()
            assert OPEN[0].left.wait(20), "The answer is read to its end."


ERROR = {"errorType": "E", "errorMessage": "m"}
OPEN = []


def slow(_payload, answer):
    """A stream whose first piece is sent, and that the test goes on with."""
    OPEN[:] = [answer]
    answer.streams()
    for piece in (b'{"statusCode": 201, "headers": {"X-A": "b"}, "cookies": ["c=d"]}', b"\0" * 8, b"one"):
        answer.put(piece)


def pieces(*given, error=None, content_type=PRELUDE_TYPE):
    def behave(_payload, answer):
        answer.streams(content_type)
        for piece in given:
            answer.put(piece)
        answer.over(error)

    return behave


class TestCors:
    CORS = Cors(("https://a.example", "https://*.b.example"), ("GET", "POST"), ("x-a",), ("x-b",), max_age_seconds=60)

    def test_a_preflight_is_answered_without_the_function(self):
        asked = {"Origin": "https://a.example", "Access-Control-Request-Method": "POST"}
        with serving(echo, cors=self.CORS) as client:
            response, _ = client.ask("OPTIONS", headers=asked)
            assert client.emulator.calls == []
        assert response.getheader("Access-Control-Allow-Origin") == "https://a.example"
        assert response.getheader("Access-Control-Allow-Methods") == "GET,POST"
        assert response.getheader("Access-Control-Allow-Headers") == "x-a"
        assert response.getheader("Access-Control-Max-Age") == "60"

    @pytest.mark.parametrize(
        ("origin", "allowed"),
        [
            ("https://a.example", True), ("https://c.b.example", True), ("https://b.example", False),
            ("https://a.example.evil", False), ("https://x.example", False),
        ],
    )  # fmt: skip
    def test_an_origin_is_allowed_or_not(self, origin, allowed):
        with serving(echo, cors=self.CORS) as client:
            response, _ = client.ask(headers={"Origin": origin})
        assert response.getheader("Access-Control-Allow-Origin") == (origin if allowed else None)

    def test_any_origin_may_be_allowed_and_headers_be_seen(self):
        with serving(echo, cors=Cors(("*",), expose_headers=("x-b",))) as client:
            response, _ = client.ask(headers={"Origin": "https://any"})
        assert response.getheader("Access-Control-Allow-Origin") == "*"
        assert response.getheader("Access-Control-Expose-Headers") == "x-b"


def test_the_url_of_an_alias_goes_to_its_versions():
    emulator = FakeEmulator(app=lambda _payload, answer: json.dumps(answer.version).encode())
    with Account(emulator) as account:
        account.publish("app")
        account.set_alias("app", Alias("live", "1"))
        with Listener(UrlFront(emulator, "app", qualifier="live", account=account)) as listener:
            assert Client(listener, emulator).ask()[1] == b"1"
        with Listener(UrlFront(emulator, "app", qualifier="gone", account=account)) as listener:
            assert Client(listener, emulator).ask()[0].status == 403


def test_connections_are_kept_between_requests():
    with serving(echo) as client:
        connection = http.client.HTTPConnection(client.listener.host, client.listener.port, timeout=20)
        for _ in range(3):
            connection.request("GET", "/")
            assert connection.getresponse().read()
            kept = connection.sock
        assert connection.sock is kept
        connection.close()


def test_a_listener_closes_at_once_though_connections_are_open():
    with serving(echo) as client:
        left = http.client.HTTPConnection(client.listener.host, client.listener.port, timeout=20)
        left.request("GET", "/")
        assert left.getresponse().read()
        connection = left.sock
    assert connection.recv(10) == b""
    left.close()
