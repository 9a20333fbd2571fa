"""The example of the local Lambda runs, and each front end answers as its page says."""

import subprocess
import sys
from pathlib import Path

TRY = Path(__file__).parents[2] / "examples" / "local_lambda" / "try_it.py"


def test_each_front_end_answers():
    told = subprocess.run([sys.executable, TRY], capture_output=True, text=True, timeout=120, check=True)
    over_http, with_boto3, failed, queue = told.stdout.splitlines()
    assert over_http == "over_http [{'said': 'Say hello to all.'}, {'said': 'Say hello to all.'}]"
    assert with_boto3 == "with_boto3 ('1', {'said': 'Say hello to Ada.'})"
    assert "'condition': 'RetriesExhausted', 'approximateInvokeCount': 3" in failed
    assert queue == "a_queue ['bad']"


def test_a_users_test_passes():
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", "test_app.py"]
    told = subprocess.run(command, cwd=TRY.parent, capture_output=True, text=True, timeout=120, check=False)
    assert "3 passed" in told.stdout, told.stdout
