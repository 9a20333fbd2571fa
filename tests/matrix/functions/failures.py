"""Functions of the framework that fail, and what it makes of that for who sent a request."""

from lambdallm import handler


@handler(model="echo")
def raises(event, context):
    raise KeyError("no such thing")


@handler(model="echo")
async def awaited_raises(event, context):
    raise KeyError("no such thing")


class Conflict(Exception):
    http_status = 409


@handler(model="echo")
def refuses(event, context):
    raise Conflict("There is one already.")


@handler(model="echo/error-429", max_retries=0)
def busy_model(event, context):
    return context.invoke("Hello")


@handler(model="echo")
def an_object(event, context):
    return object()


@handler(model="echo")
def not_a_number(event, context):
    return {"n": float("nan")}


@handler(model="echo")
def too_large(event, context):
    return "x" * 6_291_556
