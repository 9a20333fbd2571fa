"""Errors of Bedrock, whatever body was sent: those of its other protocol, Converse, read by the same code."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ....transport.types import Headers
    from ...errors import LLMError


def decode_error(status: int, headers: Headers, body: bytes) -> LLMError:
    """An answer that is not 2xx: its type is in the header `x-amzn-errortype`, or in the body's `__type`."""
    from ..bedrock_converse import decode_error as read

    return read(status, headers, body)
