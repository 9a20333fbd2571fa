"""The prompt cache in OpenAI's words, which both of its dialects share: a request's fields, and the mark of a part.

Its models keep prompts by themselves; those from gpt-5.6 on find again what ends at a breakpoint, and put one at the
end of the newest message. `prompt_cache_options` has no counterpart elsewhere and stays in `extra`.

Source: OpenAI, "Prompt caching"; the types of its SDK.
"""

from __future__ import annotations

from ..types import PromptCache
from .prompt_cache import CACHE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .codec import Facts

KEY = "prompt_cache_key"
BREAKPOINT = "prompt_cache_breakpoint"
_RETENTION = "prompt_cache_retention"
_LONG = "24h"
_LIFETIMES = ("30m", "12h")
"""How long a breakpoint may ask to be kept."""


def read_prompt_cache(fields: dict[str, Any]) -> PromptCache | None:
    """What a client's request asks of the prompt cache, taken out of its fields; no mark is asked for by them."""
    key = fields.pop(KEY) if isinstance(fields.get(KEY), str) else None
    ttl = fields.pop(_RETENTION) if fields.get(_RETENTION) == _LONG else None
    return None if key is None and ttl is None else PromptCache(ttl, key, ())


def own_facts(facts: Facts) -> Facts:
    """The facts for a request that came in this dialect: what it says goes on as it came, where no fact says else."""
    usual = {} if "cache_key_header" in facts else {"cache_key": KEY}
    lifetimes = {_LONG: {"body": {_RETENTION: _LONG}}, **facts.get("cache_ttls", {})}
    return {**usual, **facts, "cache_ttls": lifetimes}


def mark_of(breakpoint: Any) -> dict[str, Any] | None:
    """A breakpoint as the mark that every protocol knows; `None` where it says more than that."""
    if not isinstance(breakpoint, dict) or breakpoint.get("mode") != "explicit" or breakpoint.keys() - {"mode", "ttl"}:
        return None
    return {"type": "ephemeral", **({"ttl": breakpoint["ttl"]} if "ttl" in breakpoint else {})}


def breakpoint_of(mark: Any, where: str, warnings: list[str]) -> dict[str, Any]:
    """A mark as a breakpoint, without a lifetime that it can't have."""
    ttl = mark.get("ttl") if hasattr(mark, "get") else None
    if ttl is not None and ttl not in _LIFETIMES:
        warnings.append(f"'ttl' {ttl!r} of the {CACHE!r} of {where} left out: this provider keeps {_LIFETIMES}")
        ttl = None
    return {"mode": "explicit", **({"ttl": ttl} if ttl else {})}
