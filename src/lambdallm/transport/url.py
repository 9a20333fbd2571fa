"""Absolute URLs, split into what a connection and a request line need.

`urllib.parse` costs 1.7 ms to import and repairs what it should refuse; this splits and checks, and repairs nothing.
"""

from __future__ import annotations

from .._value import Value
from .types import redact_url

DEFAULT_PORTS = {"http": 80, "https": 443}

_HOST = b"abcdefghijklmnopqrstuvwxyz0123456789-._"
_VISIBLE = bytes(range(0x21, 0x7F))


class Url(Value):
    """An absolute URL in parts. `host` is lower-case ASCII without brackets; `target` is path and query."""

    scheme: str
    host: str
    port: int
    target: str = "/"

    @property
    def authority(self) -> str:
        """The `Host` header: the host, and the port unless it is the scheme's own."""
        return bracketed(self.host) if self.port == DEFAULT_PORTS[self.scheme] else self.endpoint

    @property
    def endpoint(self) -> str:
        """Host and port, always both."""
        return f"{bracketed(self.host)}:{self.port}"


def bracketed(host: str) -> str:
    """The host as it stands in a URL: IPv6 addresses go in brackets."""
    return f"[{host}]" if ":" in host else host


def split_url(url: str) -> Url:
    """Split an absolute `http` or `https` URL; a fragment is dropped. Raises `ValueError`."""
    scheme, authority, target = cut_url(url)
    host, port = _split_authority(url, scheme, authority)
    return Url(scheme, host, port, check_target(url, target))


def cut_url(url: str) -> tuple[str, str, str]:
    """Scheme, authority and target, by their delimiters alone."""
    scheme, mark, rest = url.partition("://")
    if not mark or scheme.lower() not in DEFAULT_PORTS:
        raise _bad(url, "it has no http:// or https:// at its start", "Write it in full, as https://host/path")
    end = len(rest)
    for delimiter in "/?#":
        at = rest.find(delimiter, 0, end)
        end = at if at >= 0 else end
    return scheme.lower(), rest[:end], rest[end:]


def check_target(url: str, target: str) -> str:
    """The path and query as they go on the request line. Raises `ValueError` for what must be percent-encoded."""
    target = target.partition("#")[0]
    if not target.startswith("/"):
        target = "/" + target
    if not target.isascii() or target.encode().translate(None, _VISIBLE):
        raise _bad(url, "its path or query holds a space, control or non-ASCII character", "Percent-encode it")
    return target


def _split_authority(url: str, scheme: str, authority: str) -> tuple[str, int]:
    if "@" in authority:
        raise _bad(url, "it carries a user name", "Send credentials in a header")
    if authority.startswith("["):
        host, closing, tail = authority[1:].partition("]")
        return _check_ipv6(url, host if closing else ""), _read_port(url, scheme, tail)
    host, colon, port = authority.partition(":")
    return _check_host(url, host), _read_port(url, scheme, colon + port)


def _check_ipv6(url: str, host: str) -> str:
    import socket

    try:
        socket.inet_pton(socket.AF_INET6, host)
    except (OSError, UnicodeError, ValueError):
        raise _bad(url, "the address in brackets is not IPv6", "Write it as [::1]") from None
    return host.lower()


def _check_host(url: str, host: str) -> str:
    """A lower-case ASCII name or IPv4 address; other alphabets go through IDNA."""
    if not host.isascii():
        try:
            host = host.encode("idna").decode("ascii")
        except UnicodeError:
            raise _bad(url, "its host is not a valid international name", "Check its spelling") from None
    host = host.lower()
    if host.encode().translate(None, _HOST) or not 0 < len(host) <= 255 or not _labels_fit(host):
        raise _bad(url, "its host is missing or malformed", "Write it as https://host/path")
    return host


def _labels_fit(host: str) -> bool:
    return all(0 < len(label) <= 63 for label in host.removesuffix(".").split("."))


def _read_port(url: str, scheme: str, tail: str) -> int:
    """The number after a colon; a missing or empty one means the scheme's own."""
    digits = tail[1:]
    if tail in ("", ":"):
        return DEFAULT_PORTS[scheme]
    if tail[0] != ":" or not (digits.isascii() and digits.isdigit()) or not 0 < int(digits[:6]) <= 65535:
        raise _bad(url, "its port is not a number from 1 to 65535", "Correct the part after the host")
    return int(digits)


def _bad(url: str, reason: str, fix: str) -> ValueError:
    return ValueError(f"The URL {redact_url(url)!r} can't be used: {reason}. {fix}.")
