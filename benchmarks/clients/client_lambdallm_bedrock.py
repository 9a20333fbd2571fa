"""LambdaLLM on Bedrock Converse, each request signed."""

from lambdallm.llm.clients.wire import WireClient


def client(url: str) -> WireClient:
    return WireClient("bedrock/anthropic.claude-3-haiku-20240307-v1:0", base_url=url)


def call(client: WireClient) -> str:
    return client.chat("hi").unwrap().text


def stream(client: WireClient) -> str:
    return "".join(chunk.delta for chunk in client.stream("hi"))
