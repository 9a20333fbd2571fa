"""Functions that wait for their reader: the second piece is made when who has read the first says so."""

import socket

from app import wish_of

from lambdallm import StreamingResponse, handler


def word_from(event):
    """What the reader sends once it has read the first piece; asked for when the second is to be made."""
    with socket.create_connection(("127.0.0.1", int(wish_of(event)["reader"])), timeout=30) as reader:
        return reader.makefile().readline()


@handler(model="echo")
def pieces(event, context):
    yield "first "
    yield word_from(event)


@handler(model="echo")
async def awaited_pieces(event, context):
    yield "first "
    yield word_from(event)


@handler(model="echo")
def events(event, context):
    def texts():
        yield "first "
        yield word_from(event)

    return StreamingResponse(texts(), format="sse")


def plain(event, context):
    yield "first "
    yield word_from(event)
