"""How a vendor's SDK tells what an API answered: the words of the corpus's `expected`."""

from __future__ import annotations

from lambdallm._value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, TypeAlias

    from lambdallm.llm.types import Completion

    Path: TypeAlias = tuple[str, ...]


_NONE: Any = type(type.__dict__)({})


class Sdk(Value):
    """How one vendor's SDK tells things.

    `usage` says where its record has each number, place after place; `usage_fields`, where given, are all that its
    type knows. Exceptions are named by status, else by `exception_from` for what lies at or above a status, else
    `exception`; with `exceptions_by_type` the error's own type is the exception. In a stream it is
    `stream_exception`, where one is given. `uncounted` is where an answer's metadata keeps a record of usage in
    which nothing is counted, and `unseen_usage` where one lies that the SDK has no type for. With `text_errors` the
    message of an error whose body is no JSON is that text, where we show the title of a page; it is then a
    `text_exception`, where one is given. `redacted_block` is the name of a thinking block without text,
    `cited_block` that of a text with citations (`cited_piece` that of each citation in a stream, `cited_note` where
    a text's metadata tells that it stood in such a block), and `not_in_streams` are blocks that streams don't list.
    With `no_text_is_no_arguments` a call without any JSON text shows `{}`, else `null`. An answer is `identified`
    when it carries id and model; in a stream with `first_identity` the SDK keeps those of the first event (Azure's
    are empty), where we keep the last that say something. `shown_usage` makes of a record of usage what the SDK
    shows of it. With `errors_as_reasons` a stream that ends with an error as its finish reason is an answer like
    any other to the SDK, where we set an error.
    """

    usage: Mapping[str, tuple[Path, ...]]
    usage_fields: tuple[str, ...] = ()
    exceptions: Mapping[int, str] = _NONE
    exception_from: tuple[int, str] = (600, "")
    exception: str | None = None
    exceptions_by_type: bool = False
    uncounted: Path = ()
    unseen_usage: Path = ()
    text_errors: bool = False
    text_exception: str | None = None
    stream_exception: str | None = None
    redacted_block: str = ""
    cited_block: str = ""
    cited_piece: str = ""
    cited_note: Path = ()
    not_in_streams: tuple[str, ...] = ()
    no_text_is_no_arguments: bool = False
    identified: bool = True
    first_identity: bool = False
    shown_usage: Callable[[dict[str, Any]], dict[str, Any] | None] | None = None
    errors_as_reasons: bool = False
    more: Callable[[Completion, bool], dict[str, Any]] | None = None


class Api(Value):
    """One API: the codec module in `lambdallm.llm.wire` that speaks it, and the SDK that judged it.

    `tells` is what a good answer is: `chat`, `embeddings` or `count_tokens`. Where one API has several bodies,
    `by_model` chooses another row by what the model's id contains.
    """

    codec: str
    sdk: Sdk
    tells: str = "chat"
    by_model: tuple[tuple[str, Api], ...] = ()

    def for_model(self, model: str) -> Api:
        """The row for a model."""
        return next((row for mark, row in self.by_model if mark in model), self)


def at(record: Any, path: Path) -> Any:
    """What lies at a path of keys; `None` where it leads nowhere."""
    for key in path:
        record = record.get(key) if isinstance(record, dict) else None
    return record


STATUS_ERRORS = {
    400: "BadRequestError", 401: "AuthenticationError", 403: "PermissionDeniedError", 404: "NotFoundError",
    409: "ConflictError", 422: "UnprocessableEntityError", 429: "RateLimitError",
}  # fmt: skip
"""The exceptions of the SDKs that one generator wrote (OpenAI's, Anthropic's)."""
