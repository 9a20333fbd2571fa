"""Lambda's quotas, each of which an emulator may be given a value of its own for."""

from __future__ import annotations

from ..._value import Value


class Limits(Value):
    """What Lambda allows. Sizes are in bytes, times in seconds.

    Source: docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html; `sync_bytes` is the exact figure of AWS's
    Runtime Interface Emulator.
    """

    sync_bytes: int = 6_291_556
    """A request, and a response that is not streamed."""
    async_bytes: int = 1_048_576
    """The payload of an asynchronous invocation."""
    stream_bytes: int = 200 * 1024 * 1024
    """A streamed response."""
    environment_bytes: int = 4096
    """The names and values of a function's own environment variables together."""
    init_seconds: float = 10.0
    """What an environment has for loading the function before the first invocation's own time is used."""
    snapshot_seconds: float = 900.0
    """What it has for loading the function where SnapStart is on."""
    leaving_seconds: float = 1.0
    """What a process has to end by itself that has said it can't be loaded. AWS names no figure."""
    idle_seconds: float = 600.0
    """How long an environment is kept that has nothing to do. AWS names no figure; minutes are what is seen."""
    shutdown_seconds: float = 0.5
    """Between SIGTERM and the kill, where there is an extension or a function asks for the signal."""
    log_tail_bytes: int = 4096
    """What an answer keeps of its log, as `X-Amz-Log-Result` does."""
