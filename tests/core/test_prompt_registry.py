"""A registry: prompts by name, version and label, from folders and from code."""

import json
import os
import threading
from operator import lt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdallm import Prompt
from lambdallm.core.exceptions import ConfigurationError, PromptError
from lambdallm.core.prompts import PromptRegistry
from lambdallm.core.prompts.versions import is_release, version_key


def summary(version, template="Summarise {text}", **more):
    return Prompt(template, name="summary", version=version, **more)


@pytest.fixture
def registry():
    registry = PromptRegistry()
    for version in ("1.0.0", "1.10.0", "1.2.0", "2.0.0-rc.1"):
        registry.register(summary(version, f"{version}: {{text}}"))
    registry.label("summary", "production", "1.2.0")
    return registry


class TestGet:
    @pytest.mark.parametrize(
        ("asked", "version"),
        [
            (None, "1.10.0"),
            ("latest", "1.10.0"),
            ("1.2.0", "1.2.0"),
            ("1.2", "1.2.0"),
            ("1.2.0+build.7", "1.2.0"),
            ("2.0.0-rc.1", "2.0.0-rc.1"),
            ("production", "1.2.0"),
        ],
    )
    def test_the_latest_an_exact_one_or_a_labels(self, registry, asked, version):
        assert registry.get("summary", asked).version == version

    def test_where_all_are_pre_releases_the_highest_is_the_latest(self):
        registry = PromptRegistry()
        for version in ("1.0.0-rc.2", "1.0.0-rc.10", "1.0.0-beta"):
            registry.register(summary(version))
        assert registry.get("summary").version == "1.0.0-rc.10"

    @pytest.mark.parametrize(
        ("name", "version", "message"),
        [
            ("sumary", None, r"no prompt 'sumary'\. Did you mean 'summary'\?"),
            ("summary", "1.2.1", r"'summary' has no version or label '1\.2\.1'\. Did you mean '1\.2\.0'"),
            ("summary", "prodution", r"has no version or label 'prodution'\. Did you mean 'production'\?"),
        ],
    )
    def test_what_there_is_none_of_is_told_with_the_nearest(self, registry, name, version, message):
        with pytest.raises(ConfigurationError, match=message):
            registry.get(name, version)

    def test_an_empty_one_says_what_to_do(self):
        with pytest.raises(ConfigurationError, match="Register one, or name a folder"):
            PromptRegistry().get("summary")


class TestRegister:
    def test_gives_the_prompt_back(self):
        prompt = summary("1.0.0")
        assert PromptRegistry().register(prompt) is prompt

    def test_the_same_twice_is_one(self, registry):
        registry.register(summary("1.2.0", "1.2.0: {text}"))
        assert len(registry) == 4

    @pytest.mark.parametrize("version", ["1.2.0", "1.2"])
    def test_another_of_the_same_version_is_refused(self, registry, version):
        with pytest.raises(ConfigurationError, match=r"'summary' 1\.2(\.0)? is there already, from code, and differs"):
            registry.register(summary(version, "other"))

    def test_a_prompt_needs_a_name_and_a_version(self):
        with pytest.raises(ConfigurationError, match="has no name to be registered under"):
            PromptRegistry().register(Prompt("x"))
        with pytest.raises(ConfigurationError, match=r"version of 'summary' is 'draft'.*words belong to labels"):
            PromptRegistry().register(summary("draft"))

    def test_labels_lead_to_one_version(self, registry):
        registry.register(summary("3.0.0", labels=["canary"]), labels=["team-a"])
        assert registry.labels("summary") == {"canary": "3.0.0", "production": "1.2.0", "team-a": "3.0.0"}
        with pytest.raises(ConfigurationError, match=r"label 'canary' of 'summary' is at 3\.0\.0"):
            registry.register(summary("3.1.0", labels=["canary"]))
        assert registry.versions("summary")[-1] == "3.0.0"

    def test_a_label_can_be_moved(self, registry):
        registry.label("summary", "production", "latest")
        assert registry.get("summary", "production").version == "1.10.0"

    @pytest.mark.parametrize("label", ["latest", "1.0.0", "2", "", None])
    def test_a_label_is_no_version(self, registry, label):
        with pytest.raises(ConfigurationError, match="A label is"):
            registry.label("summary", label, "1.0.0")


class TestLooking:
    def test_names_versions_and_all(self, registry):
        registry.register(Prompt("x", name="another"))
        assert registry.names() == ["another", "summary"]
        assert registry.versions("summary") == ["1.0.0", "1.2.0", "1.10.0", "2.0.0-rc.1"]
        assert [(prompt.name, prompt.version) for prompt in registry][:2] == [
            ("another", "1.0.0"),
            ("summary", "1.0.0"),
        ]
        assert ("summary" in registry, "sumary" in registry, len(registry)) == (True, False, 5)

    def test_what_changed_between_two_versions(self, registry):
        registry.register(summary("3.0.0", "1.0.0: {text}", max_tokens=9))
        assert registry.changes("summary", "1.0.0", "3.0.0") == {"max_tokens": (1024, 9)}
        assert registry.changes("summary", "production", "1.10") == {"template": ("1.2.0: {text}", "1.10.0: {text}")}
        assert registry.changes("summary", "3.0.0") == {}


