"""What an answer in pieces is to its endpoint, however its bytes are made."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from ...llm.errors import LambdaLLMError
    from ...llm.flow import Flow
    from ...llm.result import Result
    from ...llm.types import Completion

    class Streamed(Protocol):
        """A stream on its way to a client."""

        @property
        def has_begun(self) -> bool:
            """Whether the client has been sent anything."""
            ...

        def pieces(self) -> Flow[Result[None, Exception]]:
            """Emit its bytes."""
            ...

        def completion(self) -> Completion:
            """The answer from what has come."""
            ...

        def cut_short(self, notice: str) -> bytes:
            """The bytes that end it early, with a notice as the last of its text."""
            ...

        def failed(self, error: LambdaLLMError) -> bytes:
            """The bytes that end it with an error."""
            ...
