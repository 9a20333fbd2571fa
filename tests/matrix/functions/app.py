"""Every function of this folder behind one handler: the event says which, as the request of a router does."""

import json
from importlib import import_module


def lambda_handler(event, context):
    return named(wish_of(event)["call"])(event, context)


def wish_of(event):
    """What the caller says: in the query of a request, in the first record of a batch, or as the event itself."""
    if "Records" in event:
        return json.loads(event["Records"][0]["body"])
    return event.get("queryStringParameters") or event


def named(name):
    module, _, function = name.partition(".")
    return getattr(import_module(module), function)
