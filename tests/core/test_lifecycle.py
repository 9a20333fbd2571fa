"""The life of an invocation, the same for `def` and `async def`: order, session, streams, metrics."""

import pytest

from events import HTTP_KINDS, event
from handler_kinds import KINDS, made
from lambdallm import Middleware, Prompt, register_provider
from lambdallm.core.exceptions import ConfigurationError, DeadlineExceededError, ProviderServerError
from lambdallm.llm.types import ChatMessage, ToolDefinition
from lambdallm.middleware.base import ShortCircuit
from lambdallm.providers.base import BaseProvider
from lambdallm.runtime import EventError, Response
from lambdallm.testing import MockLambdaContext, mock_model

pytestmark = pytest.mark.parametrize("kind", KINDS)


class Reading(MockLambdaContext):
    accepts_stream = True


class Told(Middleware):
    def __init__(self, log):
        self.log = log

    def before_invoke(self, event, context):
        self.log.append("before")

    def after_invoke(self, event, result, context):
        self.log.append(f"after {result!r}")

    def on_error(self, event, error, context):
        self.log.append(f"error {error!r}")


class Saying:
    """A session as handlers know it, that says what is done with it."""

    def __init__(self, log, messages=()):
        self.log, self.given, self.messages, self.modified = log, messages, (), False

    def opened(self, event, context):
        self.log.append("opened")
        session = Saying(self.log, self.given)
        self.last = session
        return session

    def loading(self):
        self.log.append("loaded")
        self.messages = self.given
        yield from ()

    def saving(self):
        self.log.append("saved")
        yield from ()

    def add(self, *messages):
        self.messages += messages
        self.modified = True


def test_the_documented_order(kind):
    log = []

    async def function(event, context):
        context.session.add(ChatMessage("user", "Hi"))
        log.append("function")
        return "done"

    sink = lambda metrics: log.append(f"flushed {len(metrics)}")  # noqa: E731
    settings = {"middleware": [Told(log)], "session": Saying(log), "metrics_sinks": [sink]}

    async def counted(event, context):
        context.metrics.record("mine", 1)
        return await function(event, context)

    assert made(kind, **settings)(counted)({}, None) == "done"
    assert log == ["before", "opened", "loaded", "function", "saved", "after 'done'", "flushed 1"]


class TestSessions:
    def test_are_left_alone_when_unchanged(self, kind):
        log = []

        @made(kind, session=Saying(log))
        async def function(event, context):
            return len(context.session.messages)

        assert function({}, None) == 0
        assert "saved" not in log

    def test_are_not_saved_when_the_function_fails(self, kind):
        log = []

        @made(kind, session=Saying(log))
        async def function(event, context):
            context.session.add(ChatMessage("user", "Hi"))
            raise KeyError("x")

        with pytest.raises(KeyError):
            function({}, None)
        assert "saved" not in log

    def test_of_a_handler_without_one_are_a_mistake(self, kind):
        @made(kind)
        async def function(event, context):
            return context.session

        with pytest.raises(ConfigurationError, match="has no session"):
            function({}, None)

    def test_the_model_hears_what_was_said_and_both_sides_are_kept(self, kind):
        session = Saying([], (ChatMessage("user", "I am Ada."), ChatMessage("assistant", "Hello Ada.")))

        @made(kind, session=session)
        async def function(event, context):
            answer = await context.achat("Who am I?", session=True)
            return [answer.text, await context.ainvoke("And {what}?", what="now", session=True)]

        with mock_model(["You are Ada.", "Still Ada."]) as model:
            assert function({}, None) == ["You are Ada.", "Still Ada."]
        assert "I am Ada." in model.calls[0].prompt
        assert model.calls[1].prompt.count("You are Ada.") == 1
        assert [message.text for message in session.last.messages][2:] == [
            "Who am I?", "You are Ada.", "And now?", "Still Ada.",
        ]  # fmt: skip

    def test_a_prompt_may_have_a_place_for_what_was_said(self, kind):
        session = Saying([], (ChatMessage("user", "I am Ada."), ChatMessage("assistant", "Hello.")))
        prompt = Prompt("Who am I?", messages=[{"role": "system", "content": "Be brief."}, "{history}"])

        @made(kind, session=session)
        async def function(event, context):
            return await context.ainvoke(prompt, session=True)

        with mock_model(["Ada"]) as model:
            function({}, None)
        assert model.calls[0].prompt.index("I am Ada.") < model.calls[0].prompt.index("Who am I?")
        assert [message.text for message in session.last.messages][2:] == ["Who am I?", "Ada"]

    def test_a_stream_s_answer_is_kept_too(self, kind):
        session = Saying([])

        @made(kind, session=session)
        async def function(event, context):
            return "".join([text async for text in context.astream("Hi", session=True).texts()])

        with mock_model(["one two"]):
            assert function({}, None) == "one two"
        assert [message.text for message in session.last.messages] == ["Hi", "one two"]


