"""Requests over real sockets: every case runs under the blocking and the asyncio driver."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import time
import zlib
from collections.abc import Callable

import pytest

from lambdallm.transport import (
    AsyncioTransport,
    ConnectError,
    ConnectionLost,
    HttpRequest,
    ProtocolError,
    SyncTransport,
    Timeouts,
    WaitTimeout,
)
from lambdallm.transport import content as content_module
from lambdallm.transport import pool as pool_module
from lambdallm.transport.types import find_header

from .conftest import OK, Caller, Peer, Stub, repeat

Serve = Callable[..., Stub]
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def gzip(data: bytes) -> bytes:
    squeeze = zlib.compressobj(wbits=31)
    return squeeze.compress(data) + squeeze.flush()


def answer(body: bytes, *headers: str) -> bytes:
    lines = "".join(f"{header}\r\n" for header in headers)
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n%s\r\n" % (len(body), lines.encode()) + body


def test_the_request_goes_out_as_given_with_what_http_needs(caller: Caller, serve: Serve) -> None:
    seen: list[bytes] = []

    def behave(peer: Peer) -> None:
        seen.append(peer.request())
        peer.say(OK)

    stub = serve(behave)
    headers = (("Authorization", "Bearer k"), ("X-Odd-CASE", "1"))
    response = caller.send(HttpRequest("POST", stub.url("/v1/x?a=1#frag"), headers, b'{"a":1}'))
    assert (response.status, response.body) == (200, b"ok")
    assert seen == [
        b"POST /v1/x?a=1 HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAuthorization: Bearer k\r\nX-Odd-CASE: 1\r\n"
        b"Accept-Encoding: identity\r\nContent-Length: 7\r\nConnection: keep-alive\r\n\r\n" % stub.port + b'{"a":1}'
    ]


def test_a_connection_is_kept_for_the_next_request(caller: Caller, serve: Serve) -> None:
    stub = serve(repeat())
    assert [caller.send(stub.url()).body for _ in range(5)] == [b"ok"] * 5
    assert stub.connections == 1


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        OK + b"surplus",
    ],
)
def test_a_connection_that_may_not_be_reused_is_not(caller: Caller, serve: Serve, reply: bytes) -> None:
    stub = serve(repeat(reply))
    assert [caller.send(stub.url()).body for _ in range(3)] == [b"ok"] * 3
    assert stub.connections == 3


def test_a_body_may_end_with_the_connection(caller: Caller, serve: Serve) -> None:
    def behave(peer: Peer) -> None:
        peer.request()
        peer.say(b"HTTP/1.1 200 OK\r\n\r\nall of it")

    assert caller.send(serve(behave).url()).body == b"all of it"


def test_large_bodies_pass_both_ways(caller: Caller, serve: Serve) -> None:
    body = os.urandom(3_000_000)

    def behave(peer: Peer) -> None:
        peer.say(answer(peer.request().partition(b"\r\n\r\n")[2]))

    assert caller.send(HttpRequest("POST", serve(behave).url(), (), body)).body == body


def test_a_stream_yields_each_piece_as_it_arrives(caller: Caller, serve: Serve) -> None:
    go_on = threading.Event()

    def behave(peer: Peer) -> None:
        peer.request()
        peer.say(CHUNKED + b"5\r\nfirst\r\n")
        go_on.wait(5)
        peer.say(b"6\r\nsecond\r\n0\r\n\r\n")
        peer.request()
        peer.say(OK)

    stub = serve(behave)
    stream = caller.open(stub.url())
    assert stream.status == 200
    assert stream.next() == b"first"
    go_on.set()
    assert stream.rest() == [b"second"]
    stream.close()
    assert caller.send(stub.url()).body == b"ok"
    assert stub.connections == 1


def test_closing_a_stream_early_closes_its_connection(caller: Caller, serve: Serve) -> None:
    gone = threading.Event()

    def behave(peer: Peer) -> None:
        peer.request()
        peer.say(CHUNKED + b"5\r\nfirst\r\n")
        peer.wait_for_close()
        gone.set()

    stub = serve(behave)
    stream = caller.open(stub.url())
    assert stream.next() == b"first"
    stream.close()
    assert gone.wait(5)
    assert stream.next() == b""


def test_an_answer_that_comes_before_the_body_is_read_still_counts(caller: Caller, serve: Serve) -> None:
    """A server that refuses a large upload answers and closes without reading it."""

    def behave(peer: Peer) -> None:
        peer.sock.recv(1024)
        peer.say(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        peer.sock.shutdown(socket.SHUT_WR)
        peer.wait_for_close()

    assert caller.send(HttpRequest("POST", serve(behave).url(), (), b"x" * 5_000_000)).status == 413


# Compression


@pytest.mark.parametrize(
    ("coding", "squeezed"),
    [
        ("gzip", gzip(b"hello " * 1000)),
        ("X-GZIP", gzip(b"hello " * 500) + gzip(b"hello " * 500)),
        ("deflate", zlib.compress(b"hello " * 1000)),
        ("deflate", zlib.compress(b"hello " * 1000)[2:-4]),
    ],
)
def test_compressed_bodies_are_decoded(caller: Caller, serve: Serve, coding: str, squeezed: bytes) -> None:
    stub = serve(repeat(answer(squeezed, f"Content-Encoding: {coding}", "X-Kept: 1")))
    response = caller.send(stub.url())
    assert response.body == b"hello " * 1000
    assert response.headers == (("X-Kept", "1"),)
    assert b"".join(caller.open(stub.url()).rest()) == b"hello " * 1000
    assert stub.connections == 1


def test_a_compressed_stream_split_at_every_byte_is_decoded(caller: Caller, serve: Serve) -> None:
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in zlib.compress(b"hello" * 9))
    reply = CHUNKED.replace(b"\r\n\r\n", b"\r\nContent-Encoding: deflate\r\n\r\n") + chunks + b"0\r\n\r\n"
    assert b"".join(caller.open(serve(repeat(reply)).url()).rest()) == b"hello" * 9


@pytest.mark.parametrize(
    ("body", "coding", "error"),
    [
        (gzip(b"hello")[:-3], "gzip", ConnectionLost),
        (gzip(b"hello") + b"garbage", "gzip", ProtocolError),
        (zlib.compress(b"hello") + b"garbage", "deflate", ProtocolError),
        (b"x", "deflate", ConnectionLost),
        (b"not gzip at all", "gzip", ProtocolError),
        (b"hello", "br", ProtocolError),
    ],
)
def test_damaged_compression_is_an_error(
    caller: Caller, serve: Serve, body: bytes, coding: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        caller.send(serve(repeat(answer(body, f"Content-Encoding: {coding}"))).url())


def test_no_body_needs_no_decoding(caller: Caller, serve: Serve) -> None:
    stub = serve(repeat(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nContent-Encoding: gzip\r\n\r\n"))
    assert caller.send(HttpRequest("HEAD", stub.url())).body == b""


def test_a_decompression_bomb_is_refused(caller: Caller, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lambdallm.transport.exchange.MAX_DECODED_BYTES", 1_000_000)
    stub = serve(repeat(answer(gzip(bytes(30_000_000)), "Content-Encoding: gzip")))
    with pytest.raises(ProtocolError, match="1000000 bytes"):
        caller.send(stub.url())
    assert max(map(len, caller.open(stub.url()).rest())) <= content_module.MAX_PIECE_BYTES


# Time


def silent(peer: Peer) -> None:
    peer.request()
    peer.wait_for_close()


@pytest.mark.parametrize(
    ("timeouts", "phase"),
    [
        (Timeouts(read=0.1), "read"),
        (Timeouts(read=5, total=0.1), "total"),
        (Timeouts(read=0.1, total=5), "read"),
    ],
)
def test_silence_before_the_headers_runs_out(caller: Caller, serve: Serve, timeouts: Timeouts, phase: str) -> None:
    stub = serve(silent)
    with pytest.raises(WaitTimeout) as caught:
        caller.send(stub.url(), timeouts)
    assert (caught.value.phase, caught.value.sent) == (phase, True)


def test_silence_in_the_middle_of_a_body_runs_out(caller: Caller, serve: Serve) -> None:
    def behave(peer: Peer) -> None:
        peer.request()
        peer.say(CHUNKED + b"1\r\nx\r\n")
        peer.wait_for_close()

    stream = caller.open(serve(behave).url(), Timeouts(read=0.1))
    assert stream.next() == b"x"
    with pytest.raises(WaitTimeout) as caught:
        stream.next()
    assert caught.value.phase == "read"


def test_read_bounds_each_silence_and_total_the_whole(caller: Caller, serve: Serve) -> None:
    def behave(peer: Peer) -> None:
        peer.request()
        peer.say(CHUNKED)
        for _ in range(40):
            peer.say(b"1\r\nx\r\n")
            time.sleep(0.02)
        peer.say(b"0\r\n\r\n")

    stub = serve(behave)
    assert caller.send(stub.url(), Timeouts(read=0.5)).body == b"x" * 40
    started = time.monotonic()
    with pytest.raises(WaitTimeout) as caught:
        caller.send(stub.url(), Timeouts(read=0.5, deadline=started + 0.2))
    assert caught.value.phase == "total"
    assert time.monotonic() - started < 0.6


def test_a_deadline_in_the_past_fails_before_anything_is_sent(caller: Caller, serve: Serve) -> None:
    with pytest.raises(WaitTimeout) as caught:
        caller.send(serve(silent).url(), Timeouts(deadline=time.monotonic() - 1))
    assert (caught.value.phase, caught.value.sent) == ("total", False)


def test_a_server_that_does_not_accept_runs_into_the_connect_limit(caller: Caller) -> None:
    """A full accept queue swallows connection requests, as a firewall does."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = [socket.socket() for _ in range(8)]
        try:
            for filler in fillers:
                filler.setblocking(False)
                filler.connect_ex(listener.getsockname())
            with pytest.raises(WaitTimeout) as caught:
                caller.send(f"http://127.0.0.1:{listener.getsockname()[1]}/", Timeouts(connect=0.2))
        finally:
            for filler in fillers:
                filler.close()
    assert (caught.value.phase, caught.value.sent) == ("connect", False)


