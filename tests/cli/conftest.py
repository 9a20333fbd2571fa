"""The command as a person runs it: a process of its own, in a folder of its own, without their keys."""

import contextlib
import http.client
import os
import re
import subprocess
import sys
import textwrap
import threading
import time

import pytest

OWN = ("LAMBDALLM_", "AWS_", "OPENAI_", "ANTHROPIC_", "NO_COLOR", "LAMBDA_TASK_ROOT")


@pytest.fixture
def environ(tmp_path):
    """The environment without anything that would change what the command does."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(OWN)}
    return {**clean, "HOME": str(tmp_path), "PYTHONWARNINGS": "error", "AWS_EC2_METADATA_DISABLED": "true"}


@pytest.fixture
def project(tmp_path):
    """Write files into a folder and give the folder: project({"app.py": "…"})."""
    folder = tmp_path / "project"
    folder.mkdir()

    def write(files):
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text).lstrip("\n"))
        return folder

    return write


@pytest.fixture
def cli(environ, tmp_path):
    """Run the command to its end: cli("invoke", "--json", cwd=folder)."""

    def run(*args, cwd=tmp_path, env=None, stdin=""):
        command = [sys.executable, "-m", "lambdallm", *args]
        return subprocess.run(
            command, cwd=cwd, env={**environ, **(env or {})}, input=stdin, capture_output=True, text=True, timeout=60
        )

    return run


class Served:
    """A running `lambdallm dev` and what it has printed so far."""

    def __init__(self, process):
        self.process = process
        self.lines = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.port = int(self.wait_for(r"http://127\.0\.0\.1:(\d+)").group(1))

    @property
    def log(self):
        return "".join(self.lines)

    def wait_for(self, pattern, seconds=20):
        """The first match of a pattern in the log."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            if found := re.search(pattern, self.log):
                return found
            assert self.process.poll() is None or self._reader.is_alive(), self.log
            time.sleep(0.01)
        raise AssertionError(f"{pattern!r} did not come:\n{self.log}")

    @contextlib.contextmanager
    def open(self, method="GET", path="/", body=None, headers=None):
        """The response, its body not read yet; the connection is closed at the end."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body, headers or {})
            with connection.getresponse() as response:
                yield response
        finally:
            connection.close()

    def get(self, path="/", **options):
        """Status and body."""
        with self.open(path=path, **options) as response:
            return response.status, response.read().decode()

    def stop(self):
        self.process.terminate()
        self.process.wait(10)
        self._reader.join(10)
        self.process.stdout.close()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line)


@pytest.fixture
def serve(environ):
    """Start `lambdallm dev` on a free port: serve(folder, "--timeout", "1")."""
    running = []

    def start(folder, *args, env=None):
        command = [sys.executable, "-m", "lambdallm", "dev", "--port", "0", *args]
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**environ, **(env or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        served = Served(process)
        running.append(served)
        return served

    yield start
    for served in running:
        served.stop()


@pytest.fixture
def embedded(local_model):
    """The variable that names the embedded model's file for a command with another home."""
    return {"LAMBDALLM_LOCAL_MODEL": local_model.path}