class TestStreams:
    @staticmethod
    def streaming(kind, log, **settings):
        from lambdallm import handler

        if kind == "def":

            def function(event, context):
                log.append("function")
                yield from context.stream("Say it").texts()
        else:

            async def function(event, context):
                log.append("function")
                async for text in context.astream("Say it").texts():
                    yield text

        return handler(metrics_sinks=[lambda metrics: log.append("flushed")], **settings)(function)

    def test_are_joined_where_nobody_reads_them_piece_by_piece(self, kind):
        log = []
        function = self.streaming(kind, log, middleware=[Told(log)])
        with mock_model(["one two"]):
            assert function(event("function_url"), None)["body"] == "one two"
        assert log == ["before", "function", "after 'one two'", "flushed"]

    def test_are_handed_on_where_somebody_does_and_flushed_at_their_end(self, kind):
        log = []
        with mock_model(["one two"]):
            result = iter(self.streaming(kind, log)(event("function_url"), Reading()))
            assert next(result) == b"one"
            assert "flushed" not in log
            assert list(result) == [b" two"]
        assert log == ["function", "flushed"]

    def test_that_are_left_early_are_closed_and_flushed(self, kind):
        log = []
        with mock_model(["one two three"]):
            result = self.streaming(kind, log)(event("function_url"), Reading())
            assert next(iter(result)) == b"one"
            result.close()
        assert log[-1] == "flushed"

    def test_that_fail_before_their_first_piece_are_answered_like_any_other_function(self, kind):
        log = []
        with mock_model([ProviderServerError("down")]):
            result = self.streaming(kind, log, max_retries=0)(event("function_url"), Reading())
        assert result["statusCode"] == 502
        assert log == ["function", "flushed"]


class TestMiddleware:
    def test_may_answer_in_the_function_s_place(self, kind):
        class Closed(Middleware):
            def before_invoke(self, event, context):
                raise ShortCircuit(Response("closed", 503))

        log = []

        @made(kind, middleware=[Told(log), Closed()])
        async def function(event, context):
            raise AssertionError

        assert function(event("function_url"), None)["statusCode"] == 503
        assert log == ["before", "after Response(body='closed', status=503)"]

    def test_may_change_the_event_which_the_context_then_has(self, kind):
        class Changes(Middleware):
            def before_invoke(self, event, context):
                return {"changed": True}

        @made(kind, middleware=[Changes()])
        async def function(event, context):
            return [event, context.body]

        assert function({}, None) == [{"changed": True}] * 2

    def test_of_async_handlers_may_be_awaited(self, kind):
        class Awaited(Middleware):
            async def before_invoke(self, event, context):
                return {"awaited": True}

        @made(kind, middleware=[Awaited()])
        async def function(event, context):
            return event

        if kind == "async def":
            assert function({}, None) == {"awaited": True}
        else:
            with pytest.raises(ConfigurationError, match="nobody awaits"):
                function({}, None)

    def test_headers_go_with_any_response(self, kind):
        class Tags(Middleware):
            def before_invoke(self, event, context):
                context.response_headers["X-Tag"] = "t"

        @made(kind, middleware=[Tags()])
        async def function(event, context):
            if event["body"] is None:
                raise EventError("No body.")
            return "ok"

        for sent, status in ((event("function_url"), 200), ({**event("function_url"), "body": None}, 400)):
            response = function(sent, None)
            assert (response["statusCode"], response["headers"]["X-Tag"]) == (status, "t")


class TestMetrics:
    def test_a_sink_that_fails_is_reported_and_harms_nothing(self, kind, caplog):
        @made(kind, metrics_sinks=[lambda metrics: 1 / 0])
        async def function(event, context):
            context.metrics.record("a", 1)
            return "ok"

        assert function({}, None) == "ok"
        assert "metrics sink" in caplog.text

    def test_are_flushed_when_the_function_fails_too(self, kind):
        seen = []

        @made(kind, metrics_sinks=[seen.extend])
        async def function(event, context):
            context.metrics.record("a", 1)
            raise KeyError("x")

        with pytest.raises(KeyError):
            function({}, None)
        assert [metric.name for metric in seen] == ["a"]


