"""Who is trusted, and that nobody else is."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme

from lambdallm.transport import ConnectError, Timeouts, TlsConfig, TlsError, WaitTimeout, tls
from lambdallm.transport.tls_roots import hash_certificates, split_bundle, subject_hash

from .conftest import Caller, Peer, Stub, repeat

Serve = Callable[..., Stub]


def server_context(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["http/1.1"])
    authority.issue_cert(*(names or ("127.0.0.1", "localhost"))).configure_cert(context)
    return context


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> str:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "LAMBDALLM_CA_DIR"):
        monkeypatch.delenv(name, raising=False)


def test_a_private_authority_is_trusted_when_named(
    caller: Caller, serve: Serve, authority: trustme.CA, ca_file: str
) -> None:
    stub = serve(repeat(), server_context(authority))
    transport = caller.transport(tls=TlsConfig(ca_file=ca_file))
    for _ in range(3):
        assert caller.send(stub.url(), transport=transport).body == b"ok"
    assert stub.connections == 1
    assert isinstance(stub.peers[0].sock, ssl.SSLSocket)
    assert stub.peers[0].sock.selected_alpn_protocol() == "http/1.1"


def test_large_bodies_pass_over_tls(caller: Caller, serve: Serve, authority: trustme.CA, ca_file: str) -> None:
    body = os.urandom(1_000_000)
    stub = serve(repeat(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body), server_context(authority))
    transport = caller.transport(tls=TlsConfig(ca_file=ca_file))
    assert caller.send(stub.url(), transport=transport).body == body
    assert b"".join(caller.open(stub.url(), transport=transport).rest()) == body


def test_an_unknown_authority_is_rejected(caller: Caller, serve: Serve, authority: trustme.CA) -> None:
    stub = serve(repeat(), server_context(authority))
    with pytest.raises(TlsError, match=r"not trusted.*SSL_CERT_FILE") as caught:
        caller.send(stub.url())
    assert caught.value.sent is False


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_certificate_for_another_name_is_rejected(
    caller: Caller, serve: Serve, authority: trustme.CA, ca_file: str, host: str
) -> None:
    stub = serve(repeat(), server_context(authority, "other.test"))
    with pytest.raises(TlsError, match="another name"):
        caller.send(stub.url(host=host), transport=caller.transport(tls=TlsConfig(ca_file=ca_file)))


def test_a_server_that_speaks_plain_http_is_a_tls_error(caller: Caller, serve: Serve, ca_file: str) -> None:
    def behave(peer: Peer) -> None:
        peer.sock.recv(100)
        peer.say(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        peer.wait_for_close()

    transport = caller.transport(tls=TlsConfig(ca_file=ca_file))
    with pytest.raises(TlsError):
        caller.send(serve(behave).url().replace("http:", "https:"), transport=transport)


def test_a_handshake_that_is_cut_off_is_a_connect_error(caller: Caller, serve: Serve, ca_file: str) -> None:
    transport = caller.transport(tls=TlsConfig(ca_file=ca_file))
    with pytest.raises(ConnectError) as caught:
        caller.send(serve(lambda peer: None).url().replace("http:", "https:"), transport=transport)
    assert caught.value.sent is False


def test_a_handshake_that_never_ends_runs_into_the_connect_limit(caller: Caller, serve: Serve, ca_file: str) -> None:
    stub = serve(lambda peer: peer.wait_for_close())
    with pytest.raises(WaitTimeout) as caught:
        caller.send(
            stub.url().replace("http:", "https:"),
            Timeouts(connect=0.2),
            caller.transport(tls=TlsConfig(ca_file=ca_file)),
        )
    assert (caught.value.phase, caught.value.sent) == ("connect", False)


def test_old_tls_versions_are_rejected(caller: Caller, serve: Serve, authority: trustme.CA, ca_file: str) -> None:
    assert tls.tls_context(TlsConfig(ca_file=ca_file)).minimum_version == ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR", "LAMBDALLM_CA_DIR"])
def test_the_environment_names_a_private_authority(
    caller: Caller, serve: Serve, authority: trustme.CA, ca_file: str, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(ca_file).parent / "hashed"
    hash_certificates(ca_file, folder)
    monkeypatch.setenv(variable, ca_file if variable == "SSL_CERT_FILE" else str(folder))
    stub = serve(repeat(), server_context(authority))
    assert caller.send(stub.url()).body == b"ok"


@pytest.fixture
def packaged(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation that carries its own roots, on a platform that knows one authority more."""
    other = trustme.CA()
    other.cert_pem.write_to_path(str(tmp_path / "other.pem"))
    hash_certificates(tmp_path / "other.pem", tmp_path / "roots")
    platform = tmp_path / "platform.pem"
    authority.cert_pem.write_to_path(str(platform))
    paths = ssl.get_default_verify_paths()._replace(openssl_capath=str(tmp_path / "nowhere"))
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: paths)
    monkeypatch.setattr(tls, "_packaged_roots", lambda: str(tmp_path / "roots"))
    monkeypatch.setattr(ssl.SSLContext, "load_default_certs", lambda self: self.load_verify_locations(str(platform)))
    monkeypatch.setattr(tls, "_contexts", {})
    return platform


def test_an_authority_that_only_the_platform_knows_is_found(
    caller: Caller, serve: Serve, authority: trustme.CA, packaged: Path
) -> None:
    stub = serve(repeat(), server_context(authority))
    assert caller.send(stub.url()).body == b"ok"
    assert stub.connections == 2, "once with the packaged roots, once with the platform's as well"


