"""The examples of the gateway's settings run, their files have no mistakes, and editors would take them."""

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import yaml

from lambdallm.gateway.config import gateway_schema
from lambdallm.gateway.provider_configs import read_configs

FOLDER = Path(__file__).parents[2] / "examples" / "gateway_settings"


def printed(name):
    command = [sys.executable, str(FOLDER / name)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.splitlines()


def test_each_environment_sees_its_settings_and_a_model_answers():
    assert printed("settings.py") == [
        "dev: fast is echo, keys in none",
        "prod: fast is openai/gpt-4o-mini, keys in cognito",
        "careful: 'Name a river.' from 'fast'",
    ]


def test_the_single_function_answers_and_rolls_out():
    first, second = printed("unified.py")
    assert first == "The Elbe. openai 7"
    counted = dict(eval(second, {"Counter": dict}))
    assert sum(counted.values()) == 100
    assert 3 <= counted["anthropic"] <= 20


def test_the_files_have_no_mistakes():
    jsonschema.validate(yaml.safe_load((FOLDER / "gateway.yaml").read_text()), gateway_schema())
    assert set(read_configs(FOLDER / "provider_configs.json")) == set(
        json.loads((FOLDER / "provider_configs.json").read_text())
    )
