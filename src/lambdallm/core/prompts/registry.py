"""Prompts by name and version: from a folder of files, from code, or both.

    prompts = PromptRegistry("prompts")                     # nothing is read yet
    prompts.get("summary")                                  # the latest version; the folder is read now
    prompts.get("summary", "production")                    # the version of that label
    prompts.get("summary", "1.2.0").invoke(context, text=…)

What it holds is replaced, never changed: readers need no lock, and a folder with a mistake in it adds nothing.
"""

from __future__ import annotations

from _thread import allocate_lock

from ..._value import Value
from ...llm.errors import ConfigurationError
from ...llm.forks import renewed_in_children
from ..prompt import Prompt
from .versions import is_release, version_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from os import PathLike
    from typing import Any

    from .versions import Key

LATEST = "latest"
"""The highest version that is no pre-release, or the highest where all are."""

_SUFFIXES = (".yaml", ".yml", ".json")
_NOT_PROMPTS = ".schema.json"


class _Shelf(Value):
    """The versions of one prompt, and which of them each label is at."""

    prompts: Mapping[Key, Prompt[Any]]
    labels: Mapping[str, Key]
    sources: Mapping[Key, str]


class PromptRegistry:
    """Holds prompts by name and version; versions are ordered as Semantic Versioning orders them.

    `folder` is read by the first question; a relative one is looked for beside the function (`LAMBDA_TASK_ROOT`), or in
    the current folder. Threads may share a registry.
    """

    def __init__(self, folder: str | PathLike[str] | None = None) -> None:
        self._unread = None if folder is None else str(folder)
        self._shelves: Mapping[str, _Shelf] = {}
        self._lock = allocate_lock()
        renewed_in_children(self)

    def renew(self) -> None:
        """Take a new lock, in a process that was forked."""
        self._lock = allocate_lock()

    def register(self, prompt: Prompt[Any], *, labels: Iterable[str] = ()) -> Prompt[Any]:
        """Add a prompt under its name and version, `labels` beside its own; the same prompt twice is one.

        Raises `ConfigurationError` for a prompt without a name, a version that is none, and what is there already.
        """
        with self._lock:
            self._shelves = _added(self._shelves, prompt, (*prompt.labels, *labels), "code")
        return prompt

    def load(self, folder: str | PathLike[str]) -> list[Prompt[Any]]:
        """Add the prompts of all YAML and JSON files in a folder and its sub-folders, one in each; a file's name is the
        name of a prompt that says none. Files that end in `.schema.json` are left out.

        Raises `ConfigurationError` and `PromptError` naming the file, and adds nothing then.
        """
        with self._lock:
            return self._load(str(folder))

    def _load(self, folder: str) -> list[Prompt[Any]]:
        from .files import read_prompt

        shelves, prompts = self._shelves, []
        for path, name in _files(folder):
            prompt: Prompt[Any] = read_prompt(path, Prompt, name)
            shelves = _added(shelves, prompt, prompt.labels, path)
            prompts.append(prompt)
        self._shelves = shelves
        return prompts

    def get(self, name: str, version: str | None = None) -> Prompt[Any]:
        """The prompt of a name: its latest version, an exact one, or the one that a label is at.

        Raises `ConfigurationError` for what there is none of, with the nearest there is.
        """
        shelf = self._shelf(name)
        return shelf.prompts[_found(name, shelf, version)]

    def label(self, name: str, label: str, version: str) -> None:
        """Put a label at a version, from wherever it was. Raises `ConfigurationError` as `get` does."""
        key = _found(name, self._shelf(name), version)
        with self._lock:
            shelf = self._shelves[name]
            _check_label(label)
            self._shelves = {**self._shelves, name: shelf.replace(labels={**shelf.labels, label: key})}

    def names(self) -> list[str]:
        """The names of its prompts, sorted."""
        return sorted(self._all())

    def versions(self, name: str) -> list[str]:
        """The versions of a prompt, the lowest first. Raises `ConfigurationError` for an unknown name."""
        prompts = self._shelf(name).prompts
        return [prompts[key].version for key in sorted(prompts)]

    def labels(self, name: str) -> dict[str, str]:
        """The labels of a prompt, and the version each is at. Raises `ConfigurationError` for an unknown name."""
        shelf = self._shelf(name)
        return {label: shelf.prompts[key].version for label, key in sorted(shelf.labels.items())}

    def changes(self, name: str, old: str, new: str | None = None) -> dict[str, tuple[Any, Any]]:
        """What differs between two versions: for each field of `Prompt.to_dict` its value in the one and the other."""
        before, after = self.get(name, old).to_dict(), self.get(name, new).to_dict()
        fields = dict.fromkeys((*before, *after))
        pairs = {field: (before.get(field), after.get(field)) for field in fields if field not in ("version", "labels")}
        return {field: pair for field, pair in pairs.items() if pair[0] != pair[1]}

    def __contains__(self, name: object) -> bool:
        return name in self._all()

    def __iter__(self) -> Iterator[Prompt[Any]]:
        """All prompts, by name and version."""
        shelves = self._all()
        return iter([shelves[name].prompts[key] for name in sorted(shelves) for key in sorted(shelves[name].prompts)])

    def __len__(self) -> int:
        return sum(len(shelf.prompts) for shelf in self._all().values())

    def _all(self) -> Mapping[str, _Shelf]:
        """The shelves, the folder's among them."""
        if self._unread is not None:
            with self._lock:
                if self._unread is not None:
                    self._load(_beside_the_function(self._unread))
                    self._unread = None
        return self._shelves

    def _shelf(self, name: str) -> _Shelf:
        shelves = self._all()
        if name not in shelves:
            fix = _suggestion(name, shelves) if shelves else "Register one, or name a folder that has some."
            raise ConfigurationError(f"There is no prompt {name!r}.", fix=fix)
        return shelves[name]


