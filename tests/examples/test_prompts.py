"""`examples/prompts`: runs without a key, and says what it is there to show."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from lambdallm import Prompt

PROMPTS = Path(__file__).parents[2] / "examples" / "prompts"


def run(*arguments):
    """What the example prints; on its error stream it prints nothing."""
    command = [sys.executable, str(PROMPTS / "reviews.py"), *arguments]
    told = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (told.returncode, told.stderr) == (0, "")
    return told.stdout.splitlines()


def test_every_part_runs_whatever_the_model():
    mistake, parts, review, answer, production, latest, changed = run("echo")
    assert mistake.startswith("PromptError: Prompt 'review' needs 'product'.")
    assert "Did you mean 'product'?" in mistake
    assert parts == "['TextPart', 'ImagePart', 'TextPart']"
    assert review == "'': happy"
    assert answer == "Where does it end?"
    assert production == "1.0.0: Summarise in 5 words: The lamp is bright, cheap, and easy to put together."
    assert latest.startswith("1.1.0: ")
    assert changed == "changed: system_prompt, examples"


@pytest.mark.model
def test_and_makes_sense_with_the_embedded_model(local_model):
    assert "'lamp': angry" in run()


@pytest.mark.parametrize("file", sorted((PROMPTS / "prompts").glob("*.yaml")), ids=lambda file: file.name)
def test_its_files_are_what_their_schema_says(file):
    schema = json.loads((file.parent / "prompt.schema.json").read_text())
    assert schema == Prompt.schema()
    Draft202012Validator(schema).validate(yaml.safe_load(file.read_text()))
    assert file.read_text().startswith("# yaml-language-server: $schema=prompt.schema.json\n")
