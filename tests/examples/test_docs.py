"""The documentation: its code is an example's or runs, its links lead somewhere, its tables are the code's."""

import ast
import asyncio
import inspect
import pkgutil
import re
import shlex
import subprocess
import sys
import textwrap
from importlib import import_module
from pathlib import Path

import pytest

import lambdallm.llm
from lambdallm.cli.main import _parser

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs").rglob("*.md"))
READ_FIRST = [ROOT / name for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md")]
HOW_TO = [page for page in PAGES if page.parent.name == "how-to"]
EXAMPLES = [path.read_text() for path in sorted((ROOT / "examples").rglob("*.py"))]

blocks = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
generated = re.compile(r"<!-- write .*?<!-- end -->", re.DOTALL)


def named(path):
    return str(path.relative_to(ROOT))


def blocks_of(page):
    found = blocks.findall(page.read_text())
    return [pytest.param(block, id=f"{named(page)}:{number}") for number, block in enumerate(found, 1)]


def is_excerpt(block, source):
    """Whether the lines stand in a source as they are, one after another, at any one indent."""
    indented = (textwrap.indent(block, " " * indent) for indent in range(0, 13, 4))
    return any(f"\n{lines}" in f"\n{source}" for lines in indented)


@pytest.mark.parametrize("block", [block for page in [ROOT / "README.md", *PAGES] for block in blocks_of(page)])
def test_code_is_an_excerpt_of_an_example_or_runs(block, capsys):
    if any(is_excerpt(block, source) for source in EXAMPLES):
        return
    code = compile(block, "<docs>", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    running = eval(code, {"__name__": "docs"})
    if inspect.iscoroutine(running):
        asyncio.run(running)


@pytest.mark.parametrize("page", HOW_TO, ids=named)
def test_a_how_to_shows_code_by_line_five_and_says_its_limits(page):
    lines = page.read_text().splitlines()
    assert "```python" in lines[:5]
    assert "## Limits" in lines


commands = re.compile(r"^\$ (lambdallm|python) (.*)$", re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_commands_are_understood(page):
    for program, words in commands.findall(page.read_text()):
        given = shlex.split(words)
        if program == "lambdallm":
            assert _parser(given[0]).parse_known_args(given)[1] == []
        else:
            assert (ROOT / given[0]).is_file()


outputs = re.compile(r"^```text\n(.*?)^```", re.DOTALL | re.MULTILINE)
example = re.compile(r"examples/clients/(\w+)\.py")


@pytest.mark.parametrize("page", [page for page in HOW_TO if outputs.search(page.read_text())], ids=named)
def test_what_is_shown_as_output_is_what_the_example_prints(page):
    """Numbers may differ: times do."""
    name = example.search(page.read_text())[0]
    printed = subprocess.run([sys.executable, str(ROOT / name)], capture_output=True, text=True, timeout=120).stdout
    for shown in outputs.findall(page.read_text()):
        assert re.sub(r"\d+", "0", shown) in re.sub(r"\d+", "0", printed)


def anchors(page):
    """What GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", [*READ_FIRST, *PAGES], ids=named)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text()):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        assert found.exists(), target
        assert not anchor or anchor in anchors(found), target


def test_every_page_is_on_the_map():
    docs = ROOT / "docs"
    told = (docs / "README.md").read_text()
    assert [named(page) for page in PAGES if f"({page.relative_to(docs)})" not in told] == ["docs/README.md"]


@pytest.fixture(scope="module")
def names():
    """Every name of the library and of the examples."""
    known = set(dir(lambdallm)) | {name for source in EXAMPLES for name in re.findall(r"class (\w+)", source)}
    rooms = ("llm", "core", "runtime", "state", "middleware", "chains", "gateway")
    packages = [import_module(f"lambdallm.{room}") for room in rooms]
    for module in (each for home in packages for each in pkgutil.walk_packages(home.__path__, f"{home.__name__}.")):
        if ".wire." not in module.name and ".local." not in module.name:
            known |= set(dir(import_module(module.name)))
    return known


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_names_of_classes_exist(page, names):
    prose = generated.sub("", blocks.sub("", page.read_text()))
    told = {name for span in re.findall(r"`([^`\n]+)`", prose) for name in re.findall(r"\b[A-Z]\w*[a-z]\w*\b", span)}
    assert told - names <= {"None", "True", "False"}


def test_the_reference_is_what_the_code_says():
    command = [sys.executable, str(ROOT / "scripts" / "write_reference.py"), "--check"]
    told = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert told.returncode == 0, told.stderr
