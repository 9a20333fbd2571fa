"""The types of routers, as a type checker sees them."""

from collections.abc import Sequence
from typing import assert_type

from lambdallm.llm import Completion, LLMClientProtocol, LLMError, Ok
from lambdallm.llm.config import LLMConfig
from lambdallm.llm.protocols import RoutingStrategyProtocol
from lambdallm.llm.result import Err
from lambdallm.llm.routing import (
    Candidate,
    CandidateFacts,
    CostOptimizedStrategy,
    LatencyOptimizedStrategy,
    LLMRouter,
    Observation,
    ParallelRaceStrategy,
    Plan,
    RoutedCall,
    RoutingDecision,
    SequentialCascadeStrategy,
    WeightedStrategy,
    router_of,
    sync,
)
from lambdallm.llm.streaming.stream import AsyncChatStream, ChatStream

STRATEGIES: tuple[RoutingStrategyProtocol, ...] = (
    SequentialCascadeStrategy(),
    ParallelRaceStrategy(contestants=2),
    CostOptimizedStrategy(),
    LatencyOptimizedStrategy(),
    WeightedStrategy(sticky="user"),
)


class Mine:
    """A strategy of one's own needs no base class."""

    def plan(self, call: RoutedCall, candidates: Sequence[CandidateFacts]) -> Plan:
        """As they come."""
        return Plan(candidates, lambda one: f"Its model is {one.model!r}.")

    def observe(self, observation: Observation) -> None:
        """Nothing."""


async def awaiting(client: LLMClientProtocol) -> None:
    """A router is a client, and takes clients."""
    router = LLMRouter(["openai/gpt-4o-mini", client, Candidate(client, priority=1)], Mine())
    as_protocol: LLMClientProtocol = router
    assert_type(await as_protocol.complete("Hi"), Ok[Completion] | Err[LLMError])
    answer = (await router.chat("Hi")).unwrap()
    assert_type(answer.routing, RoutingDecision | None)
    assert_type(router.stream_chat("Hi"), AsyncChatStream)
    assert_type(router_of(LLMConfig()), LLMRouter)


def blocking() -> None:
    """The blocking twin gives the same without waiting."""
    router = sync.LLMRouter(["openai/gpt-4o-mini"], "cost", fallback={LLMError: "stop"})
    assert_type(router.complete("Hi"), Ok[Completion] | Err[LLMError])
    assert_type(router.stream_chat("Hi"), ChatStream)
    assert_type(sync.router_of(LLMConfig()), sync.LLMRouter)
