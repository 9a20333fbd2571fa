"""Two Lambda functions: one answers with data of a fixed shape, the other streams text. Both take {"text": "..."}."""

from lambdallm import Prompt, handler

judge = Prompt(
    template="What is the sentiment of: {text}",
    input_schema={"text": str},
    output_schema={"sentiment": ["positive", "negative", "neutral"]},
    max_tokens=40,
    temperature=0,
)

summarise = Prompt(
    template="{text}\n\nSummarize the text above in one or two sentences.",
    input_schema={"text": str},
    max_tokens=120,
    temperature=0,
)


@handler
def sentiment(event, context):
    return judge.invoke(context, text=event["text"])


@handler
def summary(event, context):
    return context.stream(summarise, text=event["text"])
