"""The package's door: every name opens, and none costs more than its own module."""

import subprocess
import sys

import pytest

from lambdallm.llm import streaming
from lambdallm.llm.streaming import sync


def test_every_name_opens():
    assert sorted(streaming._HOMES) == sorted(streaming.__all__)
    assert set(streaming.__all__) <= set(dir(streaming))
    assert all(getattr(streaming, name).__name__ == name for name in streaming.__all__)
    assert all(getattr(sync, name).__name__ == name for name in sync.__all__)
    with pytest.raises(AttributeError, match="nope"):
        streaming.nope  # noqa: B018


@pytest.mark.parametrize(
    "use",
    [
        "from lambdallm.llm.streaming.sync import ParallelStreamAggregator, StreamingResponse",
        "from lambdallm.llm.streaming import ParallelStreamAggregator, StreamingResponse",
        "from lambdallm.llm.streaming import SSEStreamAdapter\nSSEStreamAdapter()",
        "from lambdallm.llm.streaming import to_sse\nb''.join(to_sse([]))",
    ],
)
def test_nothing_expensive_is_imported(use):
    """What a cold start pays for."""
    expensive = {"asyncio", "logging", "typing", "dataclasses", "inspect", "threading", "socket", "urllib", "random"}
    source = streaming.__path__[0].partition("/lambdallm/")[0]
    code = f"import sys; sys.path.insert(0, {source!r})\n{use}\nprint(*sys.modules)"
    run = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    assert expensive & set(run.stdout.split()) == set()
