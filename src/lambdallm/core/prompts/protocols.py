"""What a prompt needs of the context it is invoked with, and the types of its further parameters: for type checkers."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import UnionType
    from typing import Any, Protocol, TypeAlias, TypedDict, _SpecialForm

    from ...llm.streaming.stream import AsyncChatStream, ChatStream
    from ..prompt import Prompt

    class Invokes(Protocol):
        """What a handler's context can do with a prompt."""

        def invoke_prompt(self, prompt: Prompt, values: Mapping[str, Any], /) -> Any:
            """Ask with the prompt."""

        async def ainvoke_prompt(self, prompt: Prompt, values: Mapping[str, Any], /) -> Any:
            """Ask with the prompt, in an async handler."""

        def stream(self, prompt: Prompt, /, **kwargs: Any) -> ChatStream:
            """The answer as it comes."""

        def astream(self, prompt: Prompt, /, **kwargs: Any) -> AsyncChatStream:
            """The answer as it comes, in an async handler."""

    class More(TypedDict, total=False):
        """What a prompt can have beside the documented parameters; `Prompt` says what each of them is."""

        messages: Iterable[Any]
        examples: Iterable[Any]
        defaults: Mapping[str, Any] | None
        labels: Iterable[str]

    Types: TypeAlias = Mapping[str, Any]
    Shape: TypeAlias = UnionType | _SpecialForm
    """What stands for a type, and is no class: `Review | None`, `Literal["a", "b"]`."""
