"""What the last event of a streamed answer says: how it ended, and what it took."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..llm.types import Usage
    from .context import LambdaLLMContext


def facts_of(context: LambdaLLMContext, *, accounts: bool) -> dict[str, Any]:
    """How the last model ended, and with `accounts` what all of them took; `None` where a part is unknown.

    Of an answer that time has cut off the `reason` too, and the checkpoint from which a later invocation goes on.
    """
    answers = context.completions
    facts: dict[str, Any] = {"reason": "deadline"} if context.truncated else {}
    facts["finish_reason"] = answers[-1].finish_reason if answers else None
    if accounts:
        facts["usage"] = _total([answer.usage for answer in answers])
        facts["cost_usd"] = None if context.unpriced_calls else context.total_cost
    journal = context.journal
    if context.truncated and journal is not None and journal.has_begun:
        facts["checkpoint"] = {"id": journal.id}
    return facts


def _total(usages: list[Usage | None]) -> dict[str, int] | None:
    known = [usage for usage in usages if usage is not None]
    if len(known) < len(usages):
        return None
    tokens_in, tokens_out = (usage.input_tokens for usage in known), (usage.output_tokens for usage in known)
    return {"input_tokens": sum(tokens_in), "output_tokens": sum(tokens_out)}
