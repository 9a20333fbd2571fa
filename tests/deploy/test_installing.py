"""Dependencies: read from what a project has, installed for Lambda's machine by whichever installer is there."""

import hashlib
import shutil
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from lambdallm import __version__
from lambdallm.deploy import installer as installers
from lambdallm.deploy.errors import BuildError
from lambdallm.deploy.installer import Installer, find_installer
from lambdallm.deploy.own_wheel import metadata

UV = shutil.which("uv") or str(Path(sys.executable).parent / "uv")
pytestmark = pytest.mark.usefixtures("little_of_lambdallm")
INSTALLERS = {"uv": Installer((UV,), is_uv=True), "pip": Installer((sys.executable, "-m", "pip"), is_uv=False)}


@pytest.fixture(params=INSTALLERS)
def installer(request, monkeypatch):
    monkeypatch.setattr("lambdallm.deploy.gather.find_installer", lambda: INSTALLERS[request.param])
    return request.param


def test_requirements_are_installed_with_what_they_need(project, build, wheel, installer):
    wheel("colour", {"colour/__init__.py": "import shade\n"}, requires=["shade>=1"])
    wheel("shade", {"shade.py": "DEEP = 1\n"}, version="1.5")
    report, names = build(project({"app.py": "", "requirements.txt": "colour\nlambdallm\n"}))
    assert {"colour/__init__.py", "shade.py", "shade-1.5.dist-info/METADATA"} <= set(names)
    assert report.requirements.endswith("requirements.txt")
    sizes = {part.owner: part.version for part in report.parts}
    assert sizes.items() >= {"colour": "1.0", "shade": "1.5", "lambdallm": __version__}.items()
    assert not {name for name in names if name.endswith(("RECORD", "INSTALLER", "direct_url.json"))}


def test_an_extra_of_lambdallm_brings_what_it_names_and_the_lambdallm_that_runs(project, build, wheel, installer):
    wheel("pyyaml", {"yaml/__init__.py": ""}, version="6.0.9")
    _, names = build(project({"app.py": "", "requirements.txt": "lambdallm[yaml]\n"}))
    assert "yaml/__init__.py" in names
    assert "lambdallm/__init__.py" in names
    assert not [name for name in names if ".dist-info" in name and name.startswith("lambdallm")]


def test_another_lambdallm_than_the_one_that_runs_is_an_error(project, build, wheel):
    folder = project({"app.py": "", "requirements.txt": "lambdallm==99.0\n"})
    with pytest.raises(BuildError, match=r"ask for lambdallm==99\.0, and"):
        build(folder)
    (folder / "requirements.txt").write_text("lambdallm>=99\n")
    with pytest.raises(BuildError, match=r"(?s)dependencies can't be installed.*lambdallm>=99"):
        build(folder)


def test_the_machine_is_lambdas_and_not_this_one(project, build, wheel, installer):
    tags = {"x86_64": "cp312-cp312-manylinux_2_28_x86_64", "arm64": "cp312-cp312-manylinux_2_28_aarch64"}
    for arch, tag in tags.items():
        wheel("fast", {"fast/arch.txt": arch}, tag=tag)
    folder = project({"app.py": "", "requirements.txt": "fast\n"})
    for arch in tags:
        _, names = build(folder, arch=arch, python="3.12", bytecode=False)
        assert names["fast/arch.txt"] == arch.encode()


def test_a_wheel_that_is_too_new_for_the_runtimes_c_library_is_not_taken(project, build, wheel, installer):
    wheel("fast", {"fast/x.txt": ""}, tag="cp311-abi3-manylinux_2_34_x86_64")
    folder = project({"app.py": "", "requirements.txt": "fast\n"})
    build(folder, python="3.12", bytecode=False)
    with pytest.raises(BuildError, match="can't be installed"):
        build(folder, python="3.11", bytecode=False)


