"""A function as Lambda runs it, in one `with`: a real process behind the emulator, for tests.

    with LocalLambda("src", "app.lambda_handler", timeout=10) as app:
        assert app.invoke({"name": "Ada"}) == {"said": "Hello, Ada."}

What Lambda does is the emulator's to know (`lambdallm.runtime.emulator`); this makes the first line of a test short.
"""

from __future__ import annotations

import json
from functools import cached_property

TYPE_CHECKING = False
if TYPE_CHECKING:
    from os import PathLike
    from typing import Any

    from ..runtime.emulator import Answer
    from ..runtime.emulator.logs import Line


class FunctionFailedError(Exception):
    """A function has answered with an error. Its message has the function's log; `error` is AWS's object."""

    def __init__(self, error: dict[str, Any], log: str) -> None:
        said = f"The function failed: {error.get('errorType')}: {error.get('errorMessage')}"
        super().__init__(f"{said}\nIts log says what it did before:\n{log}")
        self.error, self.log = error, log


class LocalLambda:
    """A function whose code is in a folder. `options` are those of `emulator.Function`, with Lambda's defaults.

    A context manager, good for a fixture of any scope: the process starts with the first invocation and is warm then.
    `lines` is everything that was logged, as it comes; `emulator` has the rest of what Lambda can do.
    """

    def __init__(
        self, code: str | PathLike[str], handler: str = "app.lambda_handler", *, name: str = "app", **options: Any
    ) -> None:
        from os import fspath

        from ..runtime.emulator import Emulator, Function

        self.name = name
        self.lines: list[Line] = []
        function = Function(name=name, code=fspath(code), handler=handler, **options)
        self.emulator = Emulator(log=self.lines.append)
        self.emulator.add(function)

    def invoke(self, event: Any) -> Any:
        """What the function makes of an event, both as JSON has them. Raises `FunctionFailedError`."""
        answer = self.answer(event)
        payload = answer.read()
        if answer.error is not None:
            raise FunctionFailedError(answer.error, answer.log)
        return json.loads(payload)

    def answer(self, event: Any, *, streams: bool = False) -> Answer:
        """The answer as it comes, with its error, log and report; in pieces with `streams`, as far as it streams."""
        return self.emulator.invoke(self.name, json.dumps(event).encode(), streams=streams)

    @cached_property
    def url(self) -> str:
        """The address of its function URL, served from now on."""
        return self.emulator.serve_url(self.name)

    @cached_property
    def endpoint(self) -> str:
        """The address of Lambda's API: the `endpoint_url` of a boto3 client."""
        return self.emulator.serve_api()

    def close(self) -> None:
        """End its processes and addresses."""
        self.emulator.close()

    def __enter__(self) -> LocalLambda:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()
