"""Where the local provider looks for its model, and what it says when the model or its engine is not there."""

import os
import sys

import pytest

from lambdallm.llm.clients import llama, local, model_file
from lambdallm.llm.clients.local import LocalTransport
from lambdallm.llm.clients.model_file import LocalModel, cache_folder, locate
from lambdallm.llm.errors import ConfigurationError, MissingExtraError
from lambdallm.transport.types import HttpRequest, Timeouts

CHAT = HttpRequest("POST", "local:///v1/chat/completions", (), b'{"messages":[{"role":"user","content":"Hi"}]}')


def test_the_cache_folder_is_the_most_particular_one_named():
    assert cache_folder({"LAMBDALLM_CACHE": "/a", "XDG_CACHE_HOME": "/b"}) == "/a"
    assert cache_folder({"XDG_CACHE_HOME": "/b"}) == "/b/lambdallm"
    assert cache_folder({}).endswith("lambdallm")


def test_a_model_that_was_not_pulled_says_how(tmp_path):
    with pytest.raises(ConfigurationError, match="lambdallm local pull"):
        locate({"LAMBDALLM_CACHE": str(tmp_path)})


def test_a_missing_file_is_named_with_its_variable():
    with pytest.raises(ConfigurationError, match=r"LAMBDALLM_LOCAL_MODEL names '/nowhere/m\.gguf'"):
        locate({"LAMBDALLM_LOCAL_MODEL": "/nowhere/m.gguf"})


def test_another_model_goes_by_its_files_name(tmp_path):
    (tmp_path / "Other-1B.Q8.gguf").touch()
    path = str(tmp_path / "Other-1B.Q8.gguf")
    assert locate({"LAMBDALLM_LOCAL_MODEL": path}) == LocalModel("Other-1B.Q8", path)


def test_the_default_model_goes_by_its_own_name(tmp_path):
    path = tmp_path / "models" / model_file.SMOLLM2.file_name
    path.parent.mkdir()
    path.touch()
    assert locate({"LAMBDALLM_CACHE": str(tmp_path)}) == LocalModel("SmolLM2-135M-Instruct", str(path))


@pytest.mark.parametrize("text", ["many", "-1", "3", "4k"])
def test_a_context_that_is_no_number_is_named(text):
    with pytest.raises(ConfigurationError, match=f"LAMBDALLM_LOCAL_CONTEXT is '{text}'"):
        llama.context_size({"LAMBDALLM_LOCAL_CONTEXT": text})


def test_threads_can_be_chosen():
    assert llama.thread_count({}) == (os.cpu_count() or 1)
    assert llama.thread_count({"LAMBDALLM_LOCAL_THREADS": "3"}) == 3


def test_an_engine_that_lacks_a_system_library_says_which(tmp_path, monkeypatch):
    (tmp_path / "m.gguf").touch()
    (tmp_path / "xllamacpp.py").write_text("raise ImportError('libgomp.so.1: cannot open shared object file')")
    monkeypatch.setenv("LAMBDALLM_LOCAL_MODEL", str(tmp_path / "m.gguf"))
    monkeypatch.delitem(sys.modules, "xllamacpp", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigurationError, match=r"libgomp\.so\.1"):
        LocalTransport().send(CHAT, Timeouts())


def test_the_context_can_be_chosen():
    assert llama.context_size({}) == 4096
    assert llama.context_size({"LAMBDALLM_LOCAL_CONTEXT": "8192"}) == 8192


def test_a_file_that_is_no_model_is_named(tmp_path, monkeypatch):
    path = tmp_path / "bad.gguf"
    path.write_bytes(b"GGUF, they said")
    monkeypatch.setenv("LAMBDALLM_LOCAL_MODEL", str(path))
    with pytest.raises(ConfigurationError, match=r"bad\.gguf"):
        LocalTransport().send(CHAT, Timeouts())


def test_a_missing_engine_names_the_extra(tmp_path, monkeypatch):
    (tmp_path / "m.gguf").touch()
    monkeypatch.setenv("LAMBDALLM_LOCAL_MODEL", str(tmp_path / "m.gguf"))
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    with pytest.raises(MissingExtraError, match=r"lambdallm\[local\]"):
        LocalTransport().send(CHAT, Timeouts())


@pytest.mark.parametrize(
    ("template", "takes"), [("{% if tools %}…{% endif %}", True), ("{{ messages }}", False), (None, False)]
)
def test_a_model_takes_tools_if_its_chat_template_does(tmp_path, template, takes):
    path = tmp_path / "m.gguf"
    text = (template or "").encode()
    entry = [len(KEY).to_bytes(8, "little"), KEY, (8).to_bytes(4, "little"), len(text).to_bytes(8, "little"), text]
    path.write_bytes(b"GGUF" + bytes(20) + (b"".join(entry) if template else b"") + b"tools")
    assert local._takes_tools(str(path)) is takes


KEY = b"tokenizer.chat_template"