def test_hashes_are_honoured(project, build, wheel, installer):
    right = hashlib.sha256(wheel("colour", {"colour.py": ""}).read_bytes()).hexdigest()
    folder = project(
        {
            "app.py": "",
            "requirements.txt": f"colour==1.0 --hash=sha256:{right}\nlambdallm=={__version__} --hash=sha256:{right}\n",
        }
    )
    assert "colour.py" in build(folder)[1]
    (folder / "requirements.txt").write_text(f"colour==1.0 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(BuildError, match=r"(?is)can't be installed.*hash"):
        build(folder)


def test_one_hash_asks_for_all(project, build, wheel):
    digest = hashlib.sha256(wheel("colour", {"colour.py": ""}).read_bytes()).hexdigest()
    wheel("shade", {"shade.py": ""})
    folder = project({"app.py": "", "requirements.txt": f"colour==1.0 --hash=sha256:{digest}\nshade==1.0\n"})
    with pytest.raises(BuildError, match=r"(?is)can't be installed.*hash"):
        build(folder)


def test_what_is_only_there_as_source_is_not_compiled_for_the_wrong_machine(project, build, wheel, installer):
    sdist = wheel("colour", {"colour.py": ""})
    with tarfile.open(sdist.with_name("source-1.0.tar.gz"), "w:gz") as archive:
        archive.addfile(tarfile.TarInfo("source-1.0/setup.py"))
    folder = project({"app.py": "", "requirements.txt": "source\n"})
    with pytest.raises(BuildError, match=r"(?s)can't be installed.*source"):
        build(folder)


PYPROJECT = """
    [build-system]
    requires = []
    build-backend = "backend"
    backend-path = ["."]
    [project]
    name = "shared-lib"
    version = "1"
    dependencies = ["shade"]
"""
BACKEND = """
    import zipfile
    def build_wheel(folder, settings=None, metadata=None):
        name, about = "shared_lib-1-py3-none-any.whl", "shared_lib-1.dist-info"
        files = {
            "shared_lib.py": "X = 1",
            f"{about}/METADATA": "Metadata-Version: 2.1\\nName: shared-lib\\nVersion: 1\\nRequires-Dist: shade\\n",
            f"{about}/WHEEL": "Wheel-Version: 1.0\\nGenerator: t\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
        }
        files[f"{about}/RECORD"] = "".join(f"{file},,\\n" for file in (*files, f"{about}/RECORD"))
        with zipfile.ZipFile(f"{folder}/{name}", "w") as wheel:
            for file, text in files.items():
                wheel.writestr(file, text)
        return name
    build_editable = build_wheel
"""


def test_an_editable_folder_is_packed_as_if_it_were_installed(project, build, wheel, installer):
    wheel("shade", {"shade.py": ""})
    project({"pyproject.toml": PYPROJECT, "backend.py": BACKEND}, "shared")
    _, names = build(project({"app.py": "", "requirements.txt": "-e ../shared\n"}))
    assert {"shared_lib.py", "shade.py"} <= set(names)


def test_a_folder_is_built_again_for_it_may_have_changed(project, build, wheel):
    """uv takes its earlier build of a folder while its pyproject.toml is no newer."""
    wheel("shade", {"shade.py": ""})
    project({"pyproject.toml": PYPROJECT, "backend.py": BACKEND}, "shared")
    folder = project({"app.py": "", "requirements.txt": "../shared\n"})
    assert build(folder)[1]["shared_lib.py"] == b"X = 1"
    project({"backend.py": BACKEND.replace("X = 1", "X = 2")}, "shared")
    assert build(folder)[1]["shared_lib.py"] == b"X = 2"


def test_a_function_beside_the_packages_of_its_project_has_them_installed(project, build, wheel):
    wheel("shade", {"shade.py": ""})
    folder = project({"functions/one/app.py": "", "pyproject.toml": PYPROJECT, "backend.py": BACKEND})
    _, names = build(folder, code=str(folder / "functions" / "one"))
    assert {"app.py", "shared_lib.py", "shade.py"} <= set(names)
    assert "backend.py" not in names


def test_the_dependencies_of_a_pyproject(project, build, wheel):
    wheel("colour", {"colour.py": ""})
    text = '[project]\nname = "mine"\nversion = "1"\ndependencies = ["colour>=1", "lambdallm"]\n'
    report, names = build(project({"app.py": "", "pyproject.toml": text}))
    assert "colour.py" in names
    assert report.requirements.endswith("pyproject.toml")


def test_a_folder_among_hashes_is_built_and_what_it_needs_must_be_listed(project, build, wheel):
    """As in a lock of uv's that names a package of the same repository: a folder has no hash to give."""
    digest = hashlib.sha256(wheel("shade", {"shade.py": ""}).read_bytes()).hexdigest()
    wheel("colour", {"colour.py": ""})
    project({"pyproject.toml": PYPROJECT, "backend.py": BACKEND}, "shared")
    locked = f"-e ../shared\nshade==1.0 --hash=sha256:{digest}\n"
    folder = project({"app.py": "", "requirements.txt": locked})
    assert {"shared_lib.py", "shade.py"} <= set(build(folder)[1])
    (folder / "requirements.txt").write_text(f"{locked}colour @ https://token@127.0.0.1/colour.whl\n")
    with pytest.raises(BuildError, match=r"The requirement 'colour @ https://127\.0\.0\.1/colour\.whl' has no hash"):
        build(folder)
    (folder / "requirements.txt").write_text(locked.replace(digest, "0" * 64))
    with pytest.raises(BuildError, match=r"(?is)can't be installed.*hash"):
        build(folder)


def test_what_a_pyproject_has_from_elsewhere_is_never_taken_from_the_index(project, build, wheel):
    """A stranger may have published a package under the name of one that is private."""
    wheel("my-prices", {"stolen.py": ""})
    text = """
        [project]
        name = "mine"
        version = "1"
        dependencies = ["My.Prices>=1"]
        [tool.uv.sources]
        my_prices = { path = "../prices", editable = true }
        lambdallm = { path = "../lambdallm" }
    """
    with pytest.raises(BuildError, match=r"has my-prices from where \[tool\.uv\.sources\] says, .* Run `uv lock`, or"):
        build(project({"app.py": "", "pyproject.toml": text}))


def test_the_lock_of_uv(project, build, wheel):
    wheel("colour", {"colour.py": "OLD = 1\n"}, version="1.0")
    text = '[project]\nname = "mine"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["colour>=1"]\n'
    folder = project({"app.py": "", "pyproject.toml": text})
    INSTALLERS["uv"].uv("x", "lock", "--quiet", "--project", str(folder), "--python", sys.executable)
    wheel("colour", {"colour.py": "NEW = 1\n"}, version="2.0")
    report, names = build(folder)
    assert names["colour.py"] == b"OLD = 1\n"
    assert report.requirements.endswith("uv.lock")


def test_the_lock_of_uv_without_uv(project, build, monkeypatch):
    monkeypatch.setattr("lambdallm.deploy.gather.find_installer", lambda: INSTALLERS["pip"])
    with pytest.raises(BuildError, match=r"uv\.lock is read by uv, which is not installed\. Install uv"):
        build(project({"app.py": "", "uv.lock": ""}))


def test_a_pylock(project, build, wheel):
    file = wheel("colour", {"colour.py": ""})
    wheel("colour", {"colour.py": ""}, version="2.0")
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    text = f"""
        lock-version = "1.0"
        [[packages]]
        name = "colour"
        version = "1.0"
        wheels = [{{ name = "{file.name}", url = "https://host/x", hashes = {{ sha256 = "{digest}" }} }}]
        [[packages]]
        name = "pytest"
        version = "9"
        marker = "'dev' in dependency_groups"
        wheels = []
    """
    report, _ = build(project({"app.py": "", "pylock.toml": text}))
    assert {part.owner: part.version for part in report.parts}["colour"] == "1.0"


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"pyproject.toml": "[project\n"}, "is no TOML"),
        ({"pyproject.toml": "[project]\ndependencies = 'x'\n"}, "no list of texts"),
        ({"pylock.toml": "[[packages]]\nname = 'x'\nversion = '1'\n"}, "locks 'x' from elsewhere than an index"),
        ({"requirements.txt": "-r missing.txt\n"}, "missing.txt' can't be read: No such file"),
        ({"requirements.txt": b"\xff\xfe"}, "requirements.txt' can't be read"),
    ],
)
def test_what_cannot_be_read_is_named(project, build, files, told):
    with pytest.raises(BuildError, match=told):
        build(project({"app.py": "", **files}))


