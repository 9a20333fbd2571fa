"""Google's SDK in the codec benchmark: generateContent of the Gemini API."""

import httpx2
from canned_httpx import canned_client
from codec_loops import Case, Operation, sdk_operations
from google import genai


def operations(case: Case) -> dict[str, Operation]:
    whole, streaming = _models(case, False), _models(case, True)
    model = case.protocol.model.partition("/")[2]
    body = case.asked["call"]
    contents = body["contents"]
    config = {"systemInstruction": body["systemInstruction"], "tools": body["tools"], **body["generationConfig"]}
    config["automaticFunctionCalling"] = {"disable": True}

    def call() -> str:
        return whole.generate_content(model=model, contents=contents, config=config).text or ""

    def stream() -> str:
        chunks = streaming.generate_content_stream(model=model, contents=contents, config=config)
        return "".join(chunk.text or "" for chunk in chunks)

    return sdk_operations(case, call, stream)


def _models(case: Case, stream: bool):
    http_client = canned_client(httpx2, case.answer, stream=stream)
    client = genai.Client(api_key="sk-benchmark", http_options={"httpx_client": http_client})
    _KEPT.append(client)
    return client.models


_KEPT: list[genai.Client] = []
"""A client that is collected closes its connections, and the models' with them."""
