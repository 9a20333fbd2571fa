"""The package as one file: what is imported from it is what would have been imported from its folder."""

import importlib.util
import io
import json
import marshal
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import lambdallm
from lambdallm._image import mount, packed

MODULES = {
    "shop": "shop/__init__.py",
    "shop.prices": "shop/prices.py",
    "shop.rooms": "shop/rooms/__init__.py",
    "shop.rooms.attic": "shop/rooms/attic.py",
}


def image(folder, modules, **standard):
    """An image made of sources: name of the module → file below the folder."""

    def compiled(folder, modules):
        codes = {name: compile((folder / file).read_bytes(), folder / file, "exec") for name, file in modules.items()}
        return {name: (file, marshal.dumps(codes[name])) for name, file in modules.items()}

    if "standard" in standard:
        standard["standard"] = compiled(Path(standard["standard_folder"]), standard["standard"])
    return packed(importlib.util.MAGIC_NUMBER, compiled(folder, modules), **standard)


@pytest.fixture
def shop(tmp_path):
    """A package with an image, in whose place there is nothing else but its sources."""
    files = {
        "__init__.py": "name = 'shop'\n",
        "prices.py": "import json\n\ndef price():\n    raise LookupError('no price')\n",
        "rooms/__init__.py": "from .attic import height\n",
        "rooms/attic.py": "height = 2\n",
        "rooms/plan.json": '{"rooms": 3}',
    }
    for name, text in files.items():
        (tmp_path / "shop" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "shop" / name).write_text(text)
    (tmp_path / "shop" / "image.bin").write_bytes(image(tmp_path, MODULES))
    return tmp_path / "shop"


def said(folder, code, *, opened="[]"):
    """What code says in a fresh process that has mounted the image of the package in `folder`; and what it opened."""
    program = f"""
import json, sys
opened = []
sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == "open" else None)
from lambdallm._image import mount
assert mount(open({str(folder / "image.bin")!r}, "rb", buffering=0), {str(folder)!r})
sys.path.insert(0, {str(folder.parent)!r})
opened.clear()
{code}
"""
    command = [sys.executable, "-B", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def test_modules_come_from_the_image_and_no_file_is_opened(shop):
    code = "import shop.prices, shop.rooms\nprint(json.dumps([shop.name, shop.rooms.height, opened]))"
    assert said(shop, code) == ["shop", 2, []]


def test_modules_are_where_their_files_are(shop):
    code = (
        "import shop.rooms, shop.prices, importlib.resources\n"
        "plan = json.loads((importlib.resources.files('shop.rooms') / 'plan.json').read_text())\n"
        "print(json.dumps([shop.rooms.__file__, list(shop.rooms.__path__), shop.prices.__package__, plan]))"
    )
    rooms = shop / "rooms"
    assert said(shop, code) == [str(rooms / "__init__.py"), [str(rooms)], "shop", {"rooms": 3}]


def test_tracebacks_show_lines_and_sources_can_be_read(shop):
    code = (
        "import inspect, shop.prices, traceback\n"
        "try: shop.prices.price()\n"
        "except LookupError as error: text = ''.join(traceback.format_exception(error))\n"
        "print(json.dumps([text, inspect.getsource(shop.prices.price)]))"
    )
    text, source = said(shop, code)
    assert f'File "{shop / "prices.py"}", line 4, in price\n    raise LookupError' in text
    assert source.startswith("def price():")


def test_an_image_works_where_it_was_moved_to(shop, tmp_path):
    moved = tmp_path / "elsewhere" / "shop"
    shutil.copytree(shop, moved)
    shutil.rmtree(shop)
    code = "import shop.prices\nprint(json.dumps([shop.prices.__file__, shop.prices.price.__code__.co_filename]))"
    assert said(moved, code) == [str(moved / "prices.py")] * 2


def test_a_module_that_is_not_in_it_is_imported_from_its_folder(shop):
    (shop / "late.py").write_text("late = True\n")
    assert said(shop, "import shop.late\nprint(json.dumps(shop.late.late))") is True


def test_a_module_can_be_reloaded_and_pickled(shop):
    code = (
        "import importlib, pickle, shop.prices\n"
        "again = importlib.reload(shop.prices)\n"
        "print(json.dumps(pickle.loads(pickle.dumps(again.price)) is again.price))"
    )
    assert said(shop, code) is True


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 an archive", b"old\n" + bytes(80)], ids=["empty", "zip", "old"])
def test_what_is_no_image_for_this_python_is_left_alone(content, tmp_path):
    (tmp_path / "image.bin").write_bytes(content)
    finders = list(sys.meta_path)
    file = io.FileIO(tmp_path / "image.bin")
    assert not mount(file, str(tmp_path))
    assert file.closed
    assert sys.meta_path == finders


@pytest.mark.parametrize("same", [True, False], ids=["this Python", "another build"])
def test_the_standard_library_comes_from_it_only_for_the_very_same_python(same, tmp_path):
    package = tmp_path / "shop"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (tmp_path / "colorsys.py").write_text("origin = 'image'\n")
    version = sys.version if same else "3.99.0 (another build)"
    standard = {"standard_folder": str(tmp_path), "standard": {"colorsys": "colorsys.py"}}
    (package / "image.bin").write_bytes(image(tmp_path, {"shop": "shop/__init__.py"}, version=version, **standard))
    code = "import colorsys\nprint(json.dumps(getattr(colorsys, 'origin', 'library')))"
    assert said(package, f"sys.path.remove({str(tmp_path)!r})\n{code}") == ("image" if same else "library")


def test_this_whole_package_answers_from_its_image(tmp_path):
    """Of the package itself nothing but its door, the image and data files are opened."""
    source = Path(lambdallm.__path__[0])
    copied = tmp_path / "lambdallm"
    shutil.copytree(source, copied, ignore=shutil.ignore_patterns("__pycache__", "cli", "testing"))
    modules = {}
    for file in sorted(copied.rglob("*.py")):
        below = file.relative_to(tmp_path)
        modules[".".join(below.with_suffix("").parts).removesuffix(".__init__")] = str(below)
    (copied / "image.bin").write_bytes(image(tmp_path, modules))
    code = f"""
import sys
opened = []
sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == "open" else None)
sys.path.insert(0, {str(tmp_path)!r})
from lambdallm import handler
@handler(model="echo")
def answer(event, context):
    return context.invoke("Hello {{name}}", name="World")
assert answer({{}}) == "Hello World"
print(*[name for name in opened if name.startswith({str(copied)!r})], sep="\\n")
"""
    command = [sys.executable, "-I", "-B", "-c", code]
    lines = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.splitlines()
    names = {os.path.relpath(line, copied) for line in lines}
    assert {name for name in names if name.endswith(".py")} == {"__init__.py", "_image.py"}
    assert "image.bin" in names
