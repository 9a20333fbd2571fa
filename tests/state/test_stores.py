"""Every store keeps journals alike: the kit that outsiders run, against real servers."""

import pytest

import state_stores
from lambdallm.state import MemoryStateStore
from lambdallm.testing.conformance.store import check_processes, check_store, main


def test_each_store_passes_the_kit(store):
    report = check_store(lambda: store)
    assert report.ok, report
    assert len(report.checks) == 30


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
    assert "15 of 15 checks hold" in said
    assert "holds  2 processes lose nothing of each other (blocking)" in said


class Forgetful(MemoryStateStore):
    """Drops what somebody else has appended: what the kit is there to find."""

    def append(self, key, after, entries, ttl_seconds=None):
        known = yield from self.read(key)
        yield from super().remove(key)
        yield from super().append(key, 0, [*(entry.data for entry in known[:after]), *entries], ttl_seconds)


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
