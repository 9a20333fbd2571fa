"""A running `lambdallm dev`, as its tests see it."""

import contextlib
import http.client
import re
import threading
import time


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
