"""Mistral's SDK in the codec benchmark."""

import httpx2
from canned_httpx import canned_client
from codec_loops import Case, Operation, sdk_operations
from mistralai.client import Mistral


def operations(case: Case) -> dict[str, Operation]:
    whole, streaming = _client(case, False).chat, _client(case, True).chat
    asked, asked_stream = (
        {name: value for name, value in case.asked[operation].items() if name != "stream"}
        for operation in ("call", "stream_chunk")
    )

    def call() -> str:
        return whole.complete(**asked).choices[0].message.content

    def stream() -> str:
        events = streaming.stream(**asked_stream)
        return "".join(choice.delta.content or "" for event in events for choice in event.data.choices)

    return sdk_operations(case, call, stream)


def _client(case: Case, stream: bool) -> Mistral:
    return Mistral(api_key="sk-benchmark", client=canned_client(httpx2, case.answer, stream=stream))
