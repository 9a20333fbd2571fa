"""AWS's SDK in the codec benchmark: Converse and InvokeModel of Bedrock.

A hook answers before a request is sent, so signing, parsing and the event stream's decoder run as always. InvokeModel's
bodies are bytes to this SDK: what is in them is read here with `json`, as its users do.
"""

import json

import boto3
from botocore.awsrequest import AWSResponse
from codec_loops import Case, Operation, sdk_operations


def operations(case: Case) -> dict[str, Operation]:
    return (_converse if case.protocol.wire == "bedrock_converse" else _invoke)(case)


def _converse(case: Case) -> dict[str, Operation]:
    whole, streaming = _client(case, False), _client(case, True)
    asked, asked_stream = _asked(case, "call"), _asked(case, "stream_chunk")

    def call() -> str:
        return whole.converse(**asked)["output"]["message"]["content"][0]["text"]

    def stream() -> str:
        events = streaming.converse_stream(**asked_stream)["stream"]
        return "".join(event["contentBlockDelta"]["delta"]["text"] for event in events if "contentBlockDelta" in event)

    return sdk_operations(case, call, stream)


def _asked(case: Case, operation: str) -> dict[str, object]:
    return {"modelId": case.protocol.model.partition("/")[2], **case.asked[operation]}


def _invoke(case: Case) -> dict[str, Operation]:
    whole, streaming = _client(case, False), _client(case, True)
    model = case.protocol.model.partition("/")[2]

    def call() -> str:
        body = json.dumps(case.asked["call"])
        return json.loads(whole.invoke_model(modelId=model, body=body)["body"].read())["content"][0]["text"]

    def stream() -> str:
        body = json.dumps(case.asked["stream_chunk"])
        frames = streaming.invoke_model_with_response_stream(modelId=model, body=body)["body"]
        events = (json.loads(frame["chunk"]["bytes"]) for frame in frames)
        return "".join(event["delta"]["text"] for event in events if event["type"] == "content_block_delta")

    return sdk_operations(case, call, stream)


def _client(case: Case, stream: bool):
    client = boto3.client("bedrock-runtime")
    kind = case.answer.stream_type if stream else "application/json"
    headers = {"Content-Type": kind, **dict(case.answer.headers)}
    pieces = case.answer.events if stream else (case.answer.whole,)

    def answer(request, **_context):
        return AWSResponse(request.url, 200, headers, _Raw(pieces))

    client.meta.events.register("before-send.bedrock-runtime", answer)
    return client


class _Raw:
    """The part of urllib3's response that botocore reads."""

    def __init__(self, pieces: tuple[bytes, ...]) -> None:
        self._pieces = pieces

    def stream(self, *_amount, **_options):
        return iter(self._pieces)

    def read(self, _amount: int | None = None) -> bytes:
        pieces, self._pieces = self._pieces, ()
        return b"".join(pieces)

    def close(self) -> None:
        pass
