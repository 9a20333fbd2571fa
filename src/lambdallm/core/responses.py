"""What a function returns, as what Lambda expects: a dictionary for HTTP events, the value itself for any other."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any


def is_http_event(event: Any) -> bool:
    """Whether an event is an HTTP request: API Gateway v1 and v2, a function URL, or a load balancer."""
    if not isinstance(event, dict):
        return False
    context = event.get("requestContext")
    return isinstance(context, dict) and ("httpMethod" in event or "http" in context or "elb" in context)


def lambda_response(event: Any, result: Any) -> Any:
    """The result as Lambda takes it.

    A dictionary with a `statusCode` is a finished response: a body that is no text becomes JSON. For an HTTP event
    anything else becomes the body of one; text stays text. Pieces of a stream are joined: whoever can send them one
    by one takes them before this.
    """
    result = joined(result)
    if isinstance(result, dict) and "statusCode" in result:
        body = result.get("body")
        return (
            result if body is None or isinstance(body, str) else {**_json(body), **result, "body": _json(body)["body"]}
        )
    if not is_http_event(event):
        return result
    if isinstance(result, str):
        return {"statusCode": 200, "headers": {"Content-Type": "text/plain; charset=utf-8"}, "body": result}
    return _json(result)


def is_stream(result: Any) -> bool:
    """Whether a result comes in pieces: a generator, or a stream of chunks."""
    return hasattr(result, "__next__") or hasattr(result, "texts")


def pieces(result: Any) -> Iterable[str]:
    """The text of a result that comes in pieces, as it comes."""
    for piece in result:
        text = getattr(piece, "delta", piece)
        if text:
            yield text if isinstance(text, str) else _json(text)["body"]


def joined(result: Any) -> Any:
    """A result in one piece."""
    return "".join(pieces(result)) if is_stream(result) else result


def _json(body: Any) -> dict[str, Any]:
    import json

    text = json.dumps(body, default=_plain, ensure_ascii=False)
    return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": text}


def _plain(value: Any) -> Any:
    """What JSON has no word for: dataclasses and values as objects, sets as lists."""
    if hasattr(value, "__dataclass_fields__"):
        return {name: getattr(value, name) for name in value.__dataclass_fields__}
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    if hasattr(value, "items"):
        return dict(value.items())
    raise TypeError(f"A {type(value).__name__} can't be sent as JSON. Return a dictionary, a list or text.")
