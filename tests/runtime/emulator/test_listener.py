"""The HTTP server under the front ends: framing, streams, many at once, and nothing left behind."""

import http.client
import socket
import threading
import time

import pytest

from lambdallm.runtime.emulator.listener import KEPT_BYTES, Cut, HttpReply, Listener


def echo(request):
    text = f"{request.method} {request.target} {request.length} {request.body[:10]!r}"
    return HttpReply(200, (("Content-Type", "text/plain"), ("Connection", "ours"), ("Date", "ours")), text.encode())


def ask(listener, *request, **options):
    connection = http.client.HTTPConnection(listener.host, listener.port, timeout=20)
    try:
        connection.request(*request, **options)
        response = connection.getresponse()
        return response, response.read()
    finally:
        connection.close()


def raw(listener, *pieces):
    with socket.create_connection((listener.host, listener.port), timeout=20) as connection:
        for piece in pieces:
            connection.sendall(piece)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_a_request_is_a_value_and_a_reply_is_sent():
    with Listener(echo) as listener:
        response, body = ask(listener, "POST", "/a?b=c", b"text")
        assert listener.address == f"http://127.0.0.1:{listener.port}"
    assert body == b"POST /a?b=c 4 b'text'"
    assert (response.getheader("Connection"), response.getheader("Date") == "ours") == (None, False)


def test_headers_of_a_request_keep_their_names_and_their_order():
    seen = []

    def keep(request):
        seen.append(request)
        return HttpReply(204)

    with Listener(keep) as listener:
        raw(listener, b"GET / HTTP/1.1\r\nHost: h\r\nX-a: 1\r\nx-A: 2\r\nConnection: close\r\n\r\n")
    assert [pair for pair in seen[0].headers if pair[0].lower() == "x-a"] == [("X-a", "1"), ("x-A", "2")]
    assert (seen[0].header("x-a"), seen[0].header("none"), seen[0].protocol) == ("1", "", "HTTP/1.1")


def test_requests_on_one_connection_are_answered_in_turn():
    with Listener(echo) as listener:
        said = raw(
            listener,
            b"POST /1 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nTrailer: t\r\n\r\n",
            b"GET /2 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
        )
    assert said.count(b"HTTP/1.1 200 OK") == 2
    assert b"POST /1 3 b'abc'" in said
    assert b"GET /2 0 b''" in said


def test_a_client_that_waits_for_leave_is_given_it():
    with Listener(echo) as listener, socket.create_connection((listener.host, listener.port), timeout=20) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
        assert connection.recv(1000).startswith(b"HTTP/1.1 100 Continue")
        connection.sendall(b"text")
        assert b"HTTP/1.1 200" in connection.recv(1000)


@pytest.mark.parametrize(
    "sent",
    [
        b"Content-Length: 10\r\n\r\nshort",
        b"Content-Length: 1, 2\r\n\r\nx",
        b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
        b"Transfer-Encoding: chunked\r\n\r\n-1\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n3\r\nabcdef\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc",
        b"Transfer-Encoding: gzip, chunked\r\n\r\n",
    ],
)
def test_a_body_with_broken_framing_is_refused(sent):
    with Listener(echo) as listener:
        assert raw(listener, b"POST / HTTP/1.1\r\nHost: h\r\n" + sent).startswith(b"HTTP/1.1 400 ")


def test_a_body_longer_than_is_kept_is_read_and_measured():
    with Listener(echo) as listener:
        _, body = ask(listener, "POST", "/", b"x" * (KEPT_BYTES + 100_000))
    assert body.endswith(f" {KEPT_BYTES + 100_000} b''".encode())


@pytest.mark.parametrize(
    ("line", "target"),
    [(b"//a//b?c", "//a//b?c"), (b"http://host:1/a?b=http://c/", "/a?b=http://c/"), (b"HTTP://host", "/")],
)
def test_a_target_is_what_the_client_wrote_after_the_host(line, target):
    with Listener(echo) as listener:
        said = raw(listener, b"GET " + line + b" HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
    assert said.endswith(f"GET {target} 0 b''".encode())


def test_a_header_in_several_lines_is_one_line_to_the_front_end():
    with Listener(lambda request: HttpReply(200, (), request.header("x").encode())) as listener:
        said = raw(listener, b"GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\nConnection: close\r\n\r\n")
    assert said.endswith(b"\r\n\r\na  b")


def test_a_stream_is_sent_in_its_own_pieces_and_may_be_cut():
    def pieces():
        yield b"one"
        yield b""
        yield b"two"
        raise Cut

    with Listener(lambda request: HttpReply(200, (), pieces())) as listener:
        said = raw(listener, b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    assert said.endswith(b"\r\n\r\n3\r\none\r\n3\r\ntwo\r\n"), "There is no last chunk."


def test_a_front_end_that_breaks_is_told_to_its_client_and_shown(capfd):
    def broken(_request):
        raise RuntimeError("a bug")

    with Listener(broken) as listener:
        response, body = ask(listener, "GET", "/")
        assert (response.status, body) == (500, b"Internal Server Error\n")
    assert "RuntimeError: a bug" in capfd.readouterr().err


def test_a_port_that_is_taken_is_an_error():
    with Listener(echo) as listener, pytest.raises(OSError, match="in use"):
        Listener(echo, port=listener.port)


def test_nothing_is_left_of_many_listeners():
    before = threading.active_count()
    for _ in range(30):
        with Listener(echo) as listener:
            kept = http.client.HTTPConnection(listener.host, listener.port, timeout=20)
            kept.request("GET", "/")
            kept.getresponse().read()
        kept.close()
    for thread in threading.enumerate():
        if "process_request_thread" in thread.name:
            thread.join(20)
    assert threading.active_count() <= before


def test_closing_is_prompt():
    began = time.monotonic()
    for _ in range(5):
        Listener(echo).close()
    assert time.monotonic() - began < 5
