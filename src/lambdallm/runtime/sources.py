"""Which events' sources take an answer piece by piece.

AWS's events do not say whether their source streams, so a setting does: the environment variable
`LAMBDALLM_RESPONSE_STREAMING`, or a handler's own. It lists `function_url`, `rest` (API Gateway's REST APIs in transfer
mode STREAM) and `direct` (InvokeWithResponseStream), or is `off`. HTTP APIs, load balancers and queues never can.
"""

from __future__ import annotations

from .events import kind_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

SETTING = "LAMBDALLM_RESPONSE_STREAMING"
_WORDS = {"function_url": "function_url", "api_gateway_v1": "rest", "direct": "direct"}


def sources(setting: str | Iterable[object] | None) -> tuple[str, ...]:
    """The sources that stream, by the setting: words, with commas between them or each by itself."""
    if setting is None:
        return ("function_url",)
    words = setting.split(",") if isinstance(setting, str) else setting
    return tuple(word for each in words if (word := str(each).strip().lower()) and word != "off")


def source_of(event: Any) -> str:
    """The setting's word for an event's source; empty where that can't stream. HTTP APIs can send format 1.0 too."""
    kind = kind_of(event)
    return "" if kind == "api_gateway_v1" and event.get("version") == "1.0" else _WORDS.get(kind, "")