class TestMethods:
    def test_structures_prompts_and_vectors(self, kind):
        @made(kind)
        async def function(event, context):
            data = await context.ainvoke_structured("Rate {it}", {"score": int}, it="this")
            prompt = await context.ainvoke_prompt(Prompt("Rate {it}", output_schema={"score": int}), {"it": "that"})
            vectors = (await context.aembed(["a", "b", "a"])).vectors
            return [data, prompt, len(vectors), vectors[0] == vectors[2], context.total_cost]

        with mock_model([{"score": 3}], cost_usd=0.5):
            assert function({}, None) == [{"score": 3}, {"score": 3}, 3, True, 1.5]

    def test_chat_tells_the_model_of_tools_and_runs_none(self, kind):
        def weather(city: str, days: int = 1) -> str:
            """The weather in a city.

            More about it.
            """
            raise AssertionError

        @made(kind, model="echo")
        async def function(event, context):
            tool = ToolDefinition("clock", "The time.", {"type": "object", "properties": {}})
            answer = await context.achat("Rome?", [weather, tool], tool_choice="weather", max_tokens=50)
            (call,) = answer.tool_calls
            return [call.name, sorted(call.arguments), answer.finish_reason]

        assert function({}, None) == ["weather", ["city"], "tool_calls"]

    def test_vectors_of_the_catalog_are_counted(self, kind):
        @made(kind, model="echo")
        async def function(event, context):
            found = await context.aembed("one two")
            return [len(found.vectors), context.metrics.total("model.calls")]

        assert function({}, None) == [1, 1]

    def test_a_call_s_options_are_known_by_name(self, kind):
        @made(kind)
        async def function(event, context):
            await context.achat("Hi", temprature=1)

        with pytest.raises(ConfigurationError, match="temprature"):
            function({}, None)


@pytest.mark.parametrize("name", HTTP_KINDS)
def test_what_was_sent_is_read_by_its_type(kind, name):
    @made(kind)
    async def function(event, context):
        return {"said": context.body["text"], "method": context.request.method}

    response = function(event(name), None)
    assert response["body"] == '{"said": "grüß", "method": "POST"}'


def test_an_answer_that_is_cut_off_is_marked_in_the_response(kind):
    @made(kind, timeout_strategy="truncate", timeout_buffer=5, model="echo")
    async def function(event, context):
        return await context.ainvoke("Say it")

    response = function(event("function_url"), MockLambdaContext(remaining_time_ms=4_000))
    assert (response["body"], response["headers"]["X-LambdaLLM-Truncated"]) == ("", "deadline")


class TestProject:
    """`lambdallm.json` gives what the code leaves out: a session and layers."""

    @pytest.fixture(autouse=True)
    def _configured(self, tmp_path, monkeypatch):
        file = tmp_path / "lambdallm.json"
        file.write_text('{"session": {"store": "memory"}, "middleware": [{"cors": {"origins": ["https://a.test"]}}]}')
        monkeypatch.setenv("LAMBDALLM_CONFIG", str(file))

    def test_parts_come_from_the_file(self, kind):
        @made(kind)
        async def function(event, context):
            context.session.add_message("user", "Hi")
            return "ok"

        sent = event("function_url")
        sent["headers"] |= {"origin": "https://a.test", "x-session-id": "s-1"}
        headers = {name.lower(): value for name, value in function(sent, None)["headers"].items()}
        assert headers["access-control-allow-origin"] == "https://a.test"
        assert headers["x-session-id"] == "s-1"

    def test_code_is_over_the_file(self, kind):
        @made(kind, middleware=[], session=Saying([]))
        async def function(event, context):
            return [type(context.session).__name__, len(context.settings.middleware)]

        assert function({}, None) == ["Saying", 0]


class TestVectors:
    def embedding(self, kind, texts="a", model=None, **settings):
        @made(kind, **settings)
        async def function(event, context):
            return (await context.aembed(texts, model)).model

        return function

    def test_are_the_model_s_that_is_named_or_the_handler_s_or_its_provider_s_default(self, kind):
        assert self.embedding(kind, model="echo")({}, None) == "echo"
        assert self.embedding(kind, model=None, embedding_model="echo")({}, None) == "echo"
        assert made(kind, model="echo")(embeds)({}, None) == "echo"

    def test_need_a_provider_that_has_them(self, kind):
        with pytest.raises(ConfigurationError, match="no default embedding model"):
            made(kind, model="anthropic/claude-haiku-4-5")(embeds)({}, None)
        register_provider("textonly", TextOnly())
        with pytest.raises(ConfigurationError, match="has no embeddings"):
            made(kind, model="textonly/x")(embeds)({}, None)

    def test_take_no_time_that_is_not_there(self, kind):
        with pytest.raises(DeadlineExceededError, match="keeps back"):
            made(kind, model="echo")(embeds)({}, MockLambdaContext(remaining_time_ms=1_000))


async def embeds(event, context):
    return (await context.aembed("text")).model


class TextOnly(BaseProvider):
    def invoke(self, prompt, config):
        raise AssertionError