def test_the_lock_of_another_tool_is_told_to_be_unread(project, build):
    report, _ = build(project({"app.py": "", "poetry.lock": ""}))
    assert "poetry.lock is not read; write it as requirements: poetry export -o requirements.txt" in report.warnings


def test_a_project_that_needs_nothing_asks_no_installer(project, build, monkeypatch):
    monkeypatch.setattr("lambdallm.deploy.gather.find_installer", lambda: pytest.fail("asked"))
    assert build(project({"app.py": "", "requirements.txt": "# nothing\n"}))[0].zipped > 0


def test_boto3_is_left_to_the_runtime_on_request(project, build, wheel):
    wheel("boto3", {"boto3/__init__.py": ""}, requires=["botocore"])
    wheel("botocore", {"botocore/__init__.py": ""}, requires=["urllib3"])
    wheel("urllib3", {"urllib3/__init__.py": ""})
    wheel("requests", {"requests/__init__.py": ""}, requires=["urllib3"])
    folder = project({"app.py": "", "requirements.txt": "boto3\nrequests\n"})
    assert "boto3/__init__.py" in build(folder)[1]
    report, names = build(folder, without_boto3=True)
    assert report.left_to_the_runtime == ("boto3", "botocore")
    assert "urllib3/__init__.py" in names
    assert not {name for name in names if name.startswith(("boto3", "botocore"))}


