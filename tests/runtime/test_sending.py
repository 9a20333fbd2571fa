"""A response sent piece by piece: its exact bytes, and every way it may end before its time."""

import base64
import json
import os
import resource
import select

import pytest

from lambdallm.runtime import Head, ResponseStream, ResponseTooLarge, RuntimeApiError, RuntimeClient, RuntimeFault
from lambdallm.runtime import sending as sending_module
from runtime_api import SECONDS, runtime_api


class Stream(ResponseStream):
    """Pieces from an iterable; remembers whether it was closed."""

    def __init__(self, pieces, head=None, content_type="text/plain"):
        self._pieces, self.head, self.content_type = pieces, head, content_type
        self.closed = 0

    def __iter__(self):
        return iter(self._pieces)

    def close(self):
        self.closed += 1


@pytest.fixture
def api():
    with runtime_api() as api:
        yield api


@pytest.fixture
def client(api):
    client = RuntimeClient(api.address)
    yield client
    client.close()


def wait_for_input(client):
    """Return when the API has sent something, or closed."""
    assert select.select([client._connection._sock], [], [], SECONDS)[0]


def fails_after(*pieces, error):
    yield from pieces
    raise error


def test_the_exact_bytes_of_a_stream_without_a_head(api, client):
    sent = client.stream("id-1", Stream([b"Hello", b", ", b"World"]))
    raw = api.requests[0].raw.decode()
    head, _, body = raw.partition("\r\n\r\n")
    assert head.splitlines()[0] == "POST /2018-06-01/runtime/invocation/id-1/response HTTP/1.1"
    assert head.splitlines()[3:] == [
        "Content-Type: text/plain",
        "Lambda-Runtime-Function-Response-Mode: streaming",
        "Transfer-Encoding: chunked",
        "Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body",
    ]
    assert body == "5\r\nHello\r\n2\r\n, \r\n5\r\nWorld\r\n0\r\n\r\n"
    assert (sent.bytes_sent, sent.fault, sent.left) == (12, None, "")


def test_a_head_and_what_ends_it_go_first_each_in_a_chunk_of_its_own(api, client):
    head = Head(201, {"Content-Type": "text/event-stream", "X-Two": ["a", "b"]}, ("k=v; Secure",))
    client.stream("id-1", Stream([b"data: 1\n\n"], head))
    request = api.requests[0]
    assert request.headers["content-type"] == "application/vnd.awslambda.http-integration-response"
    prelude, end, piece = request.chunks
    assert json.loads(prelude) == {
        "statusCode": 201, "headers": {"Content-Type": "text/event-stream"}, "cookies": ["k=v; Secure"],
        "multiValueHeaders": {"X-Two": ["a", "b"]},
    }  # fmt: skip
    assert (end, piece) == (bytes(8), b"data: 1\n\n")


def test_each_piece_is_there_before_the_next_is_made(api, client):
    seen = []

    def pieces():
        yield b"one"
        seen.append(api.wait_for("/response")[0].wait_for_chunks(1))
        yield b"two"
        seen.append(api.wait_for("/response")[0].wait_for_chunks(2))

    client.stream("id-1", Stream(pieces()))
    assert seen == [[b"one"], [b"one", b"two"]]


def test_the_head_is_there_before_the_first_piece_is_made(api, client):
    def pieces():
        assert len(api.wait_for("/response")[0].wait_for_chunks(2)) == 2
        yield b"x"

    assert client.stream("id-1", Stream(pieces(), Head())).fault is None


def test_an_empty_piece_does_not_end_the_body(api, client):
    client.stream("id-1", Stream([b"a", b"", b"b"]))
    assert api.requests[0].chunks == [b"a", b"b"]


def test_a_stream_of_nothing_is_a_whole_response(api, client):
    assert client.stream("id-1", Stream([])).bytes_sent == 0
    assert api.requests[0].raw.endswith(b"\r\n\r\n0\r\n\r\n")


def test_an_error_in_the_middle_goes_into_the_trailers(api, client):
    sent = client.stream("id-1", Stream(fails_after(b"part", error=ValueError("broke é"))))
    request = api.requests[0]
    assert request.chunks == [b"part"]
    assert request.trailers["lambda-runtime-function-error-type"] == "ValueError"
    told = json.loads(base64.b64decode(request.trailers["lambda-runtime-function-error-body"]))
    assert (told["errorType"], told["errorMessage"], told["requestId"]) == ("ValueError", "broke é", "id-1")
    assert "fails_after" in told["stackTrace"][0]
    assert sent.fault.type == "ValueError"
    assert isinstance(sent.error, ValueError)


def test_an_error_with_an_endless_message_still_fits_a_trailer(api, client):
    client.stream("id-1", Stream(fails_after(b"part", error=ValueError("x" * 1_000_000))))
    assert len(api.requests[0].trailers["lambda-runtime-function-error-body"]) < 64_000


def test_an_error_type_can_not_end_the_trailers(api, client):
    client.stream("id-1", Stream(fails_after(error=type("A\r\n\r\nB", (Exception,), {})())))
    assert api.requests[0].trailers["lambda-runtime-function-error-type"] == "A????B"


def test_the_connection_is_closed_after_a_stream_and_the_next_request_opens_another(api, client):
    client.respond("id-1", b"{}")
    client.stream("id-2", Stream([b"x"]))
    client.respond("id-3", b"{}")
    assert api.connections == 2


