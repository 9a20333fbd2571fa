"""One line of JSON for each call: what it took and how it ended, and what was said only where that is wanted."""

import io
import json
import logging

import pytest

from lambdallm.llm.drivers import Driver
from lambdallm.llm.errors import ConfigurationError, DeadlineExceededError, LLMRateLimitError, StreamError
from lambdallm.llm.flow import Tell
from lambdallm.llm.inference import InferenceLogger
from lambdallm.llm.notices import CallCompleted, CallFailed, CallStarted, new_call_id
from lambdallm.llm.protocols import InferenceLoggerProtocol
from lambdallm.llm.safety import BlocklistFilter, SecretsFilter
from lambdallm.llm.types import (
    AudioPart,
    ChatMessage,
    ChatRequest,
    Choice,
    Completion,
    DocumentPart,
    ImagePart,
    ProviderPart,
    ReasoningPart,
    RefusalPart,
    ResponseFormat,
    TextPart,
    ToolCall,
    ToolResult,
    Usage,
)
from look_alikes import GITHUB_TOKEN

REQUEST = ChatRequest(
    "gpt-4o",
    (ChatMessage("system", "Be brief."), ChatMessage("user", f"What is {GITHUB_TOKEN}?")),
    temperature=0.5,
    max_tokens=100,
    n=2,
    stop=("secret stop",),
    response_format=ResponseFormat("json_schema", {}),
)
CALL = CallStarted("c1", "stream", "bedrock", "gpt-4o", 1_700_000_000.25, REQUEST)
ANSWER = Completion(
    (Choice(ChatMessage("assistant", (ReasoningPart("Hm."), TextPart("A token of ada@example.com."))), "stop"),),
    usage=Usage(100, 20, cached_tokens=60, reasoning_tokens=5),
    model="gpt-4o-2024-08-06",
    id="r1",
    provider="openai",
    cost_usd=0.0025,
    time_to_first_token_ms=250.0,
    attempts=2,
    cache="hit",
    warnings=("top_k=3 was left out",),
    metadata={"safety": {"output": {"secrets": {"JWT": 1}}}},
)
COMPLETED = CallCompleted(CALL, ANSWER, 1234.5678)
FACTS = {
    "timestamp": "2023-11-14T22:13:20.250Z",
    "event.name": "gen_ai.client.inference.operation.details",
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "aws.bedrock",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.request.stream": True,
    "gen_ai.request.temperature": 0.5,
    "gen_ai.request.max_tokens": 100,
    "gen_ai.request.choice.count": 2,
    "gen_ai.output.type": "json",
    "gen_ai.response.id": "r1",
    "gen_ai.response.model": "gpt-4o-2024-08-06",
    "gen_ai.response.finish_reasons": ["stop"],
    "gen_ai.response.time_to_first_chunk": 0.25,
    "gen_ai.usage.input_tokens": 100,
    "gen_ai.usage.output_tokens": 20,
    "gen_ai.usage.cache_read.input_tokens": 60,
    "gen_ai.usage.reasoning.output_tokens": 5,
    "lambdallm.call.id": "c1",
    "lambdallm.request.messages": 2,
    "lambdallm.duration_ms": 1234.568,
    "lambdallm.cost_usd": 0.0025,
    "lambdallm.attempts": 2,
    "lambdallm.answered_by": "openai",
    "lambdallm.cache": "hit",
    "lambdallm.warnings": 1,
    "lambdallm.safety": {"output": {"secrets": {"JWT": 1}}},
}


def line_of(notice, **options):
    """The one line that a logger writes of a notice, read."""
    lines = []
    InferenceLogger(lines.append, **options)(notice)
    [line] = lines
    assert "\n" not in line
    return json.loads(line)


def test_a_completed_call_is_told_by_the_conventions_names_and_without_content():
    assert line_of(COMPLETED) == FACTS


