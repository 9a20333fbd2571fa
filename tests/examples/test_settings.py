"""The examples of settings run, and the file in them is one that editors would take."""

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import yaml

from lambdallm.core.config import config_schema

FOLDER = Path(__file__).parents[2] / "examples" / "settings"


def test_each_environment_sees_its_settings():
    command = [sys.executable, str(FOLDER / "settings.py")]
    printed = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    assert printed.splitlines() == [
        "dev: echo, 3 retries, sessions in memory",
        "prod: openai/gpt-4o, 3 retries, sessions in dynamodb:sessions",
    ]


def test_the_file_fits_its_schema(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    from functions import write_schema

    schema = json.loads(write_schema(tmp_path).read_text())
    assert schema == config_schema()
    jsonschema.validate(yaml.safe_load((FOLDER / "lambdallm.yaml").read_text()), schema)
