"""A model call by LangChain."""

from langchain_openai import ChatOpenAI

model = ChatOpenAI(model="gpt-4o-mini")


def handler(event, context):
    return model.invoke(f"Say hello to {event['name']}.").content