class TestFolders:
    @pytest.fixture
    def folder(self, tmp_path):
        (tmp_path / "old").mkdir()
        (tmp_path / ".git").mkdir()
        for name, text in {
            "summary.yaml": "template: Summarise {text}\nversion: 1.1.0\nlabels: [production]\n",
            "old/summary.json": json.dumps(summary("1.0.0").to_dict()),
            "rate.yml": "template: Rate {it}\nname: rating\n",
            "prompt.schema.json": "{}",
            "README.md": "words",
            ".git/config.json": "{",
        }.items():
            (tmp_path / name).write_text(text)
        return tmp_path

    def test_every_file_is_a_prompt_named_by_itself_or_its_file(self, folder):
        registry = PromptRegistry(folder)
        assert registry.names() == ["rating", "summary"]
        assert registry.versions("summary") == ["1.0.0", "1.1.0"]
        assert registry.get("summary", "production").version == "1.1.0"

    def test_nothing_is_read_before_the_first_question(self, tmp_path):
        registry = PromptRegistry(tmp_path / "none")
        for _ in range(2):
            with pytest.raises(ConfigurationError, match="none is no folder of prompts"):
                registry.names()
        (tmp_path / "none").mkdir()
        assert registry.names() == []

    def test_a_relative_folder_is_beside_the_function(self, folder, monkeypatch):
        monkeypatch.setenv("LAMBDA_TASK_ROOT", str(folder.parent))
        assert PromptRegistry(folder.name).names() == ["rating", "summary"]
        monkeypatch.delenv("LAMBDA_TASK_ROOT")
        monkeypatch.chdir(folder)
        assert PromptRegistry("old").names() == ["summary"]

    def test_a_mistake_names_its_file_and_adds_nothing(self, folder):
        registry = PromptRegistry()
        (folder / "wrong.yaml").write_text("template: x\nmax_token: 3\n")
        with pytest.raises(ConfigurationError, match=r"wrong\.yaml, line 2, column 1"):
            registry.load(folder)
        assert len(registry) == 0

    def test_two_files_of_one_version_are_both_named(self, folder):
        (folder / "zz.yaml").write_text("template: other\nname: summary\nversion: 1.1.0\n")
        with pytest.raises(
            ConfigurationError, match=r"zz\.yaml: 'summary' 1\.1\.0 is there already, from .*summary\.yaml"
        ):
            PromptRegistry(folder).names()

    def test_loading_gives_what_was_loaded(self, folder):
        registry = PromptRegistry()
        registry.register(summary("9.0.0"))
        assert [prompt.name for prompt in registry.load(folder)] == ["summary", "rating", "summary"]
        assert registry.get("summary").version == "9.0.0"

    def test_code_and_folder_together(self, folder):
        registry = PromptRegistry(folder)
        registry.register(summary("9.0.0"))
        assert registry.versions("summary") == ["1.0.0", "1.1.0", "9.0.0"]

    def test_a_file_whose_template_does_not_fit_is_a_prompt_error(self, folder):
        (folder / "wrong.yaml").write_text("template: x\ndefaults: {y: 1}\n")
        with pytest.raises(PromptError, match=r"wrong\.yaml, line 2"):
            PromptRegistry(folder).names()


class TestSharing:
    def test_threads_lose_nothing(self, tmp_path):
        (tmp_path / "a.json").write_text('{"template": "x"}')
        registry = PromptRegistry(tmp_path)
        failures = []

        def work(number):
            try:
                for minor in range(20):
                    registry.register(summary(f"{number}.{minor}.0"))
                    assert registry.get("summary", f"{number}.{minor}").version
                    assert registry.get("a").name == "a"
            except Exception as error:  # noqa: BLE001  # told below
                failures.append(error)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert (failures, len(registry)) == ([], 161)

    def test_a_child_of_a_process_that_was_writing_can_go_on(self, registry):
        with registry._lock:
            child = os.fork()
            if not child:
                registry.register(summary("7.0.0"))
                os._exit(0 if registry.get("summary").version == "7.0.0" else 1)
            _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0


class TestVersions:
    def test_are_ordered_as_semantic_versioning_orders_them(self):
        """The example of its clause 11."""
        ordered = ["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11",
                   "1.0.0-rc.1", "1.0.0", "1.0.1", "1.1.0", "1.10.0", "2.0.0"]  # fmt: skip
        keys = [version_key(version) for version in ordered]
        assert all(map(lt, keys, keys[1:]))

    @pytest.mark.parametrize(
        "version", ["", "draft", "v1", "1.", "1.2.3.4", "1.-1", "1.0.0-", "1.0.0-a..b", "1.0.0-é", "١"]
    )
    def test_other_words_are_none(self, version):
        assert version_key(version) is None

    def test_what_a_build_says_has_no_part_in_it(self):
        assert version_key("1.2.3+a") == version_key("1.2.3+b") == version_key("1.2.3")
        assert is_release(version_key("1.2.3+a-b"))

    parts = st.integers(0, 99)

    @given(st.tuples(parts, parts, parts), st.tuples(parts, parts, parts))
    def test_numbers_are_compared_as_numbers(self, one, other):
        keys = [version_key(".".join(map(str, each))) for each in (one, other)]
        assert (keys[0] < keys[1]) == (one < other)
        assert version_key(".".join(map(str, one)) + "-rc") < keys[0]
