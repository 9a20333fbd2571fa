"""LiteLLM as one more provider: its own mock responses, through the bridge, in an environment of its own."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from lambdallm import WireClient
from lambdallm.llm.errors import MissingExtraError

ROOT = Path(__file__).parents[3]
PYTHON = ROOT / ".venv-litellm" / "bin" / "python"
ANSWER = {
    "id": "c1", "object": "chat.completion", "created": 1, "model": "gpt-4o",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Real."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}  # fmt: skip


@pytest.fixture
def outcomes(provider):
    """What came of every case; one process, since importing LiteLLM takes a while."""
    if not PYTHON.exists():
        pytest.fail("LiteLLM's environment is missing: `make test` sets it up.", pytrace=False)
    provider.replies = [ANSWER]
    keep = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
    ran = subprocess.run(
        [PYTHON, Path(__file__).with_name("litellm_cases.py"), provider.url],
        env={**keep, "PYTHONPATH": str(ROOT / "src")}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout.splitlines()[-1])


def test_every_kind_of_call_goes_through(outcomes, provider):
    model = {"provider": "litellm", "model": "gpt-4o"}
    assert outcomes["whole"] == {"text": "Hello", "finish": "stop", **model}
    assert outcomes["by_name"] == outcomes["whole"]
    assert "".join(outcomes["streamed"]["pieces"]) == "Hello world"
    assert len(outcomes["streamed"]["pieces"]) > 1
    assert (outcomes["streamed"]["finish"], outcomes["streamed"]["output_tokens"]) == ("stop", 2)
    assert outcomes["awaited"] == {"text": "Hello", "pieces": outcomes["streamed"]["pieces"]}
    assert outcomes["called"] == {"id": "c1", "name": "weather", "arguments": {"city": "Oslo"}}
    assert outcomes["embedded"] == [[0.5, 0.25]]

    assert outcomes["real"] == {"text": "Real.", "finish": "stop", **model}
    ((path, headers, body),) = provider.received
    assert (path, headers["Authorization"]) == ("/v1/chat/completions", "Bearer mine")
    assert (body["model"], body["temperature"]) == ("gpt-4o", 0.5)

    errors = {name: (told["error"], told["status"]) for name, told in outcomes.items() if "error" in told}
    assert errors == {
        "limited": ("LLMRateLimitError", 429),
        "broken": ("ProviderServerError", 500),
        "too_long": ("TokenLimitError", 400),
        "unknown": ("InvalidRequestError", 400),
    }
    assert outcomes["too_long"]["code"] == "context_length_exceeded"


def test_without_the_package_the_extra_is_named():
    with pytest.raises(MissingExtraError, match=r"lambdallm\[litellm\]"):
        WireClient("litellm/gpt-4o").chat("Hi")
