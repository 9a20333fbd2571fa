"""`lambdallm init`: every template gives a project that runs as it is and passes its own tests."""

import json
import subprocess
import sys

import pytest

from lambdallm.cli.init import templates

EXPECTED = {
    "chat": {"reply": "Who wrote Romeo and Juliet?"},
    "extract": {"name": "", "product": "", "sentiment": "positive"},
    "stream": "Tell a short story about a lighthouse and a whale.",
}


def only_event(folder):
    (event,) = (folder / "events").iterdir()
    return f"events/{event.name}"


def test_there_are_three_templates():
    assert templates() == sorted(EXPECTED)


@pytest.mark.parametrize("template", templates())
def test_a_project_answers_its_sample_event(template, cli, tmp_path):
    assert cli("init", "shop", "--template", template, "--model", "echo").returncode == 0
    folder = tmp_path / "shop"
    told = cli("invoke", "--event", only_event(folder), "--json", cwd=folder)
    assert told.returncode == 0, told.stderr
    body = json.loads(told.stdout)["result"]["body"]
    assert (body if template == "stream" else json.loads(body)) == EXPECTED[template]


@pytest.mark.parametrize("template", templates())
def test_a_project_passes_its_own_tests(template, cli, environ, tmp_path):
    """With the default model, which is not there: its tests need none."""
    cli("init", "shop", "--template", template)
    told = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path / "shop",
        env={**environ, "PYTHONWARNINGS": "", "LAMBDALLM_CACHE": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert told.returncode == 0, told.stdout
    assert "2 passed" in told.stdout


@pytest.mark.parametrize("template", templates())
def test_a_project_says_what_it_is(template, cli, tmp_path):
    cli("init", "shop", "--template", template, "--model", "openai/gpt-4o-mini")
    folder = tmp_path / "shop"
    assert json.loads((folder / "lambdallm.json").read_text())["model"] == "openai/gpt-4o-mini"
    assert (folder / "README.md").read_text().startswith("# shop\n")
    assert (folder / "requirements.txt").read_text() == "lambdallm\n"
    assert not list(folder.rglob("*.tmpl"))
    assert not [file for file in folder.rglob("*") if file.is_file() and "{{" in file.read_text()]


@pytest.mark.model
def test_a_project_answers_with_the_embedded_model(cli, tmp_path, embedded):
    cli("init", "shop", "--template", "extract", env=embedded)
    folder = tmp_path / "shop"
    told = cli("invoke", "--event", only_event(folder), "--json", cwd=folder, env=embedded)
    assert json.loads(json.loads(told.stdout)["result"]["body"])["name"] == "Maria"


def test_it_ends_with_the_next_commands(cli, tmp_path):
    told = cli("init", "shop", env={"LAMBDALLM_CACHE": str(tmp_path)}).stdout
    steps = [line.strip() for line in told.partition("Next:\n")[2].splitlines()]
    assert steps[0] == "cd shop"
    assert "lambdallm local pull" in steps
    assert steps[-4:] == ["lambdallm invoke --event events/hello.json", "lambdallm dev", "pytest", "lambdallm build"]


def test_into_this_folder_there_is_no_cd(cli, tmp_path):
    told = cli("init", "--model", "echo")
    assert (tmp_path / "app.py").is_file()
    assert "  cd " not in told.stdout
    assert "local pull" not in told.stdout


def test_nothing_is_overwritten_or_half_written_without_force(cli, project):
    folder = project({"requirements.txt": "mine\n"})
    told = cli("init", cwd=folder)
    assert told.returncode == 2
    assert "'./requirements.txt' exists." in told.stderr
    assert [path.name for path in folder.iterdir()] == ["requirements.txt"]
    assert cli("init", "--force", cwd=folder).returncode == 0
    assert (folder / "requirements.txt").read_text() == "lambdallm\n"


def test_a_file_is_no_folder(cli, tmp_path):
    (tmp_path / "shop").write_text("")
    told = cli("init", "shop")
    assert told.returncode == 2
    assert "can't be written" in told.stderr
