"""A model call by LambdaLLM."""

from lambdallm import handler as lambda_handler


@lambda_handler(model="openai/gpt-4o-mini")
def handler(event, context):
    return context.invoke("Say hello to {name}.", name=event["name"])
