"""Functions without the framework: what they return is the runtime's business alone."""

import os
import signal
import sys
import time


def fields(event, context):
    return {"text": "Grüße", "numbers": [1, 2.5, None, True], "id": context.aws_request_id}


def half_a_letter(event, context):
    return {"text": "\ud83d"}


def whole(event, context):
    return {"statusCode": 202, "headers": {"Content-Type": "text/html", "X-Own": "yes"}, "body": "<p>é</p>"}


def number(event, context):
    return 7


async def awaited(event, context):
    return {"text": "later"}


def pieces(event, context):
    yield "one, "
    yield "twö"


async def awaited_pieces(event, context):
    yield b"\x00\x01"
    yield b"\xff"


def raises(event, context):
    raise KeyError("no such thing")


def a_set(event, context):
    return {"tags": {1, 2}}


def an_object(event, context):
    return object()


def not_a_number(event, context):
    return float("nan")


def a_circle(event, context):
    value = []
    value.append(value)
    return value


def recursion(event, context):
    return recursion(event, context)


def too_large(event, context):
    return "x" * 6_291_555


def just_fits(event, context):
    return "x" * 6_291_554


def exits(event, context):
    os._exit(3)


def leaves(event, context):
    sys.exit(2)


def dies(event, context):
    os.kill(os.getpid(), signal.SIGKILL)


def late(event, context):
    time.sleep(60)


def dies_midway(event, context):
    yield "one, "
    os._exit(3)


def fails_midway(event, context):
    yield "one, "
    raise ValueError("in the middle")


def fails_early(event, context):
    raise ValueError("before the first")
    yield "one, "
