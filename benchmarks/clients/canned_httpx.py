"""A transport without a network for SDKs on `httpx` or its successor `httpx2`: every request has the same answer."""


def canned_transport(httpx, answer, *, stream: bool):
    """A mock transport of either library that answers whole, or with a stream's events as pieces of their own."""

    class Events(httpx.SyncByteStream):
        def __iter__(self):
            return iter(answer.events)

    kind = answer.stream_type if stream else "application/json"
    headers = [("Content-Type", kind), *answer.headers]

    def respond(_request):
        if stream:
            return httpx.Response(200, headers=headers, stream=Events())
        return httpx.Response(200, headers=headers, content=answer.whole)

    return httpx.MockTransport(respond)


def canned_client(httpx, answer, *, stream: bool):
    """A client of either library over such a transport."""
    return httpx.Client(transport=canned_transport(httpx, answer, stream=stream))
