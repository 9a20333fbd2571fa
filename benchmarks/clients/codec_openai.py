"""OpenAI's SDK in the codec benchmark: chat completions, responses and embeddings."""

import httpx2
from canned_httpx import canned_client
from codec_loops import Case, Operation, sdk_operations
from openai import OpenAI


def operations(case: Case) -> dict[str, Operation]:
    return _OF_WIRE[case.protocol.wire](case)


def _client(case: Case, stream: bool) -> OpenAI:
    return OpenAI(api_key="sk-benchmark", http_client=canned_client(httpx2, case.answer, stream=stream))


def _chat(case: Case) -> dict[str, Operation]:
    whole, streaming = _client(case, False).chat.completions, _client(case, True).chat.completions
    asked, asked_stream = case.asked["call"], case.asked["stream_chunk"]

    def call() -> str:
        return whole.create(**asked).choices[0].message.content or ""

    def stream() -> str:
        chunks = streaming.create(**asked_stream)
        return "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)

    return sdk_operations(case, call, stream)


def _responses(case: Case) -> dict[str, Operation]:
    whole, streaming = _client(case, False).responses, _client(case, True).responses
    asked, asked_stream = case.asked["call"], case.asked["stream_chunk"]

    def call() -> str:
        return whole.create(**asked).output_text

    def stream() -> str:
        events = streaming.create(**asked_stream)
        return "".join(event.delta for event in events if event.type == "response.output_text.delta")

    return sdk_operations(case, call, stream)


def _embeddings(case: Case) -> dict[str, Operation]:
    """The SDK asks for base64 by itself, and turns it into lists of numbers; told to, it would leave that to us."""
    embeddings = _client(case, False).embeddings
    asked = {name: value for name, value in case.asked["call"].items() if name != "encoding_format"}

    def call() -> str:
        return str(len([row.embedding[0] for row in embeddings.create(**asked).data]))

    return sdk_operations(case, call, None)


_OF_WIRE = {"openai_chat": _chat, "openai_responses": _responses, "openai_embeddings": _embeddings}
