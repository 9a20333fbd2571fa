"""The server that every client is measured against: a process of its own with plain sockets and answers made ahead.

Run as `python stub.py [CERTIFICATE KEY]`. It listens on loopback, prints the ports of HTTP and HTTPS on one line, and
ends when its standard input does. A path that begins with `/paced` sends a stream event by event, half a
millisecond apart, as a model would; any other sends it at once.
"""

from __future__ import annotations

import socket
import ssl
import sys
import threading
import time

from recordings import responses

_PACE_SECONDS = 0.0005


def main(certificate: list[str]) -> None:
    answers = responses()
    plain, secure = _listener(), _listener()
    _start(_accept, plain, None, answers)
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        _start(_accept, secure, context, answers)
    print(plain.getsockname()[1], secure.getsockname()[1], flush=True)
    sys.stdin.read()


def _listener() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0), backlog=64)


def _start(function, *arguments) -> None:
    threading.Thread(target=function, args=arguments, daemon=True).start()


def _accept(listener: socket.socket, context: ssl.SSLContext | None, answers: dict[str, list[bytes]]) -> None:
    while True:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _start(_serve, connection, context, answers)


def _serve(connection: socket.socket, context: ssl.SSLContext | None, answers: dict[str, list[bytes]]) -> None:
    try:
        if context is not None:
            connection = context.wrap_socket(connection, server_side=True)
        while (request := _request(connection)) is not None:
            name, paced = _operation(*request)
            if paced:
                _send_paced(connection, answers[name])
            else:
                connection.sendall(b"".join(answers[name]))
    except OSError as error:
        print(f"stub: {error}", file=sys.stderr)
    finally:
        connection.close()


def _request(connection: socket.socket) -> tuple[bytes, bytes] | None:
    """The path and body of the next request, `None` when the client has gone."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return None
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0] or 0)
    while len(body) < length:
        body += connection.recv(65536)
    return head.split(b" ", 2)[1], body


def _operation(path: bytes, body: bytes) -> tuple[str, bool]:
    paced = path.startswith(b"/paced")
    if path.endswith(b"/converse-stream"):
        return "converse_stream", paced
    if path.endswith(b"/converse"):
        return "converse", paced
    streamed = b'"stream":true' in body or b'"stream": true' in body
    return ("chat_stream" if streamed else "chat"), paced


def _send_paced(connection: socket.socket, pieces: list[bytes]) -> None:
    for piece in pieces:
        connection.sendall(piece)
        time.sleep(_PACE_SECONDS)


if __name__ == "__main__":
    main(sys.argv[1:])