def test_nothing_that_was_said_is_in_a_line_unless_it_is_asked_for():
    error = LLMRateLimitError(f"Slow down, {GITHUB_TOKEN}", status=429, code="rate limited for ada", request_id="q1")
    for notice in (COMPLETED, CallFailed(CALL, error, 5.0, ANSWER)):
        text = json.dumps(line_of(notice)) + repr(notice)
        assert not any(said in text for said in ("brief", GITHUB_TOKEN, "ada", "Hm.", "secret stop", "Slow"))


def test_what_failed_is_told_by_its_type_and_its_provider():
    error = LLMRateLimitError("No.", status=429, code="rate_limit", request_id="q1", provider="openai", attempts=4,
                              usage=Usage(7, 0), cost_usd=0.1)  # fmt: skip
    line = line_of(CallFailed(CALL, error, 5.0))
    assert {name: line.get(name) for name in line if name not in FACTS} == {
        "error.type": "LLMRateLimitError",
        "http.response.status_code": 429,
        "lambdallm.error.code": "rate_limit",
        "lambdallm.request.id": "q1",
        "lambdallm.retryable": True,
    }
    assert (line["lambdallm.attempts"], line["gen_ai.usage.input_tokens"], line["lambdallm.cost_usd"]) == (4, 7, 0.1)


@pytest.mark.parametrize(
    ("error", "kind"), [(None, "cancelled"), (DeadlineExceededError("Late."), "DeadlineExceededError")]
)
def test_what_did_not_end_has_a_type_too(error, kind):
    assert line_of(CallFailed(CALL, error, 5.0, ANSWER))["error.type"] == kind


def test_what_is_unknown_is_left_out_and_zero_is_not():
    bare = CallCompleted(CallStarted("c", "chat", "acme", "m", 0.0), Completion((), usage=Usage(0, 0), attempts=0), 0.0)
    line = line_of(bare)
    assert "lambdallm.cost_usd" not in line
    assert (line["gen_ai.usage.input_tokens"], line["gen_ai.usage.output_tokens"], line["lambdallm.attempts"]) == (
        0,
        0,
        0,
    )
    assert line["gen_ai.provider.name"] == "acme"


def test_content_in_the_conventions_shape():
    line = line_of(COMPLETED, content=True)
    assert line["gen_ai.system_instructions"] == [{"type": "text", "content": "Be brief."}]
    assert line["gen_ai.input.messages"] == [
        {"role": "user", "parts": [{"type": "text", "content": f"What is {GITHUB_TOKEN}?"}]}
    ]
    assert line["gen_ai.output.messages"] == [
        {
            "role": "assistant",
            "parts": [
                {"type": "reasoning", "content": "Hm."},
                {"type": "text", "content": "A token of ada@example.com."},
            ],
            "finish_reason": "stop",
        }
    ]


def test_redacted_content_has_gone_through_filters():
    line = line_of(CallFailed(CALL, StreamError(f"by {GITHUB_TOKEN}"), 5.0, ANSWER), content="redacted")
    assert line["gen_ai.input.messages"][0]["parts"][0]["content"] == "What is [GITHUB_TOKEN]?"
    assert line["gen_ai.output.messages"][0]["parts"][1]["content"] == "A token of [EMAIL]."
    assert line["error.message"].startswith("by [GITHUB_TOKEN]")
    mine = line_of(COMPLETED, content="redacted", filters=[SecretsFilter()])
    assert mine["gen_ai.output.messages"][0]["parts"][1]["content"] == "A token of ada@example.com."


def test_content_that_a_filter_blocks_is_not_logged():
    line = line_of(COMPLETED, content="redacted", filters=[BlocklistFilter(["token"])])
    assert line == FACTS | {"lambdallm.content_blocked_by": "blocklist"}


