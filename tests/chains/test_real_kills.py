"""A process that runs a chain is killed by SIGKILL at an effect; another goes on from its file, or from DynamoDB."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import servers

BOTH = {"charge": "paid", "title": "<title <sum a>>"}
OUTPUTS = {
    "pages": ["a", "b", "c"],
    "each": ["<sum a>", "<sum b>", "<sum c>"],
    **BOTH,
    "both": BOTH,
    "end": '<<title <sum a>> ["<sum a>", "<sum b>", "<sum c>"] paid>',
}
ONCE = sorted(["ask sum a", "ask sum b", "ask sum c", "ask title <sum a>", f"ask {OUTPUTS['end'][1:-1]}"])


@pytest.mark.parametrize(("kind", "every", "least"), [("file", 1, 40), ("dynamodb", 7, 10)])
def test_a_killed_process_is_gone_on_from(kind, every, least, tmp_path, request):
    environ, place = {}, str(tmp_path / "state.db")
    if kind == "dynamodb":
        environ, place = {**servers.AWS, "AWS_ENDPOINT_URL": request.getfixturevalue("ministack")}, "killed"
        make_table(place, environ["AWS_ENDPOINT_URL"])
    script = Path(__file__).parents[1] / "killed_chains.py"
    command = [sys.executable, str(script), kind, place, str(tmp_path), str(every)]
    ran = subprocess.run(command, env=os.environ | environ, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    cuts = json.loads(ran.stdout)
    assert len(cuts) > least, "there were that many places to be killed"
    for told in cuts:
        check(told)


def check(told):
    """Nothing is lost; what was done twice is told; what is keyed has one key."""
    assert told["outputs"] == OUTPUTS
    asked = sorted(line for line in told["log"] if line.startswith("ask"))
    charged = [line for line in told["log"] if line.startswith("charge")]
    assert sorted(set(asked)) == ONCE
    assert set(charged) == {f"charge cut-{told['cut']}:charge"}
    repeated = len(asked) - len(ONCE) + len(charged) - 1
    assert 0 <= repeated <= told["interrupted"] <= 2, "two may have been under way"


def make_table(name, endpoint):
    from contextlib import closing

    from lambdallm.llm.drivers import Driver
    from lambdallm.state.dynamodb import DynamoDBStateStore

    with closing(Driver()) as driver, pytest.MonkeyPatch.context() as patch:
        for key, value in {**servers.AWS, "AWS_ENDPOINT_URL": endpoint}.items():
            patch.setenv(key, value)
        driver.run(DynamoDBStateStore(name).ensure_table())
