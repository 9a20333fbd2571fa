"""What went wrong in the user's own code, told by their own lines: frames of the library and of Python are left out."""

from __future__ import annotations

import os
import traceback

from ..llm.errors import CallerError, LambdaLLMError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class FunctionError(LambdaLLMError):
    """The function raised something of its own. `frames` is the traceback of its author's lines."""

    def __init__(self, error: BaseException, root: str) -> None:
        super().__init__(_said(error))
        self.frames = _traceback(error, root)


def explained(error: BaseException, root: str) -> LambdaLLMError:
    """An error from importing or running a function below the folder `root`, as one that can be told in a line."""
    place = _place(error, root)
    if isinstance(error, LambdaLLMError):
        if place and not error.message.startswith(place):
            error.message = f"{place}: {error.message}"
        return error
    if isinstance(error, SyntaxError) and error.filename:
        where = f"{_shown(error.filename, root)}, line {error.lineno}"
        return _caused(CallerError(f"{where}: {_said(error)}.", fix="Correct that line."), error)
    if isinstance(error, ModuleNotFoundError) and place:
        return _caused(CallerError(f"{place}: {error}.", fix="Install it, or correct the import."), error)
    return _caused(FunctionError(error, root), error)


def as_json(error: BaseException, root: str) -> dict[str, Any]:
    """The error as AWS Lambda reports it: `errorType`, `errorMessage`, `stackTrace`."""
    frames = traceback.format_list(_frames(error, root))
    return {"errorType": type(error).__name__, "errorMessage": _message(error), "stackTrace": frames}


def _caused(told: LambdaLLMError, error: BaseException) -> LambdaLLMError:
    told.__cause__ = error
    return told


def _message(error: BaseException) -> str:
    return error.msg if isinstance(error, SyntaxError) else str(error)


def _said(error: BaseException) -> str:
    text = _message(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _traceback(error: BaseException, root: str) -> str:
    lines = traceback.format_list(_frames(error, root))
    return "Traceback of your code:\n" + "".join(lines).rstrip() if lines else ""


def _frames(error: BaseException, root: str) -> list[traceback.FrameSummary]:
    """The frames of the project's own files, named as seen from its folder."""
    found = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in found if _is_own(frame.filename, root)]
    return [traceback.FrameSummary(_shown(f.filename, root), f.lineno, f.name, line=f.line) for f in own]


def _is_own(file: str, root: str) -> bool:
    inside = os.path.abspath(file).startswith(os.path.abspath(root) + os.sep)
    packaged = f"{os.sep}site-packages{os.sep}" in file or file.startswith(_PACKAGE)
    return inside and not packaged and not file.startswith("<")


def _shown(file: str, root: str) -> str:
    return os.path.relpath(file, root) if _is_own(file, root) else file


def _place(error: BaseException, root: str) -> str:
    frames = _frames(error, root)
    return f"{frames[-1].filename}, line {frames[-1].lineno}" if frames else ""


_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
