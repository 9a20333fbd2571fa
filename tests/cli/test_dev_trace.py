"""What an invocation did, as its process gathers it."""

import contextlib
import threading

import pytest

from lambdallm import LambdaLLMError, Prompt, handler
from lambdallm.chains import Chain, Map, Parallel, Step
from lambdallm.cli.dev_messages import as_message, total
from lambdallm.cli.dev_trace import Trace
from lambdallm.llm.errors import ProviderConnectionError
from lambdallm.llm.types import (
    ChatMessage,
    ChatRequest,
    DocumentPart,
    Embeddings,
    ImagePart,
    ReasoningPart,
    TextPart,
    ToolCall,
    ToolResult,
    Usage,
)
from lambdallm.testing.mocks import MockLambdaContext


class Watching(MockLambdaContext):
    """AWS's context, with a trace that looks on."""

    def __init__(self):
        super().__init__()
        self.trace = Trace()

    def on_context(self, context):
        context.guards.append(self.trace)
        self.trace.context = context

    def on_step(self, path, *, ended):
        self.trace.step_ended(path) if ended else self.trace.step_began(path)


def traced(function, model="echo"):
    """What the trace has of one invocation of a handler, whatever became of it."""
    context = Watching()
    with contextlib.suppress(LambdaLLMError, ArithmeticError):
        handler(model=model, max_retries=0)(function)({}, context)
    return context.trace.to_dict()


class TestCalls:
    def test_have_messages_answer_tokens_and_cost(self):
        told = traced(lambda _, context: context.invoke("Hello {name}", name="Ada", system_prompt="Be kind."))
        (call,) = told["calls"]
        assert [message["role"] for message in call["messages"]] == ["system", "user"]
        assert call["answer"] == {"role": "assistant", "parts": [{"type": "text", "text": "Hello Ada"}]}
        assert (call["tokens_in"], call["tokens_out"], call["cost_usd"], call["attempts"]) == (4, 2, 0, 1)
        assert (told["tokens_in"], told["tokens_out"], told["cost_usd"]) == (4, 2, 0)

    def test_that_fail_say_why_and_cost_what_is_known(self):
        (call,) = traced(lambda _, context: context.invoke("Hi"), "echo/error-429")["calls"]
        assert "429" in call["error"]
        assert (call["answer"], call["provider"], call["model"]) == (None, "echo", "error-429")

    def test_for_vectors_are_listed_and_count_in_the_cost(self):
        def function(_, context):
            context.embed(["Hi", "there"], "echo")
            context.note_embeddings(Embeddings((), usage=Usage(7, 0), model="m", provider="openai", cost_usd=0.5))
            return context.invoke("Hi")

        told = traced(function)
        first, second, third = told["calls"]
        assert first["answer"]["parts"][0]["text"].startswith("2 vectors of ")
        assert (second["provider"], second["model"], second["tokens_in"], second["cost_usd"]) == ("openai", "m", 7, 0.5)
        assert third["answer"]["parts"] == [{"type": "text", "text": "Hi"}]
        assert told["cost_usd"] == 0.5
        assert [span["name"] for span in told["spans"] if span["kind"] == "model"][1:] == ["openai/m", "echo/echo"]

    def test_for_vectors_that_fail_say_why(self):
        def function(_, context):
            context.note_embeddings(ProviderConnectionError("Nobody is there.", provider="openai"))

        (call,) = traced(function)["calls"]
        assert ("Nobody is there." in call["error"], call["provider"], call["answer"]) == (True, "openai", None)

    def test_under_way_have_no_end(self):
        trace = Trace()
        request = ChatRequest("m", (ChatMessage("user", "Hi"),))
        trace.before_call(request, ("openai/m",))
        (call,) = trace.to_dict()["calls"]
        assert (call["provider"], call["model"], call["ended_ms"], call["answer"]) == ("openai", "m", None, None)

    def test_of_unknown_cost_make_the_sum_unknown(self):
        assert (total([1, None]), total([1, 2]), total([])) == (None, 3, 0)


