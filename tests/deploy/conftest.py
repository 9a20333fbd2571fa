"""A project in a folder of its own, wheels made on the spot for it to need, and builds of it."""

import base64
import hashlib
import textwrap
import zipfile
from pathlib import Path

import pytest

from lambdallm.deploy import Settings
from lambdallm.deploy import build as build_package
from lambdallm.deploy.collect import library_files

ECHO = '''
    """A function that says again what it is told."""
    from lambdallm import handler

    @handler(model="echo")
    def lambda_handler(event, context):
        return context.invoke(event["text"])
'''


@pytest.fixture
def project(tmp_path):
    """Write files into a folder and give the folder: project({"app.py": "…"})."""
    return lambda files=None, name="project": write_all(tmp_path / name, {"app.py": ECHO} if files is None else files)


def write_all(folder, files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            place.write_bytes(content)
        else:
            place.write_text(textwrap.dedent(content).lstrip("\n"))
    return folder


@pytest.fixture
def build(tmp_path):
    """Build a project: build(folder, python="3.12") gives the report and the names and bytes in the zip."""

    def run(folder, **options):
        settings = Settings(code=str(folder), project=str(folder), output=str(tmp_path / "out" / "f.zip"))
        report = build_package(settings.replace(**options))
        with zipfile.ZipFile(report.output) as archive:
            return report, {info.filename: archive.read(info) for info in archive.infolist()}

    return run


@pytest.fixture
def wheel(tmp_path, monkeypatch):
    """Make wheels that installers find, and nothing else: wheel("yaml", {"yaml/__init__.py": ""}) gives its path."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    offline = {"UV_OFFLINE": "1", "UV_NO_INDEX": "1", "PIP_NO_INDEX": "1"}
    places = {"UV_FIND_LINKS": str(folder), "PIP_FIND_LINKS": str(folder), "UV_CACHE_DIR": str(tmp_path / "uv-cache")}
    for name, value in (offline | places).items():
        monkeypatch.setenv(name, value)

    def make(name, files, version="1.0", requires=(), tag="py3-none-any"):
        about = f"{name.replace('-', '_')}-{version}.dist-info"
        needs = "".join(f"Requires-Dist: {each}\n" for each in requires)
        all_files = {
            **{path: text.encode() if isinstance(text, str) else text for path, text in files.items()},
            f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}".encode(),
            f"{about}/WHEEL": f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n".encode(),
        }
        record = "".join(f"{path},sha256={_digest(data)},{len(data)}\n" for path, data in all_files.items())
        path = folder / f"{name.replace('-', '_')}-{version}-{tag}.whl"
        with zipfile.ZipFile(path, "w") as archive:
            for file, data in {**all_files, f"{about}/RECORD": f"{record}{about}/RECORD,,\n".encode()}.items():
                info = zipfile.ZipInfo(file)
                info.external_attr = (0o100755 if "/scripts/" in file else 0o100644) << 16
                archive.writestr(info, data)
        return path

    return make


def _digest(data):
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


@pytest.fixture
def little_of_lambdallm(monkeypatch):
    """Pack one file of LambdaLLM, for tests that look at something else: all of it takes half a second."""
    monkeypatch.setattr("lambdallm.deploy.gather.library_files", lambda used: library_files(used)[:1])
    monkeypatch.setattr("lambdallm.deploy.gather._roots", lambda folder: ([], []))


@pytest.fixture
def unpacked(tmp_path):
    """Unpack a zip as Lambda does, modes included, into a folder that nobody writes to."""
    made = []

    def unpack(path, name="task"):
        folder = tmp_path / name
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                Path(archive.extract(info, folder)).chmod(info.external_attr >> 16 & 0o555)
        for inner in (folder, *(each for each in folder.rglob("*") if each.is_dir())):
            inner.chmod(0o555)
            made.append(inner)
        return folder

    yield unpack
    for folder in made:
        folder.chmod(0o755)
