"""Every store keeps journals alike: the kit that outsiders run, against real servers."""

import subprocess

import pytest

import lambdallm.testing.conformance.store as kit
import state_stores
from lambdallm.llm.errors import ConfigurationError
from lambdallm.state import MemoryStateStore, Session
from lambdallm.testing.conformance.store import check_processes, check_store, main


def test_each_store_passes_the_kit(store):
    report = check_store(lambda: store)
    assert report.ok, report
    assert len(report.checks) == 32


@pytest.mark.parametrize("kind", ["file", "redis", "dynamodb"])
def test_processes_that_share_a_store_lose_nothing_of_each_other(kind, request, monkeypatch):
    request.getfixturevalue(f"{kind}_store")
    monkeypatch.setenv("PYTHONPATH", state_stores.__file__.rpartition("/")[0])
    report = check_processes(f"state_stores:{kind}", processes=3, turns=10)
    assert report.ok, report


def test_the_kit_runs_by_a_stores_import_path(file_store, capsys, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", state_stores.__file__.rpartition("/")[0])
    arguments = ["state_stores:file", "--processes", "2", "--turns", "3", "--drivers", "blocking"]
    assert main(arguments) == 0
    said = capsys.readouterr().out
    assert "16 of 16 checks hold" in said
    assert "holds  2 processes lose nothing of each other (blocking)" in said


class Forgetful(MemoryStateStore):
    """Drops what somebody else has appended: what the kit is there to find."""

    def append(self, key, after, entries, ttl_seconds=None):
        known = yield from self.read(key)
        yield from super().remove(key)
        yield from super().append(key, 0, [*(entry.data for entry in known[:after]), *entries], ttl_seconds)


@pytest.mark.parametrize("path", ["state_stores:nothing", "no_module:make", "state_stores"])
def test_a_path_that_leads_nowhere_is_named(path, capsys):
    with pytest.raises(SystemExit):
        main([path])
    said = capsys.readouterr().err
    assert f"{path!r} can't be imported" in said
    assert "like my_package.stores:make_store" in said


def test_processes_that_do_not_end_are_ended_and_said(file_store, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", state_stores.__file__.rpartition("/")[0])
    monkeypatch.setattr(kit, "_SECONDS", 0.01)
    begun = []

    class Recorded(subprocess.Popen):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            begun.append(self)

    monkeypatch.setattr(subprocess, "Popen", Recorded)
    report = check_processes("state_stores:file", processes=2, turns=1_000_000)
    assert report.problems[0].problem == "They were not done after 0.01 seconds."
    assert [process.returncode for process in begun] == [-9, -9]


def test_a_store_that_overwrites_does_not_pass():
    report = check_store(Forgetful, drivers=["blocking"])
    assert not report.ok
    failed = {check.name for check in report.problems}
    assert "an append after the wrong entry is refused, and leaves nothing" in failed
    assert "writers at the same time lose nothing, and entries of one append stay together" in failed


def test_a_store_that_raises_has_failed_its_checks_and_ends_nothing():
    class Broken(MemoryStateStore):
        def read(self, key, after=0):
            raise OSError("unplugged")

    report = check_store(Broken, drivers=["blocking"])
    assert report.problems[0].problem == "It raised OSError('unplugged')."


def test_a_password_is_in_no_error_and_no_repr():
    with pytest.raises(ConfigurationError) as failed:
        Session(store="reds://user:hunter2@cache")
    assert "hunter2" not in str(failed.value) + repr(Session(store="redis://user:hunter2@cache"))
