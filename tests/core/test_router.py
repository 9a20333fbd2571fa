"""`handler(router=…)`: who chooses the model, and the one that looks at the price."""

import pytest

from handler_kinds import KINDS, made
from lambdallm import handler
from lambdallm.core.context import LambdaLLMContext
from lambdallm.core.exceptions import ConfigurationError, ProviderServerError
from lambdallm.core.handler import HandlerSettings
from lambdallm.core.router import CostAwareRouter
from lambdallm.llm.routing import LLMRouter
from lambdallm.llm.routing.sync import LLMRouter as BlockingRouter
from lambdallm.llm.types import ChatMessage, ChatRequest, ImagePart
from lambdallm.testing import mock_model

kinds = pytest.mark.parametrize("kind", KINDS)
TEXT_ONLY = "amazon.titan-text-lite-v1"
CHEAP, DEAR = "openai/gpt-4o-mini", "openai/gpt-4o"


class Chooses:
    def __init__(self, *names):
        self.names, self.seen = names, []

    def route(self, request, context):
        self.seen.append((request.messages[-1].text, context.total_cost))
        return self.names[0] if len(self.names) == 1 else list(self.names)


def asked(kind, answers=("ok",), call=None, **settings):
    @made(kind, max_retries=0, **settings)
    async def function(event, context):
        return await context.ainvoke("Hi", **(call or {}))

    with mock_model(list(answers)) as model:
        function({}, None)
    return [each.config.model_id for each in model.calls]


@kinds
class TestRouters:
    def test_choose_the_model_by_what_is_asked(self, kind):
        router = Chooses("a")
        assert asked(kind, router=router) == ["a"]
        assert router.seen == [("Hi", 0)]

    def test_may_name_several_and_the_fallback_model_is_the_last(self, kind):
        down = ProviderServerError("down")
        assert asked(kind, [down, down, "ok"], router=Chooses("a", "b"), fallback_model="c") == ["a", "b", "c"]

    def test_are_not_asked_where_the_call_names_a_model(self, kind):
        assert asked(kind, router=Chooses("a"), call={"model": "mine"}) == ["mine"]

    @pytest.mark.parametrize("names", [[[]], [3]])
    def test_that_name_none_are_a_mistake(self, kind, names):
        router = Chooses(*names)
        with pytest.raises(ConfigurationError, match="The router"):
            asked(kind, router=router)

    def test_of_the_client_library_make_the_calls_themselves(self, kind):
        router = BlockingRouter(["echo"]) if kind == "def" else LLMRouter(["echo"])

        @made(kind, router=router)
        async def function(event, context):
            said = await context.ainvoke("Say this")
            data = await context.ainvoke_structured("Rate it", {"score": int})
            stream = context.astream("one two")
            pieces = [text async for text in stream.texts()]
            return [said, data, pieces, context.completions[0].routing.chosen, len(context.completions)]

        assert function({}, None) == ["Say this", {"score": 0}, ["one", " two"], "echo/echo", 3]

    def test_of_the_client_library_give_way_to_a_test_s_model(self, kind):
        router = BlockingRouter(["echo"]) if kind == "def" else LLMRouter(["echo"])
        assert asked(kind, router=router) == ["stand-in"]


def test_one_that_has_to_be_awaited_is_refused_where_nobody_awaits():
    with pytest.raises(ConfigurationError, match=r"lambdallm\.llm\.routing\.sync"):
        handler(router=LLMRouter(["echo"]))(lambda event, context: context.invoke("Hi"))


class TestCostAwareRouter:
    def route(self, router, *content, cost=0.0, **options):
        context = LambdaLLMContext(HandlerSettings())
        context._costs.append(cost)
        return router.route(ChatRequest("", (ChatMessage("user", *(content or ("Hi",))),), **options), context)

    def test_asks_the_cheapest_first(self):
        assert self.route(CostAwareRouter([DEAR, CHEAP])) == (CHEAP, DEAR)

    def test_leaves_out_who_can_t_do_it(self):
        router = CostAwareRouter([TEXT_ONLY, CHEAP])
        assert TEXT_ONLY not in self.route(router, (ImagePart(url="https://example.com/a.png"),))

    def test_leaves_out_what_is_too_dear(self):
        assert self.route(CostAwareRouter([DEAR, CHEAP], max_cost_usd=0.001), max_tokens=500) == (CHEAP,)

    def test_asks_the_cheapest_alone_when_the_budget_is_spent(self):
        router = CostAwareRouter([DEAR, CHEAP], budget_usd=1.0)
        assert self.route(router, cost=0.5) == (CHEAP, DEAR)
        assert self.route(router, cost=1.0) == (CHEAP,)

    def test_needs_models(self):
        with pytest.raises(ConfigurationError, match="no models"):
            CostAwareRouter([])
