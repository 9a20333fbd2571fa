"""Choosing among several clients for each call, falling back where one fails, and saying why.

    router = LLMRouter(["openai/gpt-4o-mini", "anthropic/claude-haiku-4-5"], CostOptimizedStrategy())
    answer = (await router.complete("Say hello")).unwrap()
    print(answer.text, answer.cost_usd, answer.routing.chosen)
    for attempt in answer.routing.attempts:
        print(attempt.candidate, attempt.outcome, attempt.reason)

`lambdallm.llm.routing.sync` has the router that blocks. A strategy of one's own has two methods: see
`RoutingStrategyProtocol`.
"""

from __future__ import annotations

from ..._door import door

_HOMES = {
    "LLMRouter": "router",
    "Candidate": "candidate",
    "CandidateFacts": "candidate",
    "RoutedCall": "plan",
    "Plan": "plan",
    "Observation": "plan",
    "RoutingDecision": "decision",
    "RoutedAttempt": "decision",
    "SequentialCascadeStrategy": "strategies.cascade",
    "ParallelRaceStrategy": "strategies.race",
    "CostOptimizedStrategy": "strategies.cost",
    "LatencyOptimizedStrategy": "strategies.latency",
    "WeightedStrategy": "strategies.weighted",
    "router_of": "factory",
    "strategy_named": "factory",
}

__all__ = [
    "Candidate",
    "CandidateFacts",
    "CostOptimizedStrategy",
    "LLMRouter",
    "LatencyOptimizedStrategy",
    "Observation",
    "ParallelRaceStrategy",
    "Plan",
    "RoutedAttempt",
    "RoutedCall",
    "RoutingDecision",
    "SequentialCascadeStrategy",
    "WeightedStrategy",
    "router_of",
    "strategy_named",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .candidate import Candidate, CandidateFacts
    from .decision import RoutedAttempt, RoutingDecision
    from .factory import router_of, strategy_named
    from .plan import Observation, Plan, RoutedCall
    from .router import LLMRouter
    from .strategies.cascade import SequentialCascadeStrategy
    from .strategies.cost import CostOptimizedStrategy
    from .strategies.latency import LatencyOptimizedStrategy
    from .strategies.race import ParallelRaceStrategy
    from .strategies.weighted import WeightedStrategy

__getattr__, __dir__ = door(__name__, _HOMES)
