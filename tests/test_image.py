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


def image(folder, modules, version="", standard=None):
    """An image made of sources: name of the module → file below the folder; `standard` are the library's."""

    def compiled(modules):
        codes = {name: compile((folder / file).read_bytes(), folder / file, "exec") for name, file in modules.items()}
        return {name: (file.endswith("__init__.py"), marshal.dumps(codes[name])) for name, file in modules.items()}

    return packed(importlib.util.MAGIC_NUMBER, compiled(modules), version, compiled(standard or {}))


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


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK\x03\x04 an archive",
        b"old\n" + bytes(80),
        importlib.util.MAGIC_NUMBER,
        importlib.util.MAGIC_NUMBER + b"\x10\0\0\0" + marshal.dumps(("cut", "off"))[:7],
        importlib.util.MAGIC_NUMBER + b"\x05\0\0\0" + marshal.dumps(7),
    ],
    ids=["empty", "zip", "old", "head alone", "cut off", "something else"],
)
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
    held = image(tmp_path, {"shop": "shop/__init__.py"}, version, {"colorsys": "colorsys.py"})
    (package / "image.bin").write_bytes(held)
    code = (
        f"sys.path.remove({str(tmp_path)!r})\n"
        "import colorsys\n"
        "print(json.dumps([getattr(colorsys, 'origin', 'library'), colorsys.__file__]))"
    )
    assert said(package, code) == ["image" if same else "library", importlib.util.find_spec("colorsys").origin]


CLOSED = "import os\nos.closerange(3, 256)\n"


@pytest.mark.parametrize(
    "since",
    [
        CLOSED,
        CLOSED + "others = [os.open('/dev/zero', os.O_RDONLY) for _ in range(9)]\n",
        CLOSED + "import socket\nothers = [socket.socketpair() for _ in range(9)]\n",
    ],
    ids=["closed", "another file's", "a socket's"],
)
def test_a_function_that_closes_all_descriptors_still_imports(since, shop):
    """The image is opened again, and what has its number now is neither read nor closed."""
    code = f"{since}opened.clear()\nimport shop.rooms, shop.prices\nprint(json.dumps([shop.rooms.height, len(opened)]))"
    height, openings = said(shop, code)
    assert (height, openings) == (2, 1)


@pytest.mark.parametrize(
    "since",
    [
        "os.remove(path)",
        "os.truncate(path, 60)",
        "open(path, 'r+b').write(bytes(os.path.getsize(path)))",
        "os.chmod(path, 0)",
    ],
    ids=["removed", "cut off", "overwritten", "forbidden"],
)
def test_an_image_that_cannot_be_read_any_more_is_done_without(since, shop):
    code = (
        f"import os\npath = {str(shop / 'image.bin')!r}\n{since}\nos.closerange(3, 256)\n"
        "import shop.rooms, shop.prices\nprint(json.dumps(shop.rooms.height))"
    )
    assert said(shop, code) == 2


def test_a_forked_process_imports_from_it_at_the_same_time(shop):
    code = (
        "import os\nchild = os.fork()\nimport shop.rooms.attic, shop.prices\n"
        "if not child: os._exit(shop.rooms.height)\n"
        "print(json.dumps([shop.rooms.height, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), len(opened)]))"
    )
    assert said(shop, code) == [2, 2, 0]


def test_nothing_is_left_open_that_python_would_warn_of_or_a_child_would_have(shop):
    code = f"""
import os, subprocess, sys
from lambdallm._image import mount
with open({str(shop / "image.bin")!r}, "rb", buffering=0) as file:
    mount(file, {str(shop)!r})
held = [fd for fd in os.listdir("/proc/self/fd") if os.path.realpath(f"/proc/self/fd/{{fd}}").endswith("image.bin")]
assert len(held) == 1 and not os.get_inheritable(int(held[0]))
"""
    done = subprocess.run([sys.executable, "-X", "dev", "-W", "error", "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


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