def test_a_server_that_does_not_read_runs_into_the_read_limit(caller: Caller, serve: Serve) -> None:
    stop = threading.Event()
    stub = serve(lambda peer: stop.wait(5))
    try:
        with pytest.raises(WaitTimeout) as caught:
            caller.send(HttpRequest("POST", stub.url(), (), b"x" * 20_000_000), Timeouts(read=0.2))
    finally:
        stop.set()
    assert (caught.value.phase, caught.value.sent) == ("read", True)


# Lost connections


def test_nobody_listening_is_a_connect_error_and_nothing_was_sent(caller: Caller) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        with pytest.raises(ConnectError, match="refused") as caught:
            caller.send(f"http://127.0.0.1:{held.getsockname()[1]}/")
    assert caught.value.sent is False


def test_an_unknown_name_is_a_connect_error(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_such_name(*_args: object, **_options: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_such_name)
    with pytest.raises(ConnectError, match="Name or service not known"):
        caller.send("http://nowhere.test/")


def test_every_address_of_a_name_is_tried(caller: Caller, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    stub = serve(repeat())
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        dead = held.getsockname()
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in (dead, ("127.0.0.1", stub.port))]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_options: found)
        assert caller.send("http://two.test/").body == b"ok"


@pytest.mark.parametrize(
    "reply", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhal", CHUNKED + b"5\r\nhel", b"HTT"]
)
def test_a_connection_closed_too_early_is_lost_and_not_retried(caller: Caller, serve: Serve, reply: bytes) -> None:
    def behave(peer: Peer) -> None:
        peer.request()
        peer.say(reply)

    stub = serve(behave)
    with pytest.raises(ConnectionLost) as caught:
        caller.send(stub.url())
    assert caught.value.sent is True
    assert stub.connections == 1