def test_a_kept_connection_that_was_closed_is_noticed_before_the_stream(api, client):
    api.closes_after = lambda request: request.path.endswith("id-1/response")
    client.respond("id-1", b"{}")
    wait_for_input(client)
    assert client.stream("id-2", Stream([b"x"])).bytes_sent == 1


def test_at_the_limit_a_stream_ends_with_an_error_and_what_was_sent_counts(api, client, monkeypatch):
    monkeypatch.setattr(sending_module, "STREAMED_BYTES", 10)
    stream = Stream([b"12345", b"67890", b"x", b"never"])
    sent = client.stream("id-1", stream)
    request = api.requests[0]
    assert request.chunks == [b"12345", b"67890"]
    assert request.trailers["lambda-runtime-function-error-type"] == "Function.ResponseSizeTooLarge"
    assert (sent.bytes_sent, sent.fault.type, stream.closed) == (10, "Function.ResponseSizeTooLarge", 1)


def test_a_head_too_large_for_lambda_is_an_error_before_anything_is_sent(api, client):
    stream = Stream([b"x"], Head(headers={"X-Long": "x" * 20_000}))
    with pytest.raises(
        ResponseTooLarge, match=r"The head of the streamed response has 200.. bytes, the limit is 16384"
    ):
        client.stream("id-1", stream)
    assert (api.requests, stream.closed) == ([], 1)


def test_an_answer_before_the_end_ends_the_stream(api, client):
    api.replies["response"] = (413, b"enough")
    api.answers_after = 1

    def pieces():
        yield b"one"
        wait_for_input(client)
        yield b"two"
        raise AssertionError("nobody reads this")

    stream = Stream(pieces())
    sent = client.stream("id-1", stream)
    assert (sent.bytes_sent, stream.closed) == (3, 1)
    assert "413" in sent.left
    api.invoke({})
    assert client.next().id == "request-1"


def test_an_api_that_answers_before_the_end_and_reads_on_gets_the_rest(api, client):
    """Some local ones do: an answer of success says nothing of the body, only a refusal does."""
    api.answers_after = 1

    def pieces():
        yield b"one"
        wait_for_input(client)
        yield b"two"
        yield b"three"

    sent = client.stream("id-1", Stream(pieces()))
    assert (sent.bytes_sent, sent.left) == (11, "")
    assert api.wait_for("/response")[0].wait_for_chunks(3) == [b"one", b"two", b"three"]


def test_a_broken_connection_ends_the_stream_and_the_next_invocation_comes(api, client):
    def pieces():
        yield b"one"
        api.wait_for("/response")[0].wait_for_chunks(1)
        client._connection._sock.shutdown(1)
        yield b"two"
        raise AssertionError("nobody reads this")

    stream = Stream(pieces())
    sent = client.stream("id-1", stream)
    assert (sent.bytes_sent, stream.closed) == (3, 1)
    assert sent.left
    api.invoke({})
    assert client.next().id == "request-1"


def test_a_refused_stream_is_an_error(api, client):
    api.replies["response"] = (403, b'{"errorType":"InvalidRequestID"}')
    with pytest.raises(RuntimeApiError, match=r"403 to a stream.*InvalidRequestID") as refused:
        client.stream("id-1", Stream([b"x"]))
    assert refused.value.status == 403


def test_the_end_of_the_process_in_a_stream_is_not_an_error_of_it(api, client):
    with pytest.raises(SystemExit):
        client.stream("id-1", Stream(fails_after(b"x", error=SystemExit(3))))


def test_who_asked_for_the_invocation_may_be_another_client(api, client):
    client.stream("id-1", Stream([b"x"]), "i-9")
    assert api.requests[0].headers["lambda-runtime-invocation-id"] == "i-9"


def test_a_head_that_is_no_json_is_an_error_before_anything_is_sent(api, client):
    stream = Stream([b"x"], Head(headers={"X-Odd": object()}))
    with pytest.raises(RuntimeFault, match=r"Unable to marshal the response's head: .*not JSON serializable"):
        client.stream("id-1", stream)
    assert (api.requests, stream.closed) == ([], 1)


def test_what_is_no_bytes_goes_into_the_trailers(api, client):
    stream = Stream([b"one", bytearray(b"two"), memoryview(b"three"), "four", b"never"])
    sent = client.stream("id-1", stream)
    assert api.requests[0].chunks == [b"one", b"two", b"three"]
    assert (sent.fault.type, sent.fault.message) == ("Runtime.MarshalError", "The stream gave a str. Give bytes.")
    assert stream.closed == 1


def test_a_stream_that_can_not_even_begin_is_an_error_of_it(api, client):
    assert client.stream("id-1", Stream(None)).fault.type == "TypeError"
    assert api.requests[0].trailers["lambda-runtime-function-error-type"] == "TypeError"


def test_a_function_with_many_open_files_streams_all_the_same(api, client):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 2000:
        pytest.skip("this machine allows fewer than 2000 open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2000), hard))
    files = []
    try:
        while not files or files[-1].fileno() < 1100:
            files.append(open(os.devnull, "rb"))  # noqa: SIM115  # closed below
        assert client.stream("id-1", Stream([b"one", b"two"])).bytes_sent == 6
    finally:
        for file in files:
            file.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
