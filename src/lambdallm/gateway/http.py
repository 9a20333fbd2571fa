"""What comes to the gateway and what goes back, whichever host it stands in: values, no sockets."""

from __future__ import annotations

from .._value import Value
from ..runtime.events import NOTHING
from ..runtime.request import Headers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from ..llm.errors import LambdaLLMError
    from ..llm.flow import Flow
    from ..llm.result import Result

    Pairs = tuple[tuple[str, str], ...]


class GatewayRequest(Value):
    """A client's request. `deadline` is in seconds of the driver's monotonic clock, `None` where none is known.

    `protocol` and `params` are what its route says: the client's protocol, and the places of the path's pattern.
    `caller_arn` is the AWS principal that signed it, where the way in asked for that. Its `repr` shows no content:
    headers hold keys.
    """

    method: str
    path: str
    headers: Headers = Headers()
    query_pairs: Pairs = ()
    body: bytes = b""
    client_ip: str = ""
    request_id: str = ""
    deadline: float | None = None
    protocol: str = "openai_chat"
    params: Mapping[str, str] = NOTHING
    caller_arn: str = ""

    @property
    def query(self) -> dict[str, str]:
        """The query's parameters; of one that comes twice, the last."""
        return dict(self.query_pairs)

    def __repr__(self) -> str:
        return f"GatewayRequest({self.method} {self.path}, {len(self.body)} bytes)"


class Reply(Value):
    """A whole answer."""

    status: int = 200
    headers: Pairs = ()
    body: bytes = b""


class StreamedReply(Value):
    """An answer that goes out as it is made: `pieces` emits bytes, and ends as flows of streams do.

    Where it fails before there is anything to send, the first thing that it emits is a `Reply`, which goes out in the
    place of status, headers and all: a host asks for the first piece before it sends the head.
    """

    status: int
    headers: Pairs
    pieces: Flow[Result[Any, LambdaLLMError]]


class GatewayError(Exception):
    """A request that is not served, and why, in words for the client: each protocol has its own form for them.

    `type` and `code` are those of OpenAI's protocol, which the others translate; `headers` go with the answer.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        type: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        headers: Iterable[tuple[str, str]] = (),
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.type, self.code, self.param = status, message, type, code, param
        self.headers: Pairs = tuple(headers)
