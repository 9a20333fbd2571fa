"""URLs: what is split, and what is refused with a reason."""

from __future__ import annotations

import pytest

from lambdallm.transport.url import Url, split_url


@pytest.mark.parametrize(
    ("url", "parts", "authority"),
    [
        ("https://api.test/v1?x=1", Url("https", "api.test", 443, "/v1?x=1"), "api.test"),
        ("http://API.Test", Url("http", "api.test", 80), "api.test"),
        ("HTTPS://api.test:8443/", Url("https", "api.test", 8443), "api.test:8443"),
        ("http://api.test:80/", Url("http", "api.test", 80), "api.test"),
        ("http://api.test:/", Url("http", "api.test", 80), "api.test"),
        ("http://api.test?q=a/b@c", Url("http", "api.test", 80, "/?q=a/b@c"), "api.test"),
        ("http://api.test/a#frag/?x", Url("http", "api.test", 80, "/a"), "api.test"),
        ("http://api.test#frag", Url("http", "api.test", 80, "/"), "api.test"),
        ("http://[::1]:9001/x", Url("http", "::1", 9001, "/x"), "[::1]:9001"),
        ("http://[FE80::A]/", Url("http", "fe80::a", 80), "[fe80::a]"),
        ("https://bücher.test/", Url("https", "xn--bcher-kva.test", 443), "xn--bcher-kva.test"),
        ("https://a_b.test./", Url("https", "a_b.test.", 443), "a_b.test."),
    ],
)
def test_a_url_is_split(url: str, parts: Url, authority: str) -> None:
    assert split_url(url) == parts
    assert parts.authority == authority


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "no http"),
        ("api.test/v1", "no http"),
        ("ftp://api.test/", "no http"),
        ("http:///x", "host is missing"),
        ("http://a b/", "host is missing or malformed"),
        ("http://a\r\nb/", "host is missing or malformed"),
        ("http://a..b/", "host is missing or malformed"),
        ("http://" + "a" * 64 + ".test/", "host is missing or malformed"),
        ("http://a\\b/", "host is missing or malformed"),
        ("http://a%41/", "host is missing or malformed"),
        ("http://\ud800/", "international name"),
        ("http://[::1/", "IPv6"),
        ("http://[nonsense]/", "IPv6"),
        ("http://[::1]x/", "port"),
        ("http://a:0/", "port"),
        ("http://a:65536/", "port"),
        ("http://a:99999999999/", "port"),
        ("http://a:-1/", "port"),
        ("http://a:x/", "port"),
        ("http://a:²/", "port"),
        ("http://a/b c", "Percent-encode"),
        ("http://a/b\r\nX: y", "Percent-encode"),
        ("http://a/é", "Percent-encode"),
        ("http://a/\x7f", "Percent-encode"),
        ("http://user:secret@a/", "user name"),
    ],
)
def test_what_can_not_be_used_is_refused_with_the_reason(url: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as caught:
        split_url(url)
    assert "secret" not in str(caught.value)
