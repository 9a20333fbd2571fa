"""What runs inside a measured process. Imports nothing that a bare Python has not loaded already."""

import os
import sys


def first(client: str, url: str) -> None:
    """Make a client, call once, say so with one byte, and then tell the peak memory."""
    module = __import__(client)
    answer = module.call(module.client(url))
    os.write(1, b".")
    if not answer:
        sys.exit(f"{client}: the answer is empty")
    os.write(1, _peak_kilobytes())


def _peak_kilobytes() -> bytes:
    """The high-water mark of this program alone: `ru_maxrss` would count the parent's memory, too."""
    with open("/proc/self/status", "rb") as file:
        return file.read().partition(b"VmHWM:")[2].split()[0]
