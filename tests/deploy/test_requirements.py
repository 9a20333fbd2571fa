"""Requirements as an installer takes them."""

import pytest

from lambdallm import __version__
from lambdallm.deploy.errors import BuildError
from lambdallm.deploy.requirements import name_of, requirements

NO_FILES = {}.__getitem__


def lines(text, files=NO_FILES, project="/project"):
    return requirements(text, "/project", files, project).lines


def test_comments_and_empty_lines_go_and_continued_lines_are_one():
    text = "# all\nhttpx>=0.27  # the client\n\npydantic==2.7 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n"
    assert [" ".join(line.split()) for line in lines(text)] == [
        "httpx>=0.27",
        "pydantic==2.7 --hash=sha256:aa --hash=sha256:bb",
    ]


def test_a_fragment_of_a_url_is_no_comment():
    assert lines("pkg @ https://host/pkg.whl#sha256=aa") == ("pkg @ https://host/pkg.whl#sha256=aa",)


def test_included_files_stand_in_the_place_of_the_line_and_may_include_others():
    files = {"/project/base/all.txt": "a\n-r more.txt\n", "/project/base/more.txt": "b\n./wheels/c.whl\n"}
    told = lines("-r base/all.txt\n-c limits.txt\nd", files.__getitem__)
    assert told == ("a", "b", "/project/base/wheels/c.whl", "-c /project/limits.txt", "d")


def test_a_file_that_includes_itself_is_told():
    files = {"/project/a.txt": "-r a.txt"}
    with pytest.raises(BuildError, match=r"'/project/a.txt' include themselves"):
        lines("--requirement=a.txt", files.__getitem__)


@pytest.mark.parametrize("line", ["-e .", ".", "--editable .", "-e .[extra]", "me @ file:///project"])
def test_the_project_is_no_requirement_of_its_own(line):
    assert lines(f"{line}\nhttpx") == ("httpx",)


def test_an_editable_install_becomes_a_plain_one(tmp_path):
    (tmp_path / "lib").mkdir()
    found = requirements("-e ./lib[fast] ; python_version > '3'", str(tmp_path), NO_FILES, "/project")
    assert found.lines == (f"{tmp_path}/lib[fast] ; python_version > '3'",)
    assert found.folders == (f"{tmp_path}/lib",)


def test_where_every_line_has_its_hash_lambdallm_goes_for_what_is_packed_has_none():
    text = f"LambdaLLM=={__version__} --hash=sha256:a\nb==2 --hash=sha256:b"
    found = requirements(text, "/project", NO_FILES, "/project")
    assert found.lines == ("b==2 --hash=sha256:b",)
    assert found.hashed


@pytest.mark.parametrize("line", ["lambdallm", f"LambdaLLM == {__version__}"])
def test_lambdallm_itself_is_packed_anyway_and_needs_no_installer(line):
    assert lines(line) == ()


@pytest.mark.parametrize("line", ["lambdallm[yaml]", "lambdallm>=0.1", "lambdallm ; python_version > '3'"])
def test_what_more_is_asked_of_it_is_the_installers_business(line):
    assert lines(line) == (line,)


def test_hashes_of_another_lambdallm_than_the_one_that_runs_are_told():
    with pytest.raises(BuildError, match=rf"ask for lambdallm==99\.1, and {__version__} runs this build"):
        lines("lambdallm==99.1 --hash=sha256:a")


def test_options_go_on_as_they_are():
    assert lines("--index-url https://host/simple\n--pre\na") == ("--index-url https://host/simple", "--pre", "a")


@pytest.mark.parametrize(
    ("line", "name"),
    [("Py.Yaml>=6", "py-yaml"), ("a[b,c]==1; x", "a"), ("./a.whl", None), ("--pre", None), ("a@ https://h/a", "a")],
)
def test_the_name_that_a_line_requires(line, name):
    assert name_of(line) == name
