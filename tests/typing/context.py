"""What type checkers know of an invocation: read by mypy, never run."""

from dataclasses import dataclass
from typing import Any, assert_type

from lambdallm import LambdaLLMContext, handler
from lambdallm.core.answer import Answer
from lambdallm.core.prompt import Prompt
from lambdallm.llm.errors import LLMError
from lambdallm.llm.flow import Flow
from lambdallm.llm.result import Result
from lambdallm.llm.streaming.stream import AsyncChatStream, ChatStream
from lambdallm.llm.types import Completion, Embeddings
from lambdallm.runtime import Request, Response


@dataclass
class Review:
    label: str


@handler(model="echo", max_retries=1)
def blocking(event: Any, context: LambdaLLMContext) -> object:
    assert_type(context.invoke("Hi"), str)
    assert_type(context.invoke_structured("Rate", Review), Review)
    assert_type(context.invoke_structured("Rate", {"score": float}), dict[str, Any])
    assert_type(context.chat("Hi"), Completion)
    assert_type(context.stream("Hi"), ChatStream)
    assert_type(context.embed("Hi"), Embeddings)
    assert_type(context.request, Request)
    assert_type(context.total_cost, float)
    return Response({"id": 7}, 201)


@handler
async def awaiting(event: Any, context: LambdaLLMContext) -> object:
    assert_type(await context.ainvoke("Hi"), str)
    assert_type(await context.ainvoke_structured("Rate", Review), Review)
    assert_type(await context.achat("Hi"), Completion)
    assert_type(context.astream("Hi"), AsyncChatStream)
    assert_type(await context.aembed(["a", "b"]), Embeddings)
    return None


def flows(context: LambdaLLMContext) -> None:
    assert_type(context.asked(Prompt("Hi"), {}), Flow[Result[Answer, LLMError]])
