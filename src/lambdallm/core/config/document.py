"""A YAML or JSON file as plain values, with the line and column of each when somebody asks.

YAML needs the extra `yaml`, JSON nothing. A key that stands twice in one mapping is a mistake in both.
"""

from __future__ import annotations

from ...llm.errors import ConfigurationError, MissingExtraError
from ..prompts.places import is_json, place_in_json, place_in_yaml, repeated_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from os import PathLike
    from typing import Any, NoReturn

    Path = tuple[str | int, ...]


class Document:
    """What a file holds: `data`, and where in it something stands. `name` is the file's."""

    __slots__ = ("_is_json", "_node", "_text", "data", "name")

    def __init__(self, name: str, text: str) -> None:
        self.name, self._text = name, text
        self._node: Any = None
        self._is_json = is_json(name, text)
        self.data: Any = self._read() if self._is_json else self._from_yaml()

    def place(self, path: Path) -> tuple[int, int]:
        """The line and column, from 1, of the key or item that a path leads to, as far as it leads."""
        if self._is_json:
            return place_in_json(self._text, path)
        if self._node is None:
            self._node = self._composed()
        return place_in_yaml(self._node, path)

    def _read(self) -> Any:
        """The values of JSON; of what only begins like it, as YAML's `{model: echo}` does, those of YAML."""
        try:
            return _from_json(self.name, self._text)
        except ConfigurationError as error:
            if self.name.endswith(".json"):
                raise
            self._is_json = False
            try:
                return self._from_yaml()
            except MissingExtraError:
                raise error from None

    def _from_yaml(self) -> Any:
        try:
            import yaml
        except ImportError as error:
            raise MissingExtraError(f"Reading {self.name}", "yaml") from error
        loader = _loader(yaml)(self._text)
        try:
            node = loader.get_single_node()
            if node is None:
                return None
            if (key := repeated_key(node)) is not None:
                _refuse(self.name, key.start_mark, f"the key {key.value!r} stands there twice")
            return loader.construct_document(node)
        except yaml.YAMLError as error:
            error = _in_python(yaml, self._text) or error
            problem = getattr(error, "problem", None) or "it can't be read"
            _refuse(self.name, getattr(error, "problem_mark", None), problem, error)
        except (ValueError, RecursionError) as error:
            _refuse(self.name, None, str(error), error)
        finally:
            loader.dispose()

    def _composed(self) -> Any:
        """The tree of nodes. Constructing values changes it where keys are merged, so it is made anew."""
        import yaml

        return yaml.compose(self._text, _loader(yaml))


def read_document(path: str | PathLike[str]) -> Document:
    """The document in a file. Raises `ConfigurationError` naming the file, the line and the column."""
    name = str(path)
    try:
        with open(path, encoding="utf-8-sig") as file:
            text = file.read()
    except OSError as error:
        raise ConfigurationError(f"{name} can't be read: {error.strerror}.", fix="Check the path.") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{name} is no UTF-8: {error.reason}.", fix="Save it as UTF-8.") from error
    return Document(name, text)


def mapping_in(document: Document) -> dict[str, Any]:
    """The mapping that a document holds. Raises `ConfigurationError` where it holds something else."""
    if isinstance(document.data, dict):
        return document.data
    words = {"NoneType": "nothing", "list": "a list", "str": "a text"}
    told = words.get(type(document.data).__name__) or f"{document.data!r:.60}"
    raise ConfigurationError(f"{document.name} holds {told}.", fix="Write fields and values, `model: openai/gpt-4o`.")


def _from_json(name: str, text: str) -> Any:
    import json

    try:
        return json.loads(text, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        said = f"{name} is not JSON: line {error.lineno}, column {error.colno}: {error.msg}."
        raise ConfigurationError(said, fix="Correct that place.") from error
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"{name} is not JSON: {error}.", fix="Correct the file.") from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {next(name for name in names if names.count(name) > 1)!r} stands there twice")
    return found


def _loader(yaml: Any) -> Any:
    """LibYAML's loader where PyYAML was built with it: ten times as fast."""
    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _in_python(yaml: Any, text: str) -> Any:
    """The error by PyYAML's own parser, which says better what is wrong and where."""
    try:
        yaml.load(text, yaml.SafeLoader)
    except yaml.YAMLError as error:
        return error
    return None


def _refuse(name: str, mark: Any, problem: str, reason: Exception | None = None) -> NoReturn:
    place = f"{name}, line {mark.line + 1}, column {mark.column + 1}" if mark else name
    raise ConfigurationError(f"{place}: invalid YAML: {problem}.", fix="Correct that line.") from reason
