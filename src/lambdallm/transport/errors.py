"""What can go wrong on the network, without an opinion on whose fault it is: the client library maps these once.

TransportError
├── ConnectError       no connection: refused, unreachable, name not found
│   ├── TlsError       the certificate or the handshake was rejected
│   └── ProxyError     the proxy refused the tunnel
├── WaitTimeout        a wait ran out: `phase` says which (connect, read, total)
├── ConnectionLost     the peer closed or reset in the middle of a message
└── ProtocolError      the peer's bytes are not HTTP/1.1 as we accept it
"""

from __future__ import annotations


class TransportError(Exception):
    """Any failure to exchange bytes.

    `sent` is `False` when no byte of the request can have reached the server, so that trying again is always safe.
    """

    sent: bool = True

    def __init__(self, message: str, *, sent: bool | None = None) -> None:
        super().__init__(message)
        if sent is not None:
            self.sent = sent


class ConnectError(TransportError):
    """No connection was made."""

    sent = False


class TlsError(ConnectError):
    """The TLS handshake failed or the certificate was not trusted."""


class ProxyError(ConnectError):
    """The proxy refused or garbled the tunnel."""


class WaitTimeout(TransportError):
    """A wait ran out; `phase` is `connect`, `read` or `total`."""

    def __init__(self, message: str, *, phase: str, sent: bool | None = None) -> None:
        super().__init__(message, sent=sent)
        self.phase = phase


class ConnectionLost(TransportError):
    """The connection ended before the message did."""


class ProtocolError(TransportError):
    """The response breaks the rules of HTTP/1.1."""
