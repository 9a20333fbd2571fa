"""The secured client, awaiting and blocking, around a client of a provider on loopback: the same cases."""

import asyncio
import json

import pytest

from lambdallm.llm import safety
from lambdallm.llm.clients import base, named, sync
from lambdallm.llm.errors import ConfigurationError, LLMContentFilterError, ProviderServerError, StreamError
from lambdallm.llm.protocols import LLMClientProtocol
from lambdallm.llm.result import Err
from lambdallm.llm.safety import BlocklistFilter, MaxLengthFilter, OutputFilter, PersonalDataFilter, SecretsFilter
from lambdallm.llm.safety import sync as blocking
from lambdallm.llm.types import ChatMessage, Choice, Completion, TextPart, ToolCall, ToolResult, Usage
from look_alikes import GITHUB_TOKEN
from test_imports import NEVER, imported

USAGE = {"prompt_tokens": 1000, "completion_tokens": 1000, "total_tokens": 2000}
COST = 0.0125


def answer(text):
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    return {"id": "c1", "model": "gpt-4o", "choices": [choice], "usage": USAGE}


def events(*pieces, usage=USAGE):
    told = [{"choices": [{"index": 0, "delta": {"content": piece}}]} for piece in pieces]
    told += [{"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}, {"choices": [], "usage": usage}]
    return [f"data: {json.dumps(one)}\n\n".encode() for one in told] + [b"data: [DONE]\n\n"]


made = []


@pytest.fixture(autouse=True)
def _closed():
    yield
    while made:
        made.pop().close()


class Blocking:
    """Plays a secured client that blocks."""

    module = sync

    def __init__(self, inner, **options):
        self.client = blocking.SecureLLMClient(inner, **options)
        made.append(self.client)

    def complete(self, *args, **kwargs):
        return self.client.complete(*args, **kwargs)

    def chat(self, *args, **kwargs):
        return self.client.chat(*args, **kwargs)

    def stream(self, *args, **kwargs):
        with self.client.stream_chat(*args, **kwargs) as stream:
            return list(stream), stream

    def failing(self, *args, **kwargs):
        return failure(self.client.stream_chat(*args, **kwargs))

    def health(self):
        return self.client.health_check()


def failure(stream):
    passed = []
    with pytest.raises(Exception) as raised, stream:  # what came before it is wanted too
        passed.extend(stream)
    return raised.value, passed


class Awaiting:
    """Plays a secured client that awaits, each call in an event loop of its own."""

    module = named

    def __init__(self, inner, **options):
        self.client = safety.SecureLLMClient(inner, **options)

    def run(self, call):
        async def main():
            async with self.client:
                return await call()

        return asyncio.run(main())

    def complete(self, *args, **kwargs):
        return self.run(lambda: self.client.complete(*args, **kwargs))

    def chat(self, *args, **kwargs):
        return self.run(lambda: self.client.chat(*args, **kwargs))

    def stream(self, *args, **kwargs):
        async def read():
            async with self.client.stream_chat(*args, **kwargs) as stream:
                return [chunk async for chunk in stream], stream

        return self.run(read)

    def failing(self, *args, **kwargs):
        async def read():
            passed = []
            try:
                async with self.client.stream_chat(*args, **kwargs) as stream:
                    async for chunk in stream:
                        passed.append(chunk)  # those before the failure are wanted
            except Exception as error:  # noqa: BLE001  # whatever it is, it is what the test asks for
                return error, passed
            raise AssertionError("nothing was raised")

        return self.run(read)

    def health(self):
        return self.run(lambda: self.client.health_check())


both = pytest.mark.parametrize("kind", [Blocking, Awaiting])


def secured(kind, provider, **options):
    inner = kind.module.OpenAIClient(api_key="k", base_url=provider.url, model="gpt-4o", max_retries=0)
    return kind(inner, **options)


def sent(provider):
    return [message["content"] for message in provider.received[-1][2]["messages"]]


@both
def test_an_answer_is_filtered_and_says_what_was_done(kind, provider):
    provider.replies = [answer(f"It is {GITHUB_TOKEN}, by ada@example.com.")]
    client = secured(kind, provider, output_filters=[SecretsFilter(), PersonalDataFilter()])
    result = client.complete("Hi").unwrap()
    assert result.text == "It is [GITHUB_TOKEN], by [EMAIL]."
    assert result.metadata["safety"] == {"output": {"secrets": {"GITHUB_TOKEN": 1}, "personal_data": {"EMAIL": 1}}}
    assert result.warnings[0] == "The output filter 'secrets' replaced 1 × GITHUB_TOKEN."
    assert (result.usage.total_tokens, result.cost_usd, result.attempts) == (2000, COST, 1)


@both
def test_what_needs_no_filter_says_nothing_of_it(kind, provider):
    provider.replies = [answer("Hello.")]
    result = secured(kind, provider, output_filters=[SecretsFilter()]).complete("Hi").unwrap()
    assert (result.text, result.warnings, result.metadata.get("safety")) == ("Hello.", (), None)


@both
def test_a_stream_is_filtered_across_its_chunks(kind, provider):
    provider.replies = [events("It is ", GITHUB_TOKEN[:7], GITHUB_TOKEN[7:30], GITHUB_TOKEN[30:] + ", keep", " it")]
    chunks, stream = secured(kind, provider, output_filters=[SecretsFilter()]).stream("Hi")
    assert "".join(chunk.delta for chunk in chunks) == "It is [GITHUB_TOKEN], keep it"
    result = stream.completion
    assert (result.text, result.finish_reason, result.provider) == ("It is [GITHUB_TOKEN], keep it", "stop", "openai")
    assert (result.usage.total_tokens, result.cost_usd) == (2000, COST)
    assert result.metadata["safety"] == {"output": {"secrets": {"GITHUB_TOKEN": 1}}}
    assert result.warnings == ("The output filter 'secrets' replaced 1 × GITHUB_TOKEN.",)
    assert result.time_to_first_token_ms is not None


@both
def test_every_text_of_the_messages_is_filtered_and_none_of_them_changed(kind, provider):
    provider.replies = [answer("OK.")]
    mail = "ada@example.com"
    messages = (
        ChatMessage("system", f"You work for {mail}."),
        ChatMessage("user", (TextPart(f"I am {mail}."),)),
        ChatMessage("assistant", (ToolCall("c1", "find", {"who": mail}),)),
        ChatMessage("tool", (ToolResult("c1", f"{mail} was found"),)),
    )
    before = repr(messages)
    client = secured(kind, provider, input_filters=[PersonalDataFilter()])
    result = client.chat(messages, [{"type": "function", "function": {"name": "find", "parameters": {}}}]).unwrap()
    body = json.dumps(provider.received[-1][2])
    assert mail not in body
    assert body.count("[EMAIL]") == 4
    assert repr(messages) == before
    assert result.metadata["safety"] == {"input": {"personal_data": {"EMAIL": 4}}}


@both
def test_a_blocked_request_is_not_sent_and_costs_nothing(kind, provider):
    client = secured(kind, provider, input_filters=[BlocklistFilter(["launch code"])])
    for error in (client.complete("The launch  code?").error, client.failing("The LAUNCH code?")[0]):
        assert isinstance(error, LLMContentFilterError)
        assert (error.sent, error.attempts, error.cost_usd, error.usage) == (False, 0, 0.0, Usage())
        assert (error.code, error.type) == ("blocklist", "BLOCKED")
    assert provider.received == []


@both
def test_a_blocked_answer_is_paid_for(kind, provider):
    provider.replies = [answer("The launch code is 1234.")]
    error = secured(kind, provider, output_filters=[BlocklistFilter(["launch code"])]).complete("Hi").error
    assert isinstance(error, LLMContentFilterError)
    assert (error.provider, error.model, error.usage.total_tokens, error.cost_usd) == ("openai", "gpt-4o", 2000, COST)
    assert error.partial is None
    assert "1234" not in str(error)


@both
def test_a_blocked_stream_ends_before_the_match(kind, provider):
    provider.replies = [events("Well: the lau", "nch co", "de is 1234")]
    error, passed = secured(kind, provider, output_filters=[BlocklistFilter(["launch code"])]).failing("Hi")
    assert isinstance(error, LLMContentFilterError)
    assert "".join(chunk.delta for chunk in passed) == "Well: the "
    assert error.partial.text == "Well: the "
    assert (error.provider, error.code) == ("openai", "blocklist")


@both
@pytest.mark.parametrize("on_block", ["I can't say.", lambda error: f"I can't say {error.type}."])
def test_other_words_in_the_place_of_a_blocked_text(kind, provider, on_block):
    words = on_block if isinstance(on_block, str) else "I can't say BLOCKED."
    provider.replies = [answer("The launch code is 1234."), events("Well: the ", "launch code is")]
    client = secured(kind, provider, output_filters=[BlocklistFilter(["launch code"])], on_block=on_block)
    result = client.complete("Hi").unwrap()
    assert (result.text, result.finish_reason, result.cost_usd) == (words, "content_filter", COST)
    assert result.warnings == ("The filter 'blocklist' blocked the answer.",)
    chunks, stream = client.stream("Hi")
    assert "".join(chunk.delta for chunk in chunks) == f"Well: the {words}"
    assert stream.completion.finish_reason == "content_filter"
    assert stream.completion.warnings == ("The filter 'blocklist' blocked the answer.",)


@both
def test_other_words_for_a_request_that_is_not_sent(kind, provider):
    client = secured(kind, provider, input_filters=[MaxLengthFilter(3, action="block")], on_block="Too long.")
    for result in (client.complete("four").unwrap(), client.stream("four")[1].completion):
        assert (result.text, result.cost_usd, result.usage, result.attempts) == ("Too long.", 0.0, Usage(), 0)
    assert provider.received == []


@both
def test_a_function_that_gives_no_words_lets_the_call_fail(kind, provider):
    heard = []
    client = secured(kind, provider, input_filters=[BlocklistFilter(["x"])], on_block=heard.append)
    assert client.complete("x").error is heard[0]


@both
def test_placeholders_are_undone_in_the_answer(kind, provider):
    asked = "Ada is ada@example.com, Bob bob@example.com"
    call = {"id": "t", "type": "function", "function": {"name": "send", "arguments": '{"to": "[EMAIL_1]"}'}}
    told = answer("Dear [EMAIL_2], [EMAIL_7] says")
    told["choices"][0]["message"]["tool_calls"] = [call]
    provider.replies = [told, events("Dear [EM", "AIL_1", "]!")]
    client = secured(kind, provider, input_filters=[PersonalDataFilter()], reversible=True)
    result = client.complete(asked).unwrap()
    assert sent(provider) == ["Ada is [EMAIL_1], Bob [EMAIL_2]"]
    assert result.text == "Dear bob@example.com, [EMAIL_7] says"
    assert result.tool_calls[0].arguments == {"to": "ada@example.com"}
    chunks, _ = client.stream(asked)
    assert [chunk.delta for chunk in chunks if chunk.delta] == ["Dear ", "ada@example.com!"]


@both
def test_what_a_provider_refuses_is_still_its_error(kind, provider):
    provider.replies = [(500, {}, {"error": {"message": "Down."}}), (500, {}, {"error": {"message": "Down."}})]
    client = secured(kind, provider, output_filters=[SecretsFilter()])
    assert isinstance(client.complete("Hi").error, ProviderServerError)
    assert isinstance(client.failing("Hi")[0], ProviderServerError)


@both
def test_a_stream_that_breaks_off_keeps_what_was_handed_on_filtered(kind, provider):
    provider.replies = [[*events("Ask ada@example.com or", " bob@exam")[:2], None]]
    error, passed = secured(kind, provider, output_filters=[PersonalDataFilter()]).failing("Hi")
    assert isinstance(error, StreamError)
    assert "".join(chunk.delta for chunk in passed) == "Ask [EMAIL] or bob@exam" == error.partial.text


@both
def test_an_error_that_holds_the_answer_holds_it_filtered(kind):
    class Failing(sync.AbstractLLMClient if kind is Blocking else base.AbstractLLMClient):
        provider, default_model = "acme", "acme-1"

        def _answer(self):
            said = Completion((Choice(ChatMessage("assistant", "by ada@example.com"), "stop"),))
            return Err(StreamError("Broke.", partial=said, retryable=False))

    if kind is Blocking:
        Failing._do_complete = lambda self, messages, **_: self._answer()
    else:

        async def hook(self, messages, **_):
            return self._answer()

        Failing._do_complete = hook
    client = kind(Failing(), output_filters=[PersonalDataFilter()])
    assert client.complete("Hi").error.partial.text == "by [EMAIL]"


@both
def test_a_filters_bug_lets_nothing_through(kind, provider):
    class Broken(OutputFilter):
        longest = 5

        def apply(self, text):
            raise ZeroDivisionError

    provider.replies = [answer("Hi."), events("Hi, how are you?")]
    client = secured(kind, provider, output_filters=[Broken()])
    with pytest.raises(ZeroDivisionError):
        client.complete("Hi")
    error, passed = client.failing("Hi")
    assert isinstance(error, ZeroDivisionError)
    assert passed == []


@both
def test_leaving_a_stream_early_closes_what_it_reads(kind, provider):
    provider.gated = True
    provider.replies = [events("one ", "two ", "three ")]
    provider.gate.release(2)
    client = secured(kind, provider, output_filters=[SecretsFilter()])
    if kind is Blocking:
        with client.client.stream_chat("Hi") as stream:
            assert next(stream).delta == "one "
        source = stream._record.source
        assert list(source) == []
    else:

        async def leave():
            async with client.client.stream_chat("Hi") as stream:
                assert (await anext(stream)).delta == "one "
            assert [chunk async for chunk in stream._record.source] == []

        client.run(leave)
    provider.gate.release(10)


@both
def test_secured_clients_can_stand_one_in_another(kind, provider):
    provider.replies = [answer(f"{GITHUB_TOKEN} ada@example.com")]
    inner = secured(kind, provider, output_filters=[SecretsFilter()])
    result = kind(inner.client, output_filters=[PersonalDataFilter()]).complete("Hi").unwrap()
    assert result.text == "[GITHUB_TOKEN] [EMAIL]"


@both
def test_the_rest_of_the_protocol_is_the_clients_own(kind, provider):
    provider.replies = [{"data": []}]
    client = secured(kind, provider)
    assert client.health().healthy
    assert isinstance(client.client, LLMClientProtocol)


@both
def test_what_is_no_filter_is_refused(kind, provider):
    with pytest.raises(ConfigurationError, match=r"SecretsFilter.*is no filter.*instances"):
        secured(kind, provider, output_filters=[SecretsFilter])


@pytest.mark.parametrize(
    "code",
    [
        "from lambdallm.llm.safety import PersonalDataFilter, SecretsFilter\nSecretsFilter(), PersonalDataFilter()",
        "from lambdallm.llm.safety import SecureLLMClient",
        "from lambdallm.llm.safety.sync import SecureLLMClient",
        "from lambdallm.llm.inference import InferenceLogger\nInferenceLogger()",
    ],
)
def test_nothing_dear_is_imported_before_it_is_needed(code):
    assert imported(code) & NEVER == set()


def test_the_door_opens_every_name():
    assert all(getattr(safety, name) is not None for name in safety.__all__)
    assert set(safety.__all__) == set(safety._HOMES) <= set(dir(safety))
    with pytest.raises(AttributeError, match="nope"):
        safety.nope  # noqa: B018
