"""Bedrock's own APIs, as botocore tells them."""

from __future__ import annotations

from ..sdk import Api, Sdk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..sdk import Path

_CONVERSE_USAGE: dict[str, tuple[Path, ...]] = {
    "input": (("inputTokens",),),
    "output": (("outputTokens",),),
    "cached": (("cacheReadInputTokens",),),
    "cache_write": (("cacheWriteInputTokens",),),
    "total": (("totalTokens",),),
}


_BOTOCORE = Sdk(
    usage=_CONVERSE_USAGE,
    usage_fields=(*(path[0] for (path,) in _CONVERSE_USAGE.values()), "cacheDetails"),
    exceptions_by_type=True,
    cited_block="citationsContent",
    cited_piece="citation",
    not_in_streams=("toolUse",),
    identified=False,
)


APIS = {("*", "converse"): Api("bedrock_converse", _BOTOCORE)}
