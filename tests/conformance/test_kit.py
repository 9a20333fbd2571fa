"""The conformance kit itself: what it says of right and wrong exchanges, and how its command ends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lambdallm.testing.conformance import Unsupported, compare, decode_exchange
from lambdallm.testing.conformance.__main__ import main

ANSWER = '{"id":"a","model":"m","choices":[{"message":{"content":"Hi."},"finish_reason":"stop"}]}'
STREAM = (
    'data: {"id":"a","model":"m","choices":[{"index":0,"delta":{"content":"Hi"}}]}\n\n'
    'data: {"id":"a","model":"m","choices":[{"index":0,"delta":{"content":"."},"finish_reason":"stop"}]}\n\n'
    "data: [DONE]\n\n"
)
EXPECTED = {
    "kind": "chat", "text": "Hi.", "thinking": None, "tool_calls": [], "finish_reason": "stop", "usage": None,
    "model": "m", "id": "a",
}  # fmt: skip


def exchange(body: str = ANSWER, **changes: Any) -> dict[str, Any]:
    response = {"status": 200, "headers": {}, "body": body} | changes.pop("response", {})
    fields = {"id": "hello", "provider": "acme", "api": "chat", "stream": False, "expected": EXPECTED}
    return fields | {"response": response} | changes


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "acme" / "chat"
    folder.mkdir(parents=True)
    (folder / "hello.json").write_text(json.dumps(exchange()))
    return tmp_path


def test_a_whole_answer() -> None:
    assert decode_exchange(exchange()) == EXPECTED


@pytest.mark.parametrize("split", ["whole", "bytes", 1, 2])
def test_a_stream_in_any_pieces(split: Any) -> None:
    assert decode_exchange(exchange(STREAM, stream=True), split=split) == EXPECTED


def test_an_error() -> None:
    told = decode_exchange(exchange('{"error":{"message":"No.","type":"t","code":"c"}}', response={"status": 400}))
    assert told == {
        "kind": "error", "sdk_exception": "BadRequestError", "status": 400, "type": "t", "code": "c", "message": "No.",
    }  # fmt: skip


def test_an_error_in_a_200() -> None:
    told = decode_exchange(exchange('{"error":{"message":"No."}}'))
    assert told == {"kind": "error_in_200", "error": {"message": "No."}}


def test_a_stream_that_breaks_off_is_told_as_sdks_see_it() -> None:
    """They don't notice a missing end; ours set an error, as the faults' matrix proves."""
    assert decode_exchange(exchange(STREAM[:80], stream=True)) == EXPECTED | {"text": "Hi", "finish_reason": None}


def test_an_answer_that_was_not_streamed_after_all() -> None:
    assert decode_exchange(exchange(ANSWER, stream=True)) == EXPECTED
    assert decode_exchange(exchange('{"error":{"message":"No."}}', stream=True))["kind"] == "error_in_200"


def test_an_error_that_is_no_json_is_told_as_it_stands() -> None:
    """Our message of a page is its title; OpenAI's SDK shows all of it."""
    page = "<html><title>502 Bad Gateway</title></html>"
    told = decode_exchange(exchange(f" {page}\n", response={"status": 502}))
    assert (told["sdk_exception"], told["message"]) == ("InternalServerError", page)


@pytest.mark.parametrize("stream", [False, True])
def test_an_error_as_a_finish_reason_is_an_answer_to_sdks(stream: bool) -> None:
    error = '"finish_reason":"error","error":{"code":502,"message":"Upstream is away."}'
    choice = f'{{"index":0,"{"delta" if stream else "message"}":{{"content":"Hi."}},{error}}}'
    body = f'{{"id":"a","model":"m","choices":[{choice}]}}'
    told = decode_exchange(exchange(f"data: {body}\n\n" if stream else body, stream=stream))
    assert told == EXPECTED | {"finish_reason": "error"}


