"""OpenAI's own SDK."""

from openai import OpenAI

_CALL = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}]}


def client(url: str) -> OpenAI:
    return OpenAI(base_url=f"{url}/v1", api_key="sk-benchmark")


def call(client: OpenAI) -> str:
    return client.chat.completions.create(**_CALL).choices[0].message.content or ""


def stream(client: OpenAI) -> str:
    chunks = client.chat.completions.create(**_CALL, stream=True)
    return "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)


def async_client(url: str):
    from openai import AsyncOpenAI

    return AsyncOpenAI(base_url=f"{url}/v1", api_key="sk-benchmark")


async def acall(client) -> str:
    answer = await client.chat.completions.create(**_CALL)
    return answer.choices[0].message.content or ""


async def astream(client) -> str:
    chunks = await client.chat.completions.create(**_CALL, stream=True)
    return "".join([choice.delta.content or "" async for chunk in chunks for choice in chunk.choices])
