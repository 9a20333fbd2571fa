"""LiteLLM."""

import litellm

_MESSAGES = [{"role": "user", "content": "hi"}]


def client(url: str) -> dict[str, object]:
    return {"model": "openai/gpt-4o-mini", "messages": _MESSAGES, "api_base": f"{url}/v1", "api_key": "sk-benchmark"}


async_client = client


def call(client: dict[str, object]) -> str:
    return litellm.completion(**client).choices[0].message.content


def stream(client: dict[str, object]) -> str:
    chunks = litellm.completion(**client, stream=True)
    return "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)


async def acall(client: dict[str, object]) -> str:
    answer = await litellm.acompletion(**client)
    return answer.choices[0].message.content


async def astream(client: dict[str, object]) -> str:
    chunks = await litellm.acompletion(**client, stream=True)
    return "".join([choice.delta.content or "" async for chunk in chunks for choice in chunk.choices])