def test_a_connection_closed_while_idle_is_noticed_before_use(caller: Caller, serve: Serve) -> None:
    seen: list[int] = []

    def behave(peer: Peer) -> None:
        peer.request()
        seen.append(peer.number)
        peer.say(OK)

    stub = serve(behave)
    caller.send(stub.url())
    stub.threads[0].join(5)
    caller.send(stub.url())
    assert seen == [1, 2]


def test_a_reused_connection_that_dies_without_an_answer_is_replaced_once(caller: Caller, serve: Serve) -> None:
    asked: list[int] = []

    def behave(peer: Peer) -> None:
        while peer.request():
            asked.append(peer.number)
            if asked == [1, 1]:
                return
            peer.say(OK)

    stub = serve(behave)
    assert [caller.send(stub.url()).body for _ in range(2)] == [b"ok", b"ok"]
    assert asked == [1, 1, 2]


def test_the_second_attempt_remembers_that_the_first_was_sent(caller: Caller, serve: Serve) -> None:
    def behave(peer: Peer) -> None:
        peer.request()
        peer.say(OK)
        peer.request()
        stub.listener.shutdown(socket.SHUT_RDWR)
        stub.listener.close()

    stub = serve(behave)
    caller.send(stub.url())
    with pytest.raises(ConnectError) as caught:
        caller.send(stub.url())
    assert caught.value.sent is True