def test_commands_that_only_start_a_module_go_and_programs_stay(project, build, wheel, installer):
    scripts = "tool-1.0.data/scripts"
    files = {
        "tool.py": "",
        f"{scripts}/wrapper": "#!python\nimport tool\n",
        f"{scripts}/helper": "#!/bin/sh\necho hi\n",
        "tool-1.0.dist-info/entry_points.txt": "[console_scripts]\ntool = tool:main\n",
    }
    wheel("tool", files)
    report, names = build(project({"app.py": "", "requirements.txt": "tool\n"}))
    assert {name for name in names if name.startswith("bin/")} == {"bin/helper"}
    with zipfile.ZipFile(report.output) as archive:
        assert archive.getinfo("bin/helper").external_attr >> 16 == 0o100755


def test_namespace_packages_of_two_wheels_meet(project, build, wheel):
    wheel("ns-one", {"ns/one.py": ""})
    wheel("ns-two", {"ns/two.py": ""})
    report, names = build(project({"app.py": "", "requirements.txt": "ns-one\nns-two\n"}))
    assert {"ns/one.py", "ns/two.py"} <= set(names)
    assert {"ns-one", "ns-two"} <= {part.owner for part in report.parts}


def test_an_install_that_only_points_elsewhere_is_an_error(project, build, wheel):
    wheel("linked", {"linked.pth": "/home/somewhere/src\n"})
    with pytest.raises(
        BuildError, match=r"linked is installed as a link to '/home/somewhere/src', which Lambda doesn't have"
    ):
        build(project({"app.py": "", "requirements.txt": "linked\n"}))


def test_a_pth_that_runs_code_is_left_out_for_lambda_reads_none(project, build, wheel):
    wheel("hooked", {"hooked.pth": "import hooked\n", "hooked.py": ""})
    _, names = build(project({"app.py": "", "requirements.txt": "hooked\n"}))
    assert "hooked.py" in names
    assert "hooked.pth" not in names


def test_a_library_for_another_machine_in_a_wheel_that_says_it_is_for_any(project, build, wheel):
    arm = b"\x7fELF\x02\x01" + bytes(12) + (0xB7).to_bytes(2, "little") + bytes(40)
    wheel("mistaken", {"mistaken/_core.so": arm})
    folder = project({"app.py": "", "requirements.txt": "mistaken\n"})
    with pytest.raises(BuildError, match=r"mistaken/_core\.so \(mistaken\) is for aarch64, not for x86_64 under Linux"):
        build(folder)
    assert "mistaken/_core.so" in build(folder, arch="arm64")[1]
    assert "mistaken/_core.so" not in build(folder, leave_out=("/mistaken/*.so",))[1]


def test_uv_is_taken_before_pip(monkeypatch, tmp_path):
    assert find_installer().is_uv
    monkeypatch.setattr(installers.shutil, "which", lambda name: None)
    monkeypatch.setattr(installers.sys, "executable", str(tmp_path / "python"))
    assert find_installer().command == (str(tmp_path / "python"), "-m", "pip")


def test_the_metadata_of_the_lambdallm_that_runs():
    told = metadata()
    assert told.startswith(f"Metadata-Version: 2.1\nName: lambdallm\nVersion: {__version__}\n")
    assert "Provides-Extra: yaml" in told
