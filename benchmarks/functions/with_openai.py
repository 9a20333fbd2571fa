"""A model call by OpenAI's SDK."""

from openai import OpenAI

client = OpenAI()


def handler(event, context):
    messages = [{"role": "user", "content": f"Say hello to {event['name']}."}]
    return client.chat.completions.create(model="gpt-4o-mini", messages=messages).choices[0].message.content