@pytest.mark.parametrize(
    ("part", "shape"),
    [
        (RefusalPart("No."), {"type": "refusal", "content": "No."}),
        (ToolCall("c", "f", {"x": 1}), {"type": "tool_call", "id": "c", "name": "f", "arguments": {"x": 1}}),
        (ToolCall("c", "f", None, "{x"), {"type": "tool_call", "id": "c", "name": "f", "arguments": "{x"}),
        (ToolResult("c", "5"), {"type": "tool_call_response", "id": "c", "response": "5"}),
        (
            ToolResult("c", (TextPart("5"),)),
            {"type": "tool_call_response", "id": "c", "response": [{"type": "text", "content": "5"}]},
        ),
        (ImagePart(url="https://x/y.png"), {"type": "uri", "modality": "image", "uri": "https://x/y.png"}),
        (
            ImagePart(data=b"12345", media_type="image/png"),
            {"type": "blob", "modality": "image", "mime_type": "image/png", "size": 5},
        ),
        (
            ImagePart(url="data:image/png;base64,AAAA"),
            {"type": "blob", "modality": "image", "mime_type": None, "size": 26},
        ),
        (AudioPart(b"12", "audio/wav"), {"type": "blob", "modality": "audio", "mime_type": "audio/wav", "size": 2}),
        (DocumentPart(text="Hi"), {"type": "text", "content": "Hi"}),
        (DocumentPart(file_id="f1"), {"type": "file", "modality": "document", "file_id": "f1"}),
        (ProviderPart("search", {"q": "x"}), {"type": "search", "value": {"q": "x"}}),
    ],
)
def test_every_part_has_a_shape_and_bytes_are_only_named(part, shape):
    call = CALL.replace(request=ChatRequest("m", (ChatMessage("user", (part,)),)))
    line = line_of(CallCompleted(call, Completion(()), 1.0), content=True)
    assert line["gen_ai.input.messages"][0]["parts"] == [shape]


def test_only_a_share_is_logged_and_what_matters_always_is():
    draws = iter([0.1, 0.9, 0.2])
    lines = []
    log = InferenceLogger(lines.append, sample=0.2, slow_ms=2000, draw=lambda: next(draws))
    for notice in (COMPLETED, COMPLETED, COMPLETED.replace(latency_ms=2000.0), CallFailed(CALL, None, 1.0), COMPLETED):
        log(notice)
    assert [json.loads(line)["lambdallm.duration_ms"] for line in lines] == [1234.568, 2000.0, 1.0]


def test_pythons_logger_gets_a_line_at_its_level(caplog):
    caplog.set_level(logging.INFO, "lambdallm.inference")
    log = InferenceLogger(slow_ms=2000)
    for notice in (CALL, COMPLETED, COMPLETED.replace(latency_ms=3000.0), CallFailed(CALL, None, 1.0)):
        log(notice)
    assert [record.levelname for record in caplog.records] == ["INFO", "WARNING", "WARNING"]
    assert json.loads(caplog.records[0].getMessage()) == FACTS


def test_a_stream_gets_lines():
    written = io.StringIO()
    InferenceLogger(written)(COMPLETED)
    assert written.getvalue().endswith("}\n")


def test_a_record_can_be_added_to():
    class Tagged(InferenceLogger):
        def record(self, notice):
            return super().record(notice) | {"team": "search"}

    lines = []
    Tagged(lines.append)(COMPLETED)
    assert json.loads(lines[0]) == FACTS | {"team": "search"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"content": "all"}, "content is 'all'.*'redacted'"),
        ({"sample": 2}, "sample is 2"),
        ({"sink": 3}, "sink is 3.*write"),
    ],
)
def test_settings_that_make_no_sense_are_refused(options, message):
    with pytest.raises(ConfigurationError, match=message):
        InferenceLogger(**options)


def test_a_logger_that_fails_harms_no_call(caplog):
    def full(_line):
        raise OSError("No space left.")

    def flow():
        yield Tell(InferenceLogger(full), COMPLETED)
        return "answered"

    assert Driver().run(flow()) == "answered"
    assert "No space left" in caplog.text


def test_it_is_a_listener():
    assert isinstance(InferenceLogger(), InferenceLoggerProtocol)
    assert new_call_id() != new_call_id()
    assert len(new_call_id()) == 16
