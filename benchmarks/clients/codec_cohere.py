"""Cohere's SDK in the codec benchmark: version 2 of its chat."""

import cohere
import httpx
from canned_httpx import canned_client
from codec_loops import Case, Operation, sdk_operations


def operations(case: Case) -> dict[str, Operation]:
    whole, streaming = _client(case, False), _client(case, True)
    asked, asked_stream = (
        {name: value for name, value in case.asked[operation].items() if name != "stream"}
        for operation in ("call", "stream_chunk")
    )

    def call() -> str:
        return whole.chat(**asked).message.content[0].text

    def stream() -> str:
        events = streaming.chat_stream(**asked_stream)
        return "".join(event.delta.message.content.text for event in events if event.type == "content-delta")

    return sdk_operations(case, call, stream)


def _client(case: Case, stream: bool) -> cohere.ClientV2:
    return cohere.ClientV2("sk-benchmark", httpx_client=canned_client(httpx, case.answer, stream=stream))
