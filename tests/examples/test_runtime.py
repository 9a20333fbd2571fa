"""The example of the runtime answers alike when it is called, and when it is served."""

import subprocess
import sys
from pathlib import Path

from runtime_api import Process, runtime_api

FOLDER = Path(__file__).parents[2] / "examples" / "runtime"


def test_it_shows_what_it_answers():
    told = subprocess.run([sys.executable, FOLDER / "app.py"], capture_output=True, text=True, timeout=60, check=True)
    assert told.stdout == "0\n1\n2\n{'sum': 10.5, 'in_time': True}\n"


def test_it_is_served(tmp_path):
    (tmp_path / "app.py").write_text((FOLDER / "app.py").read_text())
    environ = {"LAMBDALLM_RESPONSE_STREAMING": "direct", "AWS_LAMBDA_LOG_LEVEL": "INFO"}
    with runtime_api() as api:
        counting = Process(api, tmp_path, "app.count", **environ)
        assert api.invoke({"to": 3}).answer().chunks == [b"0\n", b"1\n", b"2\n"]
        counting.close()
    with runtime_api() as api:
        adding = Process(api, tmp_path, "app.both", **environ)
        assert api.invoke({"first": "tea", "second": "cake"}).answer().json() == {"sum": 10.5, "in_time": True}
        assert "looking up {'first': 'tea'" in adding.output()
        adding.close()