def _added(
    shelves: Mapping[str, _Shelf], prompt: Prompt[Any], labels: tuple[str, ...], source: str
) -> Mapping[str, _Shelf]:
    """The shelves with one more prompt. Raises `ConfigurationError` where it can't be told from another."""
    name, key = _named(prompt)
    shelf = shelves.get(name) or _Shelf({}, {}, {})
    known = shelf.prompts.get(key)
    if known is not None and known != prompt:
        fix = "Give the changed one a version of its own."
        _refuse(f"{name!r} {prompt.version} is there already, from {shelf.sources[key]}, and differs.", source, fix)
    for label in labels:
        _check_label(label)
        if shelf.labels.get(label, key) != key:
            at = shelf.prompts[shelf.labels[label]].version
            _refuse(f"The label {label!r} of {name!r} is at {at}.", source, "Take it from one of them, or use label().")
    grown = _Shelf(
        {**shelf.prompts, key: known or prompt},
        {**shelf.labels, **dict.fromkeys(labels, key)},
        {**shelf.sources, key: shelf.sources.get(key, source)},
    )
    return {**shelves, name: grown}


def _refuse(message: str, source: str, fix: str) -> None:
    raise ConfigurationError(message if source == "code" else f"{source}: {message}", fix=fix)


def _named(prompt: Prompt[Any]) -> tuple[str, Key]:
    if not isinstance(prompt, Prompt) or prompt.name is None:
        raise ConfigurationError(f"{prompt!r:.80} has no name to be registered under.", fix="Give it name='…'.")
    key = version_key(prompt.version)
    if key is None:
        fix = "Use MAJOR.MINOR.PATCH, such as '1.2.0'; words belong to labels."
        raise ConfigurationError(f"The version of {prompt.name!r} is {prompt.version!r}.", fix=fix)
    return prompt.name, key


def _check_label(label: object) -> None:
    if not isinstance(label, str) or not label or label == LATEST or version_key(label) is not None:
        fix = "Use a word that is no version and not 'latest', such as 'production'."
        raise ConfigurationError(f"A label is {label!r}.", fix=fix)


def _found(name: str, shelf: _Shelf, version: str | None) -> Key:
    """The version that a question means. Raises `ConfigurationError` where there is none."""
    if version is None or version == LATEST:
        return max(filter(is_release, shelf.prompts), default=None) or max(shelf.prompts)
    key = shelf.labels.get(version) or version_key(version)
    if key is None or key not in shelf.prompts:
        known = [*(prompt.version for prompt in shelf.prompts.values()), *shelf.labels]
        raise ConfigurationError(f"{name!r} has no version or label {version!r}.", fix=_suggestion(version, known))
    return key


def _suggestion(word: object, known: Iterable[str]) -> str:
    from ...llm.catalog.definition import suggestion

    return suggestion(str(word), known)


def _beside_the_function(folder: str) -> str:
    import os

    return os.path.join(os.environ.get("LAMBDA_TASK_ROOT") or os.getcwd(), folder)


def _files(folder: str) -> list[tuple[str, str]]:
    """The files of a folder that hold prompts, in order, and the name each gives. Hidden ones are left out."""
    import os

    if not os.path.isdir(folder):
        raise ConfigurationError(f"{folder} is no folder of prompts.", fix="Check the path.")
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = [each for each in folders if not each.startswith(".")]
        for name in names:
            stem, suffix = os.path.splitext(name)
            if suffix in _SUFFIXES and not name.startswith(".") and not name.endswith(_NOT_PROMPTS):
                found.append((os.path.join(place, name), stem))
    return sorted(found)
