"""Which requests go through a proxy, and how."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme

from lambdallm.transport import HttpRequest, ProxyError, Timeouts, TlsConfig, WaitTimeout
from lambdallm.transport.proxy import ProxyRules, rules_from, rules_from_environment
from lambdallm.transport.url import split_url

from .conftest import OK, Caller, Peer, Stub, repeat
from .test_tls import server_context

Serve = Callable[..., Stub]


def goes_through(environ: dict[str, str], url: str) -> str | None:
    proxy = rules_from_environment(environ).choose(split_url(url))
    return proxy and f"{proxy.host}:{proxy.port}"


@pytest.mark.parametrize(
    ("environ", "url", "proxy"),
    [
        ({}, "https://a.test/", None),
        ({"HTTPS_PROXY": "http://p.test:1"}, "https://a.test/", "p.test:1"),
        ({"HTTPS_PROXY": "http://p.test:1", "https_proxy": "http://q.test:2"}, "https://a.test/", "q.test:2"),
        ({"HTTPS_PROXY": "p.test:1"}, "https://a.test/", "p.test:1"),
        ({"HTTPS_PROXY": "http://p.test"}, "https://a.test/", "p.test:80"),
        ({"HTTPS_PROXY": "http://p.test:1"}, "http://a.test/", None),
        ({"HTTP_PROXY": "http://p.test:1"}, "http://a.test/", "p.test:1"),
        ({"HTTP_PROXY": "http://p.test:1", "REQUEST_METHOD": "GET"}, "http://a.test/", None),
        ({"http_proxy": "http://p.test:1", "REQUEST_METHOD": "GET"}, "http://a.test/", "p.test:1"),
        ({"ALL_PROXY": "http://p.test:1"}, "http://a.test/", "p.test:1"),
        ({"ALL_PROXY": "http://p.test:1", "HTTPS_PROXY": "http://q.test:2"}, "https://a.test/", "q.test:2"),
        ({"ALL_PROXY": "http://p.test:1"}, "http://127.0.0.1:9001/", None),
        ({"ALL_PROXY": "http://p.test:1"}, "http://localhost:80/", None),
        ({"ALL_PROXY": "http://p.test:1"}, "http://[::1]/", None),
        ({"ALL_PROXY": "http://p.test:1"}, "http://169.254.170.2/credentials", None),
        ({"ALL_PROXY": "http://p.test:1"}, "http://[fd00:ec2::23]/credentials", None),
    ],
)
def test_the_environment_chooses(environ: dict[str, str], url: str, proxy: str | None) -> None:
    assert goes_through(environ, url) == proxy


@pytest.mark.parametrize(
    ("exceptions", "url", "direct"),
    [
        ("*", "https://a.test/", True),
        ("a.test", "https://a.test/", True),
        ("a.test", "https://x.a.test/", True),
        (".a.test", "https://x.a.test/", True),
        ("*.a.test", "https://x.a.test/", True),
        ("a.test", "https://xa.test/", False),
        ("A.TEST , b.test", "https://a.test/", True),
        ("a.test:8443", "https://a.test:8443/", True),
        ("a.test:8443", "https://a.test/", False),
        ("10.0.0.1", "http://10.0.0.1/", True),
        ("10.0.0.0/8", "http://10.9.8.7/", True),
        ("10.0.0.0/8", "http://11.0.0.1/", False),
        ("10.0.0.0/8", "http://name.test/", False),
        ("10.0.0.0/x", "http://10.0.0.1/", False),
        ("fd00::/8", "http://[fd12::1]/", True),
        ("fd00::/8", "http://[fe80::1]/", False),
        ("fd12::1", "http://[fd12::1]/", True),
        ("[fd12::1]:81", "http://[fd12::1]/", False),
        ("", "https://a.test/", False),
        (",.,", "https://a.test/", False),
    ],
)
def test_no_proxy_makes_exceptions(exceptions: str, url: str, direct: bool) -> None:
    assert (goes_through({"ALL_PROXY": "http://p.test:1", "NO_PROXY": exceptions}, url) is None) is direct


@pytest.mark.parametrize("url", ["https://p.test:1", "socks5://p.test:1"])
def test_other_kinds_of_proxy_are_refused_clearly(url: str) -> None:
    with pytest.raises(ProxyError, match="not supported"):
        rules_from({"all": url})


def test_credentials_are_decoded_and_hidden() -> None:
    rules = rules_from({"https": "http://us%40er:p%3Ass@p.test:1"})
    assert rules.https is not None
    assert rules.https.authorization == "Basic dXNAZXI6cDpzcw=="
    assert "dXNA" not in repr(rules)
    assert ProxyRules().choose(split_url("https://a.test/")) is None


def test_an_unknown_setting_is_named() -> None:
    with pytest.raises(ValueError, match="'htps'"):
        rules_from({"htps": "http://p.test"})


def tunnel(upstream_port: int, seen: list[bytes]) -> Callable[[Peer], None]:
    """A proxy that connects every tunnel to one local port."""

    def pump(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    def behave(peer: Peer) -> None:
        seen.append(peer.request())
        with socket.create_connection(("127.0.0.1", upstream_port)) as upstream:
            peer.say(b"HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n")
            back = threading.Thread(target=pump, args=(upstream, peer.sock), daemon=True)
            back.start()
            pump(peer.sock, upstream)
            back.join(5)

    return behave


def test_https_goes_through_a_tunnel_with_credentials(
    caller: Caller, serve: Serve, authority: trustme.CA, tmp_path: Path
) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    upstream = serve(repeat(), server_context(authority, "api.example.test"))
    seen: list[bytes] = []
    proxy = serve(tunnel(upstream.port, seen))
    transport = caller.transport(
        tls=TlsConfig(ca_file=str(tmp_path / "ca.pem")), proxies={"https": f"http://me:pw@127.0.0.1:{proxy.port}"}
    )
    for _ in range(2):
        assert caller.send("https://api.example.test/v1", transport=transport).body == b"ok"
    assert (proxy.connections, upstream.connections) == (1, 1)
    assert seen[0].startswith(b"CONNECT api.example.test:443 HTTP/1.1\r\nHost: api.example.test:443\r\n")
    assert b"Proxy-Authorization: Basic bWU6cHc=\r\n" in seen[0]


def test_plain_http_asks_the_proxy_itself(caller: Caller, serve: Serve) -> None:
    seen: list[bytes] = []

    def behave(peer: Peer) -> None:
        seen.append(peer.request())
        peer.say(OK)

    proxy = serve(behave)
    transport = caller.transport(proxies={"all": f"me:pw@127.0.0.1:{proxy.port}"})
    assert caller.send("http://api.example.test:81/v1?x", transport=transport).body == b"ok"
    assert seen[0].startswith(b"GET http://api.example.test:81/v1?x HTTP/1.1\r\nHost: api.example.test:81\r\n")
    assert b"Proxy-Authorization: Basic bWU6cHc=\r\n" in seen[0]


def test_the_environment_is_read_at_the_first_request(
    caller: Caller, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy, direct = serve(repeat()), serve(repeat())
    transport = caller.transport(proxies=None)
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("NO_PROXY", "skipped.test")
    caller.send("http://api.example.test/", transport=transport)
    caller.send(direct.url(), transport=transport)
    assert (proxy.connections, direct.connections) == (1, 1)


@pytest.mark.parametrize(
    ("reply", "match"),
    [
        (b"HTTP/1.1 407 Auth\r\nContent-Length: 0\r\n\r\n", "407. Check the user and password"),
        (b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n", "403"),
        (b"SSH-2.0-nope\r\n", "does not answer in HTTP/1.1"),
        (b"", "closed the connection"),
    ],
)
def test_a_refused_tunnel_is_a_proxy_error(caller: Caller, serve: Serve, reply: bytes, match: str) -> None:
    def behave(peer: Peer) -> None:
        peer.request()
        peer.say(reply)

    proxy = serve(behave)
    transport = caller.transport(proxies={"all": f"http://me:secret@127.0.0.1:{proxy.port}"})
    with pytest.raises(ProxyError, match=match) as caught:
        caller.send("https://api.example.test/", transport=transport)
    assert caught.value.sent is False
    assert "secret" not in str(caught.value)


def test_a_proxy_that_is_not_there_is_a_proxy_error(caller: Caller) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        transport = caller.transport(proxies={"all": f"127.0.0.1:{held.getsockname()[1]}"})
        with pytest.raises(ProxyError, match="refused"):
            caller.send(HttpRequest("GET", "http://api.example.test/"), transport=transport)


def test_a_silent_proxy_runs_into_the_connect_limit(caller: Caller, serve: Serve) -> None:
    proxy = serve(lambda peer: peer.wait_for_close())
    transport = caller.transport(proxies={"all": f"127.0.0.1:{proxy.port}"})
    with pytest.raises(WaitTimeout) as caught:
        caller.send("https://api.example.test/", Timeouts(connect=0.2), transport)
    assert (caught.value.phase, caught.value.sent) == ("connect", False)
