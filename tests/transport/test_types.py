"""What is shown of a request in logs and errors: everything but its secrets."""

import pytest

from lambdallm.transport.types import HttpRequest, find_header, redact_url


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://a.test/v1?key=s3cret&alt=sse", "https://a.test/v1?key=***&alt=sse"),
        ("https://a.test/v1?X-Amz-Signature=s3cret&flag", "https://a.test/v1?X-Amz-Signature=***&flag"),
        ("https://user:s3cret@a.test/v1", "https://a.test/v1"),
        ("local:///v1/chat", "local:///v1/chat"),
        ("https://a.test", "https://a.test"),
    ],
)
def test_urls(url, shown):
    assert redact_url(url) == shown


@pytest.mark.parametrize("name", ["Authorization", "x-api-key", "X-Acme-Key", "X-Amz-Security-Token", "Cookie"])
def test_headers_that_carry_secrets_are_not_shown(name):
    request = HttpRequest("POST", "https://a.test/", ((name, "s3cret"), ("Accept", "text/plain")), b"body")
    assert "s3cret" not in repr(request)
    assert "text/plain" in repr(request)
    assert "4 bytes" in repr(request)


def test_headers_are_found_whatever_their_case():
    assert find_header((("Content-Type", "a"),), "content-type") == "a"
    assert find_header((), "content-type") is None
