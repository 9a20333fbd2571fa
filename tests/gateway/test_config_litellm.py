"""`engine: litellm`: a model of a gateway that LiteLLM's library calls, in the environment that has it."""

import json
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-litellm" / "bin" / "python"
ASKING = """
import json
from lambdallm.gateway.config import load_gateway
from lambdallm.gateway.models import ConfiguredModels
from lambdallm.llm.drivers import Driver
from lambdallm.llm.types import ChatMessage, ChatRequest

request = ChatRequest("rare", (ChatMessage("user", "Hi"),))
models, driver = ConfiguredModels(load_gateway("gateway.json")), Driver()
whole = driver.run(models.find("rare").chat(request)).unwrap()
flow, record = models.find("rare").stream(request)
pieces = [chunk.delta for chunk in driver.iterate(flow) if chunk.delta]
after = driver.run(models.find("limited").chat(request)).unwrap()
print(json.dumps([whole.text, whole.provider, pieces, record.completion().text, after.text, after.routing.chosen]))
"""


def test_answers_whole_and_in_pieces_and_falls_back(tmp_path):
    if not PYTHON.exists():
        pytest.fail("LiteLLM's environment is missing: `make test` sets it up.", pytrace=False)
    rare = {"engine": "litellm", "target": "gpt-4o", "options": {"extra": {"mock_response": "Hello world"}}}
    limits = {**rare, "options": {"extra": {"mock_response": "litellm.RateLimitError"}}, "max_retries": 0}
    settings = {"models": {"rare": rare, "limited": {**limits, "fallbacks": ["rare"]}}}
    (tmp_path / "gateway.json").write_text(json.dumps(settings))
    environ = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
    command = [PYTHON, "-c", ASKING]
    ran = subprocess.run(
        command, cwd=tmp_path, env={**environ, "PYTHONPATH": str(ROOT / "src")}, capture_output=True, text=True,
        timeout=120,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    whole, provider, pieces, streamed, after, chosen = json.loads(ran.stdout.splitlines()[-1])
    assert (whole, provider) == ("Hello world", "litellm")
    assert (len(pieces) > 1, "".join(pieces), streamed) == (True, "Hello world", "Hello world")
    assert (after, chosen) == ("Hello world", "rare")
