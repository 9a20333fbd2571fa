"""A function that says hello, and calls nobody."""


def handler(event, context):
    return f"Hello {event['name']}"
