"""What the type checker must say of the public names; mypy checks this file, nothing runs it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, assert_type

from lambdallm import AsyncWireClient, Completion, Err, LLMError, Model, Ok, Usage, WireClient, handler
from lambdallm.core.context import LambdaLLMContext
from lambdallm.core.prompt import Prompt
from lambdallm.llm.streaming.stream import ChatStream


@dataclass
class Review:
    """What somebody thinks."""

    score: float


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
    assert_type(prompt.invoke(it), Any)
    assert_type(it.invoke_structured("Rate {it}", Review, it="this"), Review)
    assert_type(it.invoke_structured("Rate {it}", list[Review], it="this"), list[Review])
    assert_type(it.invoke_structured("Rate {it}", {"score": float}, it="this"), dict[str, Any])
    assert_type(it.invoke_structured(prompt), dict[str, Any])


def handlers() -> None:
    @handler
    def plain(event: Any, context: LambdaLLMContext) -> str:
        return context.invoke("Hi")

    @handler(model=Model.CLAUDE_3_HAIKU, max_retries=1)
    def configured(event: Any, context: LambdaLLMContext) -> str:
        return context.invoke("Hi")

    assert_type(plain, Callable[[Any, Any], Any])
    assert_type(configured, Callable[[Any, Any], Any])
    handler(max_retries="three")  # type: ignore[call-overload]  # not a number


def values(it: Completion) -> None:
    it.replace(model="x")
    it.model = "y"  # type: ignore[misc]  # a value does not change
