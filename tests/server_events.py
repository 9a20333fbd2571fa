"""Server-sent events as the standard has clients read them: https://html.spec.whatwg.org/multipage/server-sent-events.html."""


def events(stream):
    """Pairs of name and data."""
    found, name, data = [], "message", []
    for line in stream.decode().replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            name = value
        elif field == "data":
            data.append(value)
        elif not line and data:
            found.append((name, "\n".join(data)))
            name, data = "message", []
    return found
