"""What counts as a change of a project."""

import os

from lambdallm.cli.watch import changed, snapshot


def test_new_changed_and_deleted_files_are_changes(project):
    folder = project({"app.py": "1", "lib/util.py": "1", "gone.yaml": "1"})
    before = snapshot(str(folder))
    project({"app.py": "22", "new.json": "{}"})
    (folder / "gone.yaml").unlink()
    names = [os.path.relpath(path, folder) for path in changed(before, snapshot(str(folder)))]
    assert names == ["app.py", "gone.yaml", "new.json"]


def test_the_same_size_at_another_time_is_a_change(project):
    folder = project({"app.py": "1"})
    before = snapshot(str(folder))
    os.utime(folder / "app.py", ns=(1, 1))
    assert changed(before, snapshot(str(folder)))


def test_the_file_of_variables_counts_though_it_is_hidden(project):
    folder = project({".env": "A=1"})
    before = snapshot(str(folder))
    project({".env": "A=2 "})
    assert changed(before, snapshot(str(folder))) == [str(folder / ".env")]


def test_what_is_not_the_project_is_not_watched(project):
    folder = project({"app.py": "1"})
    before = snapshot(str(folder))
    project({
        ".git/a.py": "", ".venv/b.py": "", "__pycache__/c.py": "", "node_modules/d.json": "", "tools/pyvenv.cfg": "",
        "tools/lib/e.py": "", "data.db": "", ".hidden.py": "",
    })  # fmt: skip
    assert changed(before, snapshot(str(folder))) == []
