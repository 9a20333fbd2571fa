"""An invocation that is killed in the middle: Lambda tries the event again, which goes on from the last answer."""

import subprocess
import sys
import time

import pytest

CHILD = """
import os, sys
from lambdallm import handler, register_provider
from lambdallm.core.journal import CheckpointError
from lambdallm.llm.models import ModelResponse
from lambdallm.providers.base import BaseProvider
from lambdallm.testing import MockLambdaContext

store, asked, dies_after, kind = sys.argv[1:]

class Model(BaseProvider):
    calls = 0

    def invoke(self, prompt, config):
        with open(asked, "a") as file:
            file.write(prompt + "\\\\n")
        Model.calls += 1
        return ModelResponse(f"<{prompt}>", "m", cost_usd=0.0)

register_provider("own", Model())
settings = dict(model="own/m", timeout_strategy="checkpoint", checkpoint_store=f"file:{store}", timeout_buffer=0)

def dies():
    if Model.calls == int(dies_after):
        os._exit(9)

if kind == "def":
    @handler(**settings)
    def function(event, context):
        said = []
        for step in "abcd":
            said.append(context.invoke(step + "{n}", n=len(said)))
            dies()
        return said
else:
    @handler(**settings)
    async def function(event, context):
        said = []
        for step in "abcd":
            said.append(await context.ainvoke(step + "{n}", n=len(said)))
            dies()
        return said

try:
    print(*function({}, MockLambdaContext(4_000, aws_request_id="the-event")))
except CheckpointError as error:
    print("busy" if "Another invocation" in str(error) else error)
"""


@pytest.mark.parametrize("kind", ["def", "async def"])
def test_each_call_is_made_once_however_often_it_is_killed(tmp_path, kind):
    """The killed invocation may still be running, for all that anybody knows, until its time has passed."""
    asked = tmp_path / "asked.txt"

    def tried(dies_after):
        command = [
            sys.executable,
            "-c",
            CHILD.replace("\\\\", "\\"),
            str(tmp_path / "s.db"),
            str(asked),
            dies_after,
            kind,
        ]
        return subprocess.run(command, capture_output=True, text=True, timeout=60)

    assert tried("2").returncode == 9
    assert asked.read_text().split() == ["a0", "b1"]
    assert tried("9").stdout == "busy\n"
    until, result = time.monotonic() + 30, None
    while time.monotonic() < until and (result is None or result.stdout == "busy\n"):
        result = tried("9")
    assert (result.stdout, result.stderr) == ("<a0> <b1> <c2> <d3>\n", "")
    assert asked.read_text().split() == ["a0", "b1", "c2", "d3"]
