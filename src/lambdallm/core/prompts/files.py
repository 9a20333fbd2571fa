"""Prompts in files: YAML or JSON, each mistake told with its file, line and column.

YAML needs the extra `yaml`, JSON nothing. `# yaml-language-server: $schema=…` is a comment to YAML, and `$schema` a
field that is read over; both are for editors, which take `Prompt.schema()`.
"""

from __future__ import annotations

from ...llm.errors import ConfigurationError, PromptError
from ..config.document import read_document
from .checks import check_whole, placed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from os import PathLike
    from typing import Any

    from ..config.document import Document
    from ..prompt import Prompt


def read_prompt(path: str | PathLike[str], cls: type[Prompt], name: str | None = None) -> Prompt[Any]:
    """The prompt in a file; `name` is for one that says none.

    Raises `ConfigurationError` and `PromptError` naming the file and the place, `MissingExtraError` without PyYAML.
    """
    document = read_document(path)
    data = document.data
    if not isinstance(data, dict):
        told = "nothing" if data is None else f"{data!r:.60}"
        raise ConfigurationError(f"{document.name} holds {told}.", fix="Write fields and values, `template: …`.")
    try:
        prompt = cls.from_dict(data if data.get("name") or name is None else {**data, "name": name})
        check_whole(prompt)
    except (ConfigurationError, PromptError) as error:
        raise _retold(error, document) from error
    return prompt


def _retold(error: ConfigurationError | PromptError, document: Document) -> ConfigurationError | PromptError:
    """The error with its place in front."""
    kind = PromptError if isinstance(error, PromptError) else ConfigurationError
    line, column = document.place(error.data_path)
    told = kind(f"{document.name}, line {line}, column {column}: {error.message}", fix=error.fix)
    return placed(told, *error.data_path)
