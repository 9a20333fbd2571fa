"""A model call by LiteLLM."""

import litellm


def handler(event, context):
    messages = [{"role": "user", "content": f"Say hello to {event['name']}."}]
    return litellm.completion(model="openai/gpt-4o-mini", messages=messages).choices[0].message.content
