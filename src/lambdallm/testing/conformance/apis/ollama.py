"""Ollama's own APIs, as its SDK tells them: calls without ids, arguments as objects, usage without a record."""

from __future__ import annotations

from ..sdk import Api, Sdk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lambdallm.llm.types import Completion


def _more(completion: Completion, _stream: bool) -> dict[str, Any]:
    calls = [{"id": None, "name": call.name, "arguments": call.arguments} for call in completion.tool_calls]
    native = completion.usage.native if completion.usage is not None else {}
    usage = {"input": native.get("prompt_eval_count"), "output": native.get("eval_count")}
    return {"tool_calls": calls, "usage": usage}


_OLLAMA = Sdk(usage={}, exception="ResponseError", text_errors=True, more=_more)

APIS = {
    ("ollama", "chat"): Api("ollama_chat", _OLLAMA),
    ("ollama", "generate"): Api("ollama_generate", _OLLAMA),
}
