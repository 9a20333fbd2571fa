"""What type checkers know of chains."""

from typing import Any, assert_type

from lambdallm import LambdaLLMContext, Prompt
from lambdallm.chains import Chain, ChainResult, ChainRunner, LambdaRequeue, Map, Parallel, SqsRequeue, Step, StepResult
from lambdallm.llm.types import Usage
from lambdallm.state.memory import MemoryStateStore


def steps(context: LambdaLLMContext) -> None:
    chain = Chain(
        "report",
        [
            Step("facts", "List {text}", output_schema={"facts": [str]}, model="openai/gpt-4o", max_cost=0.1),
            Map(Step("checks", Prompt("{item}")), over="{facts.facts}", concurrency=4),
            Parallel("both", [Step("a", "A"), Step("n", func=lambda checks: len(checks))]),
            Chain("inner", [Step("x", "X")]),
        ],
        timeout_strategy="checkpoint",
        max_total_cost=0.5,
        store=MemoryStateStore(),
        on_timeout="requeue",
        requeue=LambdaRequeue(),
    )
    result = chain.run(context, text="…")
    assert_type(result, ChainResult)
    assert_type(result.cost_usd, float | None)
    assert_type(result.usage, Usage)
    assert_type(result.steps["facts"], StepResult)
    assert_type(result.to_dict(), dict[str, Any])
    assert_type(chain.get_step("facts"), Step)
    assert_type(chain.resume(context, "id"), ChainResult)
    assert_type(ChainRunner(chain, checkpoint_id="id").run(context, text="…"), ChainResult)
    assert_type(chain.to_mermaid(), str)
    Chain("c", [Step("a", "A")], store="file", requeue=SqsRequeue("https://…"))
    Chain("c", [Step("a", "A")], "fast")  # type: ignore[arg-type]  # no such strategy
    chain.run("context", text="…")  # type: ignore[arg-type]  # no context


async def awaited(context: LambdaLLMContext, chain: Chain) -> None:
    assert_type(await chain.arun(context, text="…"), ChainResult)
    assert_type(await chain.aresume(context, "id"), ChainResult)
