"""The door: help, version, unknown words, exit codes, and how little it imports."""

import io
import os
import subprocess
import sys
import time

import pytest

from lambdallm.cli import main as door
from lambdallm.cli.console import paint

ALLOWED = {
    "argparse", "gettext", "locale", "shutil", "fnmatch", "errno", "zlib", "bz2", "lzma", "warnings",
    "re", "enum", "types", "functools", "collections", "operator", "keyword", "reprlib", "copyreg", "contextlib",
    "importlib", "encodings", "itertools", "heapq", "os", "stat", "posixpath", "genericpath", "textwrap", "struct",
}  # fmt: skip


def test_help_names_every_verb(cli):
    told = cli("--help")
    assert told.returncode == 0
    assert all(f"  {verb} " in told.stdout for verb in door.VERBS)


def test_nothing_typed_is_a_request_for_help(cli):
    assert cli().stdout == cli("--help").stdout


@pytest.mark.parametrize("verb", door.VERBS)
def test_each_verb_has_help(cli, verb):
    told = cli(verb, "--help")
    assert told.returncode == 0
    assert told.stdout.startswith(f"usage: lambdallm {verb}")


def test_version(cli):
    from lambdallm import __version__

    assert cli("--version").stdout == f"lambdallm {__version__}\n"


def test_the_installed_command_is_the_module(cli, environ):
    script = os.path.join(os.path.dirname(sys.executable), "lambdallm")
    told = subprocess.run([script, "--help"], env=environ, capture_output=True, text=True, timeout=60)
    assert told.stdout == cli("--help").stdout


def test_help_imports_argparse_and_little_else():
    """What keeps `lambdallm --help` instant: the library stays on the shelf."""
    code = "import sys; seen = {*sys.modules}; from lambdallm.cli.main import main; main(['--help']); "
    code += "print(*sorted({*sys.modules} - seen), file=sys.stderr)"
    told = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, env=_with_source())
    assert told.returncode == 0, told.stderr
    new = told.stderr.split()
    ours = {name for name in new if name.startswith("lambdallm")}
    assert ours == {"lambdallm", "lambdallm.cli", "lambdallm.cli.main"}
    foreign = {name.partition(".")[0] for name in new} - {"lambdallm"}
    assert {name for name in foreign if not name.startswith("_")} <= ALLOWED


def test_help_is_instant():
    """At most 60 ms over bare Python; the smallest of several runs, so that a busy machine does not matter."""

    def smallest(*args):
        times = []
        for _ in range(7):
            begun = time.perf_counter()
            subprocess.run([sys.executable, *args], check=True, stdout=subprocess.DEVNULL)
            times.append(time.perf_counter() - begun)
        return min(times)

    assert smallest("-m", "lambdallm", "--help") - smallest("-c", "pass") < 0.060


def test_an_unknown_verb_gets_the_nearest(cli):
    told = cli("invok")
    assert told.returncode == 2
    assert told.stderr == "error: There is no verb 'invok'. Did you mean 'invoke'?\n"


def test_an_unknown_option_names_itself_and_the_help(cli):
    told = cli("models", "--colour")
    assert told.returncode == 2
    assert told.stderr == "error: '--colour' is not understood. See `lambdallm models --help`.\n"


def test_a_bug_of_ours_is_one_line_and_a_traceback_only_with_debug(monkeypatch, capsys):
    monkeypatch.setattr("lambdallm.cli.providers.run", lambda args: 1 / 0)
    assert door.main(["providers"]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "ZeroDivisionError" in said
    assert "report it" in said
    assert door.main(["providers", "--debug"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_ctrl_c_is_130_and_silent(monkeypatch, capsys):
    def interrupted(args):
        raise KeyboardInterrupt

    monkeypatch.setattr("lambdallm.cli.providers.run", interrupted)
    assert door.main(["providers"]) == 130
    assert capsys.readouterr() == ("", "")


def test_a_reader_that_left_is_no_error(environ):
    """`lambdallm models | head -1`, where head is already gone."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        told = subprocess.run(
            [sys.executable, "-m", "lambdallm", "models"], stdout=writing, stderr=subprocess.PIPE, env=environ
        )
    finally:
        os.close(writing)
    assert (told.returncode, told.stderr) == (141, b"")


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_colour_is_for_terminals_and_never_with_no_color(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert paint("error", "red", Terminal()) == "\x1b[31merror\x1b[0m"
    assert paint("error", "red", io.StringIO()) == "error"
    monkeypatch.setenv("NO_COLOR", "1")
    assert paint("error", "red", Terminal()) == "error"


def _with_source():
    import lambdallm

    source = os.path.dirname(os.path.dirname(lambdallm.__file__))
    return {**os.environ, "PYTHONPATH": source}
