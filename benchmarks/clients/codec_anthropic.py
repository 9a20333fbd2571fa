"""Anthropic's SDK in the codec benchmark: its own API, and Bedrock's InvokeModel."""

import httpx2
from anthropic import Anthropic, AnthropicBedrock
from canned_httpx import canned_client
from codec_loops import Case, Operation, sdk_operations


def operations(case: Case) -> dict[str, Operation]:
    on_bedrock = case.protocol.wire != "anthropic_messages"
    whole, streaming = (_client(case, on_bedrock, stream).messages for stream in (False, True))
    asked, asked_stream = (_asked(case, name, on_bedrock) for name in ("call", "stream_chunk"))

    def call() -> str:
        return whole.create(**asked).content[0].text

    def stream() -> str:
        events = streaming.create(**asked_stream)
        return "".join(event.delta.text for event in events if event.type == "content_block_delta")

    return sdk_operations(case, call, stream)


def _client(case: Case, on_bedrock: bool, stream: bool) -> Anthropic | AnthropicBedrock:
    """Bedrock's keys and region come from the environment, and each request is signed."""
    http_client = canned_client(httpx2, case.answer, stream=stream)
    if on_bedrock:
        return AnthropicBedrock(http_client=http_client)
    return Anthropic(api_key="sk-benchmark", http_client=http_client)


def _asked(case: Case, operation: str, on_bedrock: bool) -> dict[str, object]:
    """This SDK knows no `temperature`; on Bedrock it moves model and stream to the URL, and adds the version."""
    asked = dict(case.asked[operation])
    asked["extra_body"] = {"temperature": asked.pop("temperature")}
    if on_bedrock:
        asked.pop("anthropic_version")
        asked |= {"model": case.protocol.model.partition("/")[2], "stream": operation == "stream_chunk"}
    return asked
