"""LambdaLLM on OpenAI's protocol, through the whole pipeline."""

from lambdallm.llm.clients.wire import WireClient

MODEL = "openai/gpt-4o-mini"


def client(url: str) -> WireClient:
    return WireClient(MODEL, base_url=f"{url}/v1", api_key="sk-benchmark")


def call(client: WireClient) -> str:
    return client.chat("hi").unwrap().text


def stream(client: WireClient) -> str:
    return "".join(chunk.delta for chunk in client.stream("hi"))


def async_client(url: str):
    from lambdallm.llm.clients.wire import AsyncWireClient

    return AsyncWireClient(MODEL, base_url=f"{url}/v1", api_key="sk-benchmark")


async def acall(client) -> str:
    answer = await client.chat("hi")
    return answer.unwrap().text


async def astream(client) -> str:
    return "".join([chunk.delta async for chunk in client.stream("hi")])
