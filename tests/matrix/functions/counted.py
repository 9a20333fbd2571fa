"""Any of the functions as one of many invocations: its number is in the log, and the process says what it takes."""

import os

from app import named


def work(event, context):
    print(f"number {event['n']} of {context.aws_request_id}")
    return named(event["then"])(event, context)


def process(event, context):
    """Which process this is, and its memory in bytes."""
    with open("/proc/self/statm", "rb") as statm:
        return {"pid": os.getpid(), "bytes": int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")}