def test_usage_where_only_one_sdk_looks_for_it() -> None:
    body = ANSWER[:-1] + ',"x_groq":{"usage":{"prompt_tokens":9}}}'
    assert decode_exchange(exchange(body))["usage"] is None
    assert decode_exchange(exchange(body, provider="groq"))["usage"]["input"] == 9


def test_a_call_of_the_old_kind_without_text() -> None:
    body = ANSWER.replace('"content":"Hi."', '"content":null,"function_call":{"name":"f","arguments":""}')
    assert decode_exchange(exchange(body))["function_call"] == {"name": "f", "arguments": None}


def test_a_cited_text_without_citations() -> None:
    block = {"citationsContent": {"content": [{"text": "Hi."}], "citations": []}}
    body = json.dumps({"output": {"message": {"role": "assistant", "content": [block]}}, "stopReason": "end_turn"})
    told = decode_exchange(exchange(body, provider="bedrock", api="converse"))
    assert (told["text"], told["other_content_blocks"]) == ("Hi.", ["citationsContent"])


def test_an_error_in_a_stream_comes_with_what_had_come() -> None:
    told = decode_exchange(exchange(STREAM[:78] + '\n\ndata: {"error":{"message":"No.","code":500}}\n\n', stream=True))
    assert (told["kind"], told["message"], told["status"]) == ("stream_error", "No.", None)
    assert told["partial"]["text"] == "Hi"


def test_an_api_without_a_codec_is_unsupported() -> None:
    with pytest.raises(Unsupported, match="acme/telepathy"):
        decode_exchange(exchange(api="telepathy"))


def test_compare_names_the_place() -> None:
    differences = compare(EXPECTED, EXPECTED | {"tool_calls": [{"id": "x"}], "text": "Ho."})
    assert differences == ["text: expected 'Hi.', got 'Ho.'", "tool_calls: expected [], got [{'id': 'x'}]"]


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        ({"a": None}, {}),
        ({}, {"a": None}),
        ({"arguments_raw": ""}, {}),
        ({"usage": {"input": None, "output": None, "native": {}}}, {"usage": None}),
        ({"note": "the recorder dropped a header"}, {}),
        ({"a": [{"b": 1}]}, {"a": [{"b": 1.0}]}),
    ],
)
def test_compare_overlooks_what_it_says_it_does(expected: dict[str, Any], got: dict[str, Any]) -> None:
    assert compare(expected, got) == []


@pytest.mark.parametrize(("expected", "got"), [({"a": 1}, {"a": True}), ({"a": ""}, {}), ({"a": []}, {})])
def test_compare_overlooks_nothing_else(expected: dict[str, Any], got: dict[str, Any]) -> None:
    assert compare(expected, got) != []


def test_the_command_counts(corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (corpus / "acme" / "chat" / "other.json").write_text(json.dumps(exchange(id="other", api="telepathy")))
    assert main(["--corpus", str(corpus), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["counts"]["acme/chat"] == {"passed": 1, "failed": 0, "unsupported": 0}
    assert told["counts"]["acme/telepathy"] == {"passed": 0, "failed": 0, "unsupported": 1}


def test_the_command_shows_what_differs(corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (corpus / "acme" / "chat" / "hello.json").write_text(json.dumps(exchange(expected=EXPECTED | {"text": "Ho."})))
    assert main(["--corpus", str(corpus), "--verbose"]) == 1
    assert "text: expected 'Ho.', got 'Hi.'" in capsys.readouterr().out


@pytest.mark.parametrize("content", ["{", "[]", '{"id": "x"}'])
def test_a_file_that_is_no_exchange_is_named(corpus: Path, content: str, capsys: pytest.CaptureFixture[str]) -> None:
    (corpus / "acme" / "chat" / "broken.json").write_text(content)
    assert main(["--corpus", str(corpus)]) == 2
    assert "broken.json" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--corpus", "no/such/folder"], ["--corpus", "{corpus}", "--provider", "ghost"]])
def test_bad_arguments_name_the_folder(corpus: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [argument.format(corpus=corpus) for argument in arguments]
    assert main(arguments) == 2
    assert arguments[1] in capsys.readouterr().err
