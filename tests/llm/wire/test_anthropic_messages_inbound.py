"""What a client of the Anthropic Messages protocol asks for: given a body, expect a request or a clear error."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdallm.llm.errors import InvalidRequestError
from lambdallm.llm.types import (
    ChatMessage,
    ChatRequest,
    DocumentPart,
    ImagePart,
    ProviderPart,
    ReasoningPart,
    ResponseFormat,
    TextPart,
    Thinking,
    ToolCall,
    ToolChoice,
    ToolDefinition,
    ToolResult,
)
from lambdallm.llm.wire import bedrock_converse
from lambdallm.llm.wire.anthropic_messages import decode_request, encode_request
from lambdallm.llm.wire.anthropic_messages.response import MARK

if TYPE_CHECKING:
    from lambdallm.llm.types import Part

FIXTURES = Path(__file__).parents[2] / "fixtures" / "anthropic_messages"
EVERYTHING = json.loads((FIXTURES / "request.json").read_bytes())
HI = {"role": "user", "content": "Hi"}
LEAST = {"model": "claude-x", "max_tokens": 9, "messages": [HI]}
CACHE = {"cache_control": {"type": "ephemeral"}}


def decoded(body: Any, **fields: Any) -> ChatRequest:
    return decode_request(json.dumps(body | fields).encode())


def refused(body: Any) -> InvalidRequestError:
    with pytest.raises(InvalidRequestError) as caught:
        decode_request(body if isinstance(body, bytes) else json.dumps(body).encode())
    return caught.value


def written(request: ChatRequest) -> Any:
    got = encode_request(request, {"json_schema": True, "system_in_messages": True})
    assert got.warnings == ()
    return json.loads(got.body)


def test_the_least_request() -> None:
    assert decoded(LEAST) == ChatRequest(
        "claude-x", (ChatMessage("user", "Hi"),), max_tokens=9, dialect="anthropic_messages", extra={}
    )


def test_a_request_with_everything_goes_back_as_it_came() -> None:
    assert written(decoded(EVERYTHING)) == EVERYTHING


def test_settings() -> None:
    request = decoded(
        LEAST, temperature=1, top_p=0.5, top_k=3, stop_sequences=["END"], stream=True, metadata={"user_id": "u", "x": 1}
    )
    assert (request.temperature, request.top_p, request.top_k) == (1, 0.5, 3)
    assert (request.stop, request.stream, request.user) == (("END",), True, "u")
    assert request.extra == {"metadata": {"x": 1}}


def test_what_the_url_says() -> None:
    body = {name: value for name, value in LEAST.items() if name != "model"}
    request = decode_request(
        json.dumps(body | {"anthropic_version": "vertex-2023-10-16"}).encode(), model="m", stream=True
    )
    assert (request.model, request.stream, request.extra) == ("m", True, {})


def test_fields_of_next_year_are_kept() -> None:
    fields = {"service_tier": "auto", "mcp_servers": [{"name": "m"}], "next_year": {"a": 1}}
    assert decoded(LEAST, **fields, inference_geo=None).extra == fields


def test_a_system_prompt() -> None:
    assert decoded(LEAST, system="Be kind.").messages[0] == ChatMessage("system", "Be kind.")
    blocks = [{"type": "text", "text": "Be kind.", **CACHE}]
    assert decoded(LEAST, system=blocks).messages[0] == ChatMessage("system", (TextPart("Be kind.", metadata=CACHE),))
    assert len(decoded(LEAST, system="").messages) == 1


# Blocks


ASSISTANTS = ("thinking", "redacted_thinking", "tool_use")


def part(block: dict[str, Any]) -> Part:
    role = "assistant" if block["type"] in ASSISTANTS else "user"
    (only,) = decoded(LEAST, messages=[{"role": role, "content": [block]}]).messages[0].parts
    return only


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ({"type": "text", "text": "Hi", **CACHE}, TextPart("Hi", metadata=CACHE)),
        ({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw=="}},
         ImagePart(data=b"\x89PNG", media_type="image/png", metadata={})),
        ({"type": "image", "source": {"type": "url", "url": "https://i.example/a.png"}, **CACHE},
         ImagePart(url="https://i.example/a.png", metadata=CACHE)),
        ({"type": "image", "source": {"type": "file", "file_id": "f"}},
         ImagePart(metadata={MARK: {"source": {"type": "file", "file_id": "f"}}})),
        ({"type": "document", "title": "T", "context": "C", "citations": {"enabled": True},
          "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}},
         DocumentPart(data=b"%PDF-", media_type="application/pdf", name="T",
                      metadata={MARK: {"context": "C", "citations": {"enabled": True}}})),
        ({"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "t"}, "title": None},
         DocumentPart(text="t", metadata={})),
        ({"type": "document", "source": {"type": "url", "url": "https://d.example"}},
         DocumentPart(url="https://d.example", metadata={})),
        ({"type": "document", "source": {"type": "file", "file_id": "f"}}, DocumentPart(file_id="f", metadata={})),
        ({"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "t"}]}},
         DocumentPart(text="t", metadata={MARK: {"source": {"type": "content",
                                                           "content": [{"type": "text", "text": "t"}]}}})),
        ({"type": "tool_result", "tool_use_id": "t", "content": "ok", "is_error": False, "toolset_name": "s"},
         ToolResult("t", "ok", metadata={MARK: {"toolset_name": "s"}})),
        ({"type": "tool_result", "tool_use_id": "t", "is_error": True}, ToolResult("t", is_error=True, metadata={})),
        ({"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "ok"}], **CACHE},
         ToolResult("t", (TextPart("ok"),), metadata=CACHE)),
        ({"type": "thinking", "thinking": "Hm.", "signature": "s"}, ReasoningPart("Hm.", "s", metadata={MARK: {}})),
        ({"type": "thinking", "thinking": "Hm.", "signature": ""}, ReasoningPart("Hm.")),
        ({"type": "redacted_thinking", "data": "d"}, ReasoningPart(encrypted="d", metadata={MARK: {}})),
        ({"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}, "caller": {"type": "direct"}},
         ToolCall("t", "f", {"a": 1}, metadata={MARK: {"caller": {"type": "direct"}}})),
        ({"type": "mcp_tool_use", "id": "t", **CACHE},
         ProviderPart("mcp_tool_use", {"type": "mcp_tool_use", "id": "t", **CACHE}, MARK)),
    ],
)  # fmt: skip
def test_blocks(block: dict[str, Any], expected: Part) -> None:
    assert part(block) == expected


def test_a_search_result_is_text_to_other_protocols() -> None:
    block = {"type": "search_result", "source": "https://s.example", "title": "S",
             "content": [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}], **CACHE}  # fmt: skip
    request = decoded(LEAST, messages=[{"role": "user", "content": [block]}])
    assert request.messages[0].text == "one\ntwo"
    assert written(request)["messages"][0]["content"] == [block]
    elsewhere = json.loads(bedrock_converse.encode_request(request, {}).body)
    assert elsewhere["messages"][0]["content"] == [{"text": "one\ntwo"}, {"cachePoint": {"type": "default"}}]


def test_results_of_tools_become_messages_of_their_own() -> None:
    call = {"type": "tool_use", "id": "t", "name": "f", "input": {}}
    result, text = {"type": "tool_result", "tool_use_id": "t", "content": "ok"}, {"type": "text", "text": "And?"}
    turns = [HI, {"role": "assistant", "content": [call]}, {"role": "user", "content": [result, text]}]
    request = decoded(LEAST, messages=turns)
    assert request.messages[2:] == (
        ChatMessage("tool", (ToolResult("t", "ok", "f", metadata={}),)),
        ChatMessage("user", (TextPart("And?"),)),
    )
    assert written(request)["messages"][2] == turns[2]


# Tools, thinking, forms


def test_tools() -> None:
    own = {"type": "custom", "name": "f", "description": "F", "input_schema": {"type": "object"}, "strict": True}
    hosted = {"type": "bash_20250124", "name": "bash"}
    request = decoded(LEAST, tools=[own | CACHE | {"defer_loading": True}, hosted])
    assert request.tools == (
        ToolDefinition("f", "F", {"type": "object"}, True, {MARK: {"defer_loading": True}, **CACHE}),
        ProviderPart("bash_20250124", hosted, MARK),
    )


@pytest.mark.parametrize(
    ("asked", "choice", "parallel"),
    [
        ({"type": "auto"}, ToolChoice("auto", metadata={}), None),
        ({"type": "any", "disable_parallel_tool_use": True}, ToolChoice("required", metadata={}), False),
        ({"type": "tool", "name": "f", "disable_parallel_tool_use": False}, ToolChoice("tool", "f", {}), True),
        ({"type": "none"}, ToolChoice("none", metadata={}), None),
    ],
)
def test_tool_choice(asked: Any, choice: ToolChoice, parallel: bool | None) -> None:
    request = decoded(LEAST, tool_choice=asked)
    assert (request.tool_choice, request.parallel_tool_calls) == (choice, parallel)


@pytest.mark.parametrize(
    ("thinking", "output", "expected", "left"),
    [
        ({"type": "enabled", "budget_tokens": 2000}, None, Thinking(budget_tokens=2000, metadata={}), {}),
        ({"type": "adaptive", "display": "omitted"}, {"effort": "high"},
         Thinking(effort="high", metadata={MARK: {"display": "omitted"}}), {}),
        ({"type": "disabled"}, {"effort": "low"}, Thinking(False, metadata={}), {"output_config": {"effort": "low"}}),
        (None, {"effort": "low"}, None, {"output_config": {"effort": "low"}}),
        ({"type": "adaptive"}, {"effort": "utmost"}, Thinking(metadata={}), {"output_config": {"effort": "utmost"}}),
        ({"type": "between_tools"}, None, None, {"thinking": {"type": "between_tools"}}),
    ],
)  # fmt: skip
def test_thinking(thinking: Any, output: Any, expected: Thinking | None, left: dict[str, Any]) -> None:
    request = decoded(LEAST, thinking=thinking, output_config=output)
    assert (request.thinking, request.extra) == (expected, left)


@pytest.mark.parametrize("field", ["output_config", "output_format"])
def test_the_form_of_the_answer(field: str) -> None:
    form = {"type": "json_schema", "schema": {"type": "object"}}
    request = decoded(LEAST, **{field: {"format": form} if field == "output_config" else form})
    assert request.response_format == ResponseFormat("json_schema", {"type": "object"}, metadata={})
    assert request.extra == {}


# What is malformed


def content(*blocks: Any) -> dict[str, Any]:
    return LEAST | {"messages": [{"role": "user", "content": list(blocks)}]}


@pytest.mark.parametrize(
    ("body", "param", "message"),
    [
        ({"max_tokens": 9, "messages": [HI]}, "model", "model: Field required"),
        ({"model": "m", "messages": [HI]}, "max_tokens", "max_tokens: Field required"),
        ({"model": "m", "max_tokens": 9}, "messages", "messages: Field required"),
        (LEAST | {"messages": []}, "messages", "messages: at least one message is required"),
        (LEAST | {"messages": "Hi"}, "messages", "messages: Input should be a valid list, not 'Hi'"),
        (LEAST | {"messages": ["Hi"]}, "messages.0", "messages.0: Input should be an object, not 'Hi'"),
        (LEAST | {"messages": [{"role": "robot", "content": ""}]}, "messages.0.role",
         "messages.0.role: Input should be 'user', 'assistant' or 'system', not 'robot'"),
        (LEAST | {"messages": [{"role": "user"}]}, "messages.0.content", "messages.0.content: Field required"),
        (LEAST | {"messages": [{"role": "user", "content": 3}]}, "messages.0.content",
         "messages.0.content: Input should be a valid string or a valid list, not 3"),
        (content({"type": "text", "text": "a"}, {"type": 5}), "messages.0.content.1.type",
         "messages.0.content.1.type: Input should be a valid string, not 5"),
        (content({"type": "text"}), "messages.0.content.0.text", "messages.0.content.0.text: Field required"),
        (content({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "é"}}),
         "messages.0.content.0.source.data", "messages.0.content.0.source.data: Invalid base64 data: 'é'"),
        (content({"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": {}}]}),
         "messages.0.content.0.content.0.text",
         "messages.0.content.0.content.0.text: Input should be a valid string, not an object"),
        (LEAST | {"messages": [{"role": "assistant",
                                "content": [{"type": "tool_use", "id": "t", "name": "f", "input": "{}"}]}]},
         "messages.0.content.0.input", "messages.0.content.0.input: Input should be an object, not '{}'"),
        (content({"type": "tool_use", "id": "t", "name": "f", "input": {}}), "messages.0.content.0.type",
         "messages.0.content.0.type: 'tool_use' blocks can only be in 'assistant' messages, not in 'user'"),
        (content({"type": "tool_result", "tool_use_id": "t", "content": [{"type": "tool_result"}]}),
         "messages.0.content.0.content.0.type",
         "messages.0.content.0.content.0.type: 'tool_result' blocks can only be in 'user' messages, not in "
         "'tool_result'"),
        (LEAST | {"max_tokens": True}, "max_tokens", "max_tokens: Input should be a valid integer, not True"),
        (LEAST | {"max_tokens": -1}, "max_tokens",
         "max_tokens: Input should be greater than or equal to 0, not -1"),
        (LEAST | {"temperature": "hot"}, "temperature", "temperature: Input should be a valid number, not 'hot'"),
        (LEAST | {"stop_sequences": ["a", 1]}, "stop_sequences.1",
         "stop_sequences.1: Input should be a valid string, not 1"),
        (LEAST | {"tools": [{"name": "f"}]}, "tools.0.input_schema", "tools.0.input_schema: Field required"),
        (LEAST | {"tool_choice": {"type": "some"}}, "tool_choice.type",
         "tool_choice.type: Input should be 'auto', 'any', 'tool' or 'none', not 'some'"),
        (LEAST | {"tool_choice": {"type": "tool"}}, "tool_choice.name", "tool_choice.name: Field required"),
        (LEAST | {"thinking": {"type": "enabled"}}, "thinking.budget_tokens",
         "thinking.budget_tokens: Field required"),
        (LEAST | {"output_config": {"format": {"type": "xml"}}}, "output_config.format.type",
         "output_config.format.type: Input should be 'json_schema', not 'xml'"),
    ],
)  # fmt: skip
def test_a_malformed_field_is_named(body: Any, param: str, message: str) -> None:
    error = refused(body)
    assert (error.param, error.message) == (param, message)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"\xff", b"[" * 100_000, b'{"max_tokens": NaN}', b'{"a": ' * 100_000]
)
def test_a_body_that_is_no_request(body: bytes) -> None:
    assert "The request body" in refused(body).message


def test_a_long_value_is_quoted_in_short() -> None:
    assert len(refused(LEAST | {"temperature": "x" * 100_000}).message) < 200


# Whatever the bytes

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@st.composite
def with_a_wrong_type(draw: st.DrawFn, source: Any) -> Any:
    """A JSON value with one place in it replaced by anything."""
    if isinstance(source, dict) and source and draw(st.integers(0, 7)):
        key = draw(st.sampled_from(sorted(source)))
        return source | {key: draw(with_a_wrong_type(source[key]))}
    if isinstance(source, list) and source and draw(st.integers(0, 7)):
        place = draw(st.integers(0, len(source) - 1))
        return [*source[:place], draw(with_a_wrong_type(source[place])), *source[place + 1 :]]
    return draw(JSON)


@given(with_a_wrong_type(EVERYTHING))
def test_a_wrong_type_is_a_clear_error_or_goes_through(body: Any) -> None:
    request, error = asked(json.dumps(body).encode())
    assert error is None or error.param is None or error.message.startswith(error.param)
    if request is not None:
        with contextlib.suppress(InvalidRequestError):  # a document of a type that can't be sent, say
            encode_request(request, {"json_schema": True})


def asked(body: bytes) -> tuple[ChatRequest | None, InvalidRequestError | None]:
    try:
        return decode_request(body), None
    except InvalidRequestError as error:
        return None, error


@given(st.binary(max_size=200))
def test_any_bytes_are_a_request_or_an_error(body: bytes) -> None:
    assert refused(body).message
