"""What the type checker must say of the public names; mypy checks this file, nothing runs it."""

from collections.abc import Iterator
from typing import Any, assert_type

from lambdallm import AsyncWireClient, Completion, Err, LLMError, Ok, Usage, WireClient
from lambdallm.core.context import LambdaLLMContext
from lambdallm.core.prompt import Prompt
from lambdallm.llm.streaming.stream import ChatStream


def client(it: WireClient) -> None:
    result = it.chat("Hi", max_tokens=3)
    assert_type(result, Ok[Completion] | Err[LLMError])
    if isinstance(result, Ok):
        assert_type(result.value, Completion)
        assert_type(result.value.usage, Usage | None)
        assert_type(result.value.cost_usd, float | None)
    else:
        assert_type(result.error, LLMError)
    assert_type(it.stream("Hi").texts(), Iterator[str])


async def async_client(it: AsyncWireClient) -> None:
    assert_type((await it.chat("Hi")).unwrap(), Completion)


def context(it: LambdaLLMContext, prompt: Prompt) -> None:
    assert_type(it.invoke("Hi"), str)
    assert_type(it.total_cost, float)
    assert_type(it.stream("Hi"), ChatStream)
    assert_type(prompt.invoke(it), str | dict[str, Any])


def values(it: Completion) -> None:
    it.replace(model="x")
    it.model = "y"  # type: ignore[misc]  # a value does not change