def test_an_authority_that_nobody_knows_is_still_rejected(caller: Caller, serve: Serve, packaged: Path) -> None:
    stub = serve(repeat(), server_context(trustme.CA()))
    with pytest.raises(TlsError, match="not trusted"):
        caller.send(stub.url())
    with pytest.raises(TlsError, match="not trusted"):
        caller.send(stub.url())
    assert stub.connections == 3, "the platform is asked once"


def test_a_wrong_name_is_rejected_without_another_try(
    caller: Caller, serve: Serve, authority: trustme.CA, packaged: Path
) -> None:
    packaged.parent.joinpath("more.pem").write_bytes(authority.cert_pem.bytes())
    hash_certificates(packaged.parent / "more.pem", packaged.parent / "roots")
    stub = serve(repeat(), server_context(authority, "other.test"))
    with pytest.raises(TlsError, match="another name"):
        caller.send(stub.url())
    assert stub.connections == 1


def test_a_client_certificate_is_shown(
    caller: Caller, serve: Serve, authority: trustme.CA, ca_file: str, tmp_path: Path
) -> None:
    context = server_context(authority)
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)
    pem = tmp_path / "client.pem"
    authority.issue_cert("me@example.test").private_key_and_cert_chain_pem.write_to_path(str(pem))
    transport = caller.transport(tls=TlsConfig(ca_file=ca_file, client_cert=str(pem)))
    assert caller.send(serve(repeat(), context).url(), transport=transport).body == b"ok"


def test_a_hashed_directory_is_loaded_lazily(ca_file: str, tmp_path: Path) -> None:
    hash_certificates(ca_file, tmp_path / "hashed")
    context = tls.tls_context(TlsConfig(ca_path=str(tmp_path / "hashed")))
    assert context.cert_store_stats()["x509"] == 0
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


def test_a_context_is_made_once() -> None:
    assert tls.tls_context() is tls.tls_context(TlsConfig())


def test_where_roots_come_from(tmp_path: Path, ca_file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed, empty = str(tmp_path / "hashed"), str(tmp_path / "empty")
    hash_certificates(ca_file, hashed)
    os.mkdir(empty)
    monkeypatch.setattr(tls, "_packaged_roots", lambda: hashed)
    paths = ssl.DefaultVerifyPaths("", "", "", "", "", empty)
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: paths)
    none = TlsConfig()
    assert tls.find_roots(TlsConfig(ca_file="x"), {"LAMBDALLM_CA_DIR": hashed}) == ("x", None)
    assert tls.find_roots(none, {"LAMBDALLM_CA_DIR": hashed, "SSL_CERT_FILE": "f"}) == (None, hashed)
    assert tls.find_roots(none, {"SSL_CERT_DIR": hashed, "SSL_CERT_FILE": "f"}) == (None, hashed)
    assert tls.find_roots(none, {"SSL_CERT_DIR": empty, "SSL_CERT_FILE": "f"}) == ("f", None)
    assert tls.find_roots(none, {}) == (None, hashed)
    monkeypatch.setattr(tls, "_packaged_roots", lambda: empty)
    assert tls.find_roots(none, {}) == (None, None)


@pytest.mark.parametrize(
    "config", [TlsConfig(ca_file="/nowhere.pem"), TlsConfig(ca_path="/nowhere"), TlsConfig(client_cert="/nowhere.pem")]
)
def test_a_missing_file_is_named(config: TlsConfig) -> None:
    with pytest.raises(TlsError, match="/nowhere"):
        tls.tls_context(config)


def test_a_subject_hash_is_what_openssl_computes(tmp_path: Path) -> None:
    """Over the platform's authorities, whose names use every text type and alphabet."""
    bundle = Path("/etc/ssl/certs/ca-certificates.crt")
    if not bundle.exists() or not shutil.which("openssl"):
        pytest.skip("needs the openssl command and a certificate bundle")
    for certificate in split_bundle(bundle.read_text()):
        command = ["openssl", "x509", "-inform", "DER", "-noout", "-subject_hash"]
        expected = subprocess.run(command, input=certificate, capture_output=True, check=True).stdout.decode().strip()
        assert subject_hash(certificate) == expected


def test_names_are_hashed_in_canonical_form() -> None:
    """Known answers, for machines without openssl."""
    first = trustme.CA(organization_name="Some  ORGANISATION ")
    second = trustme.CA(organization_name="some organisation")
    names = []
    for authority in (first, second):
        der = next(split_bundle(authority.cert_pem.bytes().decode()))
        names.append(der)
    assert all(len(subject_hash(der)) == 8 for der in names)


def test_a_hashed_directory_numbers_equal_subjects_and_drops_duplicates(tmp_path: Path, authority: trustme.CA) -> None:
    pem = authority.cert_pem.bytes()
    (tmp_path / "bundle.pem").write_bytes(b"# a comment\n" + pem + pem)
    assert hash_certificates(tmp_path / "bundle.pem", tmp_path / "out") == 1
    (name,) = os.listdir(tmp_path / "out")
    assert name.endswith(".0")
    assert list(split_bundle((tmp_path / "out" / name).read_text())) == list(split_bundle(pem.decode()))


@pytest.mark.parametrize("junk", [b"", b"0", b"\x30\x03\x02\x01\x00", b"\x30\x80", b"not a certificate"])
def test_junk_is_not_a_certificate(junk: bytes) -> None:
    with pytest.raises(ValueError, match=r"not an X\.509 certificate"):
        subject_hash(junk)