def test_a_reused_connection_that_dies_within_an_answer_is_not_replaced(caller: Caller, serve: Serve) -> None:
    def behave(peer: Peer) -> None:
        peer.request()
        peer.say(OK)
        peer.request()
        peer.say(b"H")

    stub = serve(behave)
    caller.send(stub.url())
    with pytest.raises(ConnectionLost):
        caller.send(stub.url())
    assert stub.connections == 1


def test_an_idle_connection_is_not_kept_for_ever(caller: Caller, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    stub = serve(repeat())
    caller.send(stub.url())
    monkeypatch.setattr(pool_module, "MAX_IDLE_SECONDS", -1.0)
    caller.send(stub.url())
    assert stub.connections == 2


def test_only_so_many_idle_connections_are_kept(caller: Caller, serve: Serve) -> None:
    stub = serve(repeat(CHUNKED + b"1\r\nx\r\n0\r\n\r\n"))
    transport = caller.transport(max_idle=0)
    for _ in range(2):
        assert caller.send(stub.url(), transport=transport).body == b"x"
    assert stub.connections == 2


def test_after_close_nothing_is_kept(caller: Caller, serve: Serve) -> None:
    stub = serve(repeat())
    caller.send(stub.url())
    caller.close() if caller.kind == "sync" else caller.run(caller.transports[0].aclose())  # type: ignore[union-attr]
    caller.send(stub.url())
    caller.send(stub.url())
    assert stub.connections == 3


def test_huge_headers_are_refused(caller: Caller, serve: Serve) -> None:
    stub = serve(repeat(b"HTTP/1.1 200 OK\r\nA: " + b"x" * 70_000 + b"\r\n\r\n"))
    with pytest.raises(ProtocolError, match="65536 bytes"):
        caller.send(stub.url())


# What may be sent


@pytest.mark.parametrize("value", ["sk-secret\n", "sk-secret\r\nX: y", "sk-secret\0", "sk-secretЖ"])
def test_a_header_value_that_can_not_be_sent_is_named_but_not_shown(caller: Caller, value: str) -> None:
    with pytest.raises(ValueError, match="'Authorization'") as caught:
        caller.send(HttpRequest("GET", "http://127.0.0.1:9/", (("Authorization", value),)))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("request_", "match"),
    [
        (HttpRequest("GE T", "http://127.0.0.1:9/"), "method 'GE T'"),
        (HttpRequest("GET\r\n", "http://127.0.0.1:9/"), "method"),
        (HttpRequest("GET", "http://127.0.0.1:9/", (("A b", "x"),)), "'A b'"),
        (HttpRequest("GET", "http://127.0.0.1:9/", (("A:\r\nb", "x"),)), "not an HTTP token"),
        (HttpRequest("GET", "http://127.0.0.1:9/", (("Transfer-Encoding", "chunked"),)), "Transfer-Encoding"),
        (HttpRequest("POST", "http://127.0.0.1:9/", (("Content-Length", "3"),), b"x"), "Content-Length"),
        (HttpRequest("GET", "http://127.0.0.1:9/a b"), "Percent-encode"),
    ],
)
def test_a_request_that_could_be_read_two_ways_is_refused(caller: Caller, request_: HttpRequest, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        caller.send(request_)


def test_headers_of_the_callers_own_are_not_doubled(caller: Caller, serve: Serve) -> None:
    seen: list[bytes] = []

    def behave(peer: Peer) -> None:
        seen.append(peer.request())
        peer.say(OK)

    own = (("host", "signed.test"), ("content-length", "1"), ("accept-encoding", "gzip"), ("connection", "close"))
    caller.send(HttpRequest("POST", serve(behave).url(), own, b"x"))
    lines = seen[0].lower().split(b"\r\n")
    assert [sum(line.startswith(name.encode()) for line in lines) for name, _ in own] == [1, 1, 1, 1]


# Processes, threads, loops


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_opens_its_own_connections(caller: Caller, serve: Serve) -> None:
    stub = serve(lambda peer: repeat(answer(str(peer.number).encode()))(peer))
    assert caller.send(stub.url()).body == b"1"
    child = os.fork()
    if child == 0:
        transport = SyncTransport(proxies={})
        transport._client.pool = caller.transports[0]._client.pool
        body = transport.send(HttpRequest("GET", stub.url()), Timeouts(read=5)).body
        os._exit(int(body))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 2
    assert caller.send(stub.url()).body == b"1"


def test_threads_share_a_transport(serve: Serve) -> None:
    stub, bodies = serve(repeat()), []
    with SyncTransport(proxies={}) as transport:

        def work() -> None:
            for _ in range(50):
                bodies.append(transport.send(HttpRequest("GET", stub.url()), Timeouts(read=5)).body)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    assert bodies == [b"ok"] * 200
    assert stub.connections <= 4


def test_a_second_event_loop_goes_on_where_the_first_ended(serve: Serve) -> None:
    """Each warm Lambda invocation may run a new loop over a client kept between them."""
    stub, transport = serve(repeat()), AsyncioTransport(proxies={})
    for _ in range(3):
        response = asyncio.run(transport.send(HttpRequest("GET", stub.url()), Timeouts(read=5)))
        assert response.body == b"ok"
    asyncio.run(transport.aclose())
    assert stub.connections == 1


def test_cancelling_a_request_closes_its_connection(serve: Serve) -> None:
    asked, gone = threading.Event(), threading.Event()

    def behave(peer: Peer) -> None:
        peer.request()
        asked.set()
        peer.wait_for_close()
        gone.set()

    stub = serve(behave)

    async def main() -> None:
        async with AsyncioTransport(proxies={}) as transport:
            task = asyncio.create_task(transport.send(HttpRequest("GET", stub.url()), Timeouts()))
            await asyncio.to_thread(asked.wait, 5)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await asyncio.to_thread(gone.wait, 5)

    asyncio.run(main())


def test_tasks_run_side_by_side(serve: Serve) -> None:
    together = threading.Barrier(8, timeout=5)

    def behave(peer: Peer) -> None:
        peer.request()
        together.wait()
        peer.say(OK)

    stub = serve(behave)

    async def main() -> list[int]:
        async with AsyncioTransport(proxies={}) as transport:
            calls = [transport.send(HttpRequest("GET", stub.url()), Timeouts(read=5)) for _ in range(8)]
            return [response.status for response in await asyncio.gather(*calls)]

    assert asyncio.run(main()) == [200] * 8


def test_a_loop_that_can_not_watch_sockets_waits_in_a_thread(serve: Serve) -> None:
    class Blind(asyncio.SelectorEventLoop):
        def add_reader(self, *_args: object) -> None:  # type: ignore[override]
            raise NotImplementedError

        add_writer = add_reader  # type: ignore[assignment]

    stub = serve(repeat())
    slow = serve(silent)

    async def main() -> None:
        async with AsyncioTransport(proxies={}) as transport:
            assert (await transport.send(HttpRequest("GET", stub.url()), Timeouts(read=5))).body == b"ok"
            with pytest.raises(WaitTimeout):
                await transport.send(HttpRequest("GET", slow.url()), Timeouts(read=0.1))

    with asyncio.Runner(loop_factory=Blind) as runner:
        runner.run(main())


def test_find_header_ignores_case() -> None:
    assert find_header((("X-A", "1"), ("x-a", "2")), "x-A") == "1"
