"""A Lambda Runtime API on loopback that times cold starts: from starting a process to its first answer arriving.

One process at a time, one invocation each: `next` is answered at once, as Lambda does when a request waits for a new
environment. Threads would disturb what is measured, so there are none.
"""

from __future__ import annotations

import os
import socket
import time
from dataclasses import dataclass

_EVENT = b'{"name": "World"}'
_REQUEST = "8476a536-e9f4-11e8-9739-2dfe598c3fcd"
_SECONDS = 60
_SILENT = (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0)
"""What a killed process has to say is of no interest; what a function fails with comes as its answer."""


@dataclass(frozen=True)
class ColdStart:
    """One cold start: wall time to the answer, the process's CPU time until then, its peak memory, and the answer."""

    wall_ms: float
    cpu_ms: float
    peak_mb: float
    answer: str


def cold_start(command: list[str], environ: dict[str, str]) -> ColdStart:
    """Start a function's process and wait for its answer. Raises `RuntimeError` when there is none."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(_SECONDS)
        environ = {**environ, "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{listener.getsockname()[1]}"}
        begun = time.perf_counter()
        pid = os.posix_spawn(command[0], command, environ, file_actions=[_SILENT])
        try:
            path, body = _answer(listener)
            wall = time.perf_counter() - begun
            peak = _peak_kilobytes(pid)
        except OSError as error:
            raise RuntimeError(f"{' '.join(command)} gave no answer: {error}") from error
        finally:
            os.kill(pid, 9)
            used = os.wait4(pid, 0)[2]
    if not path.endswith("/response"):
        raise RuntimeError(f"{' '.join(command)} failed: {path} {body[:2000].decode(errors='replace')}")
    return ColdStart(wall * 1000, (used.ru_utime + used.ru_stime) * 1000, peak / 1024, body.decode())


def _answer(listener: socket.socket) -> tuple[str, bytes]:
    """The path and body of the first POST, over as many connections as the process opens."""
    while True:
        connection, _ = listener.accept()
        connection.settimeout(_SECONDS)
        while (request := _request(connection)) is not None:
            head, body = request
            method, path, _ = head.split(b" ", 2)
            if method == b"POST":
                return path.decode(), body
            connection.sendall(_invocation())


def _invocation() -> bytes:
    deadline = int(time.time() * 1000) + 30_000
    lines = [
        "HTTP/1.1 200 OK",
        f"Lambda-Runtime-Aws-Request-Id: {_REQUEST}",
        f"Lambda-Runtime-Deadline-Ms: {deadline}",
        "Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-east-1:123456789012:function:measured",
        "Lambda-Runtime-Trace-Id: Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1",
        "Content-Type: application/json",
        f"Content-Length: {len(_EVENT)}",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + _EVENT


def _request(connection: socket.socket) -> tuple[bytes, bytes] | None:
    """The head and body of the next request, `None` when the process has hung up."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return None
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    lower = head.lower()
    if b"transfer-encoding: chunked" in lower:
        while not body.endswith(b"0\r\n\r\n"):
            body += connection.recv(65536)
        return head, body
    length = int(lower.partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0] or 0)
    while len(body) < length:
        body += connection.recv(65536)
    return head, body


def _peak_kilobytes(pid: int) -> int:
    with open(f"/proc/{pid}/status", "rb") as file:
        return int(file.read().partition(b"VmHWM:")[2].split()[0])
