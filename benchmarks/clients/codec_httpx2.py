"""No SDK: `httpx2` and `json` by hand on OpenAI's chat, which most SDKs stand on; no types, no retry, no errors."""

import json

import httpx2
from canned_httpx import canned_client
from codec_loops import Case, Operation, sdk_operations

_URL = "https://api.openai.com/v1/chat/completions"
_HEADERS = {"Authorization": "Bearer sk-benchmark"}


def operations(case: Case) -> dict[str, Operation]:
    whole, streaming = (canned_client(httpx2, case.answer, stream=stream) for stream in (False, True))
    asked, asked_stream = case.asked["call"], case.asked["stream_chunk"]

    def call() -> str:
        answer = whole.post(_URL, json=asked, headers=_HEADERS).json()
        return answer["choices"][0]["message"]["content"]

    def stream() -> str:
        pieces = []
        with streaming.stream("POST", _URL, json=asked_stream, headers=_HEADERS) as response:
            for line in response.iter_lines():
                if line.startswith("data: {"):
                    pieces += [choice["delta"].get("content") or "" for choice in json.loads(line[6:])["choices"]]
        return "".join(pieces)

    return sdk_operations(case, call, stream)
