"""The command as a person runs it: a process of its own, in a folder of its own, without their keys."""

import os
import subprocess
import sys
import textwrap

import pytest

from dev_served import Served

OWN = ("LAMBDALLM_", "AWS_", "OPENAI_", "ANTHROPIC_", "NO_COLOR", "LAMBDA_TASK_ROOT")


@pytest.fixture
def environ(tmp_path):
    """The environment without anything that would change what the command does."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(OWN)}
    return {**clean, "HOME": str(tmp_path), "PYTHONWARNINGS": "error", "AWS_EC2_METADATA_DISABLED": "true"}


@pytest.fixture
def project(tmp_path):
    """Write files into a folder and give the folder: project({"app.py": "…"})."""
    folder = tmp_path / "project"
    folder.mkdir()

    def write(files):
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text).lstrip("\n"))
        return folder

    return write


@pytest.fixture
def cli(environ, tmp_path):
    """Run the command to its end: cli("invoke", "--json", cwd=folder)."""

    def run(*args, cwd=tmp_path, env=None, stdin=""):
        command = [sys.executable, "-m", "lambdallm", *args]
        return subprocess.run(
            command, cwd=cwd, env={**environ, **(env or {})}, input=stdin, capture_output=True, text=True, timeout=60
        )

    return run


@pytest.fixture
def serve(environ):
    """Start `lambdallm dev` on a free port: serve(folder, "--timeout", "1")."""
    running = []

    def start(folder, *args, env=None):
        command = [sys.executable, "-m", "lambdallm", "dev", "--port", "0", *args]
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**environ, **(env or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        served = Served(process)
        running.append(served)
        return served

    yield start
    for served in running:
        served.stop()


@pytest.fixture
def embedded(local_model):
    """The variable that names the embedded model's file for a command with another home."""
    return {"LAMBDALLM_LOCAL_MODEL": local_model.path}