class TestSpans:
    def test_of_a_chain_are_those_of_its_steps_and_their_calls(self):
        inner = Chain("inner", [Step("deep", "{text}")])
        chain = Chain(
            "outer",
            [
                Step("one", "First {text}"),
                Parallel("both", [Step("left", "{one.output}"), Step("right", func=lambda one: one)]),
                Map(Step("each", "{item}"), over=["a", "b"]),
                Step("sub", chain=inner, inputs={"text": "{one.output}"}),
            ],
        )
        told = traced(lambda _, context: chain.run(context, text="x").output)
        steps = {span["name"]: span["depth"] for span in told["spans"] if span["kind"] == "step"}
        names = ("one", "left", "right", "each/0", "each/1", "sub/deep")
        assert steps == {f"step {name}": 1 for name in names}, "no step around them has a span"
        assert told["spans"][0]["name"] == "invocation"
        whole = told["spans"][0]
        assert all(
            whole["begun_ms"] <= one["begun_ms"] <= one["ended_ms"] <= whole["ended_ms"] for one in told["spans"]
        )

    def test_stand_below_the_step_that_made_them_also_where_steps_overlap(self):
        met = threading.Barrier(2)

        def late(text):
            met.wait(10)
            return text

        chain = Chain(
            "c",
            [
                Parallel("both", [Step(side, "{first}", inputs={"first": "{text}"}) for side in ("left", "right")]),
                Parallel(
                    "more", [Step("asks", func=lambda context: late(context.invoke("a"))), Step("waits", func=late)]
                ),
            ],
        )
        told = traced(lambda _, context: chain.run(context, text="x"))
        order = [(span["name"], span["depth"]) for span in told["spans"][1:]]
        for step in ("step left", "step right", "step asks"):
            assert order[order.index((step, 1)) + 1] == ("echo/echo", 2)
        assert sorted(call["step"] for call in told["calls"]) == ["asks", "left", "right"]

    def test_of_a_step_that_fails_end(self):
        chain = Chain("c", [Step("one", func=lambda text: 1 / 0)])
        told = traced(lambda _, context: chain.run(context, text="x"))
        assert [span["ended_ms"] is not None for span in told["spans"]] == [True, True]


@pytest.mark.parametrize(
    ("part", "shape"),
    [
        (TextPart("a"), {"type": "text", "text": "a"}),
        (ReasoningPart("why"), {"type": "reasoning", "text": "why"}),
        (
            ImagePart(data=b"\0", media_type="image/gif"),
            {"type": "image", "media_type": "image/gif", "url": "data:image/gif;base64,AA=="},
        ),
        (ImagePart(url="https://e/x.png"), {"type": "image", "media_type": "image/png", "url": "https://e/x.png"}),
        (DocumentPart(text="t", name="a.txt"), {"type": "document", "name": "a.txt"}),
        (ToolCall("1", "f", {"a": 1}), {"type": "tool_call", "id": "1", "name": "f", "arguments": {"a": 1}}),
        (ToolCall("1", "f", None, "{brok"), {"type": "tool_call", "id": "1", "name": "f", "arguments": "{brok"}),
        (ToolResult("1", "fine", "f"), {"type": "tool_result", "id": "1", "name": "f", "content": "fine"}),
        (
            ToolResult("1", (TextPart("x"),)),
            {"type": "tool_result", "id": "1", "name": None, "content": [{"type": "text", "text": "x"}]},
        ),
    ],
)  # fmt: skip
def test_every_part_of_a_message_has_a_shape(part, shape):
    assert as_message(ChatMessage("user", (part,)))["parts"] == [shape]


def test_a_developers_message_is_the_systems():
    assert as_message(ChatMessage("developer", "x"))["role"] == "system"


def test_a_prompt_with_defaults_is_traced_like_any_other():
    told = traced(lambda _, context: Prompt("{a}", defaults={"a": "b"}).invoke(context))
    assert told["calls"][0]["messages"][0]["parts"][0]["text"] == "b"
