"""What a function returns, as what Lambda expects: a response for HTTP events, the value itself for any other.

The shapes of HTTP events are `runtime`'s, and loaded when one is met.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .context import LambdaLLMContext


def is_http_event(event: Any) -> bool:
    """Whether an event is an HTTP request: API Gateway v1 and v2, a function URL, or a load balancer.

    An authorizer is told of a request, and answers with a policy.
    """
    if not isinstance(event, dict) or event.get("methodArn") or event.get("routeArn"):
        return False
    context = event.get("requestContext")
    return isinstance(context, dict) and ("httpMethod" in event or "http" in context or "elb" in context)


def lambda_response(event: Any, result: Any, context: LambdaLLMContext | None = None) -> Any:
    """The result as Lambda takes it.

    For an HTTP event a `Response`, or a dictionary with a `statusCode`, is a whole response; anything else becomes the
    body of one: text stays text, bytes are sent as such, and the rest becomes JSON. For other events it is the value as
    JSON has it. What comes in pieces is joined before this, or goes another way (see `following`).

    Raises `TypeError` for what JSON has no word for.
    """
    if not is_http_event(event):
        return direct(result)
    result = getattr(result, "response", result)  # a pause says how it answers
    from ..runtime.response import shaped

    return shaped(event, result, plain, {} if context is None else more_headers(context))


def more_headers(context: LambdaLLMContext) -> dict[str, str]:
    """The headers that go with any response of an invocation."""
    more = dict(context.response_headers)
    if context.truncated:
        from ..runtime.response import TRUNCATED_HEADER

        more[TRUNCATED_HEADER] = "deadline"
    return more


def direct(result: Any) -> Any:
    """A result as JSON has it; what is JSON already is left as it is."""
    if hasattr(result, "for_direct"):
        result = result.for_direct()
    if _is_plain(result):
        return result
    if isinstance(result, dict) and "statusCode" in result and not isinstance(result.get("body"), (str, type(None))):
        import json

        body = json.dumps(result["body"], default=plain, ensure_ascii=False)
        return {"headers": {"Content-Type": "application/json"}, **_as_json(result), "body": body}
    return _as_json(result)


_PLAIN = (str, int, float, bool, type(None))


def _is_plain(value: Any) -> bool:
    if isinstance(value, dict):
        if "statusCode" in value and not isinstance(value.get("body"), (str, type(None))):
            return False
        return all(isinstance(key, str) and _is_plain(item) for key, item in value.items())
    if isinstance(value, list):
        return all(map(_is_plain, value))
    return isinstance(value, _PLAIN)


def _as_json(value: Any) -> Any:
    """A value with everything in it that JSON has no word for replaced."""
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, dict):
        return {key if isinstance(key, _PLAIN) else str(key): _as_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_json(item) for item in value]
    return _as_json(plain(value))


def comes_in_pieces(result: Any) -> bool:
    """Whether a result is a generator, a stream of chunks, awaited or not, or a response whose body is one."""
    if hasattr(result, "for_direct"):
        return hasattr(type(result), "pieces") or comes_in_pieces(result.body)
    return hasattr(result, "__next__") or hasattr(result, "__anext__")


def plain(value: Any) -> Any:
    """What JSON has no word for: dataclasses, values and models as objects, sets as lists, dates and ids as text.

    Raises `TypeError` naming anything else.
    """
    for convert in (_object, _by_method):
        if (found := convert(value)) is not None:
            return found
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    if hasattr(value, "items"):
        return dict(value.items())
    if comes_in_pieces(value):
        raise TypeError(f"A {type(value).__name__} comes in pieces itself. Yield them one by one, or join them first.")
    kind = type(value).__name__
    raise TypeError(f"A value of type {kind} can't be sent as JSON. Return a dictionary, a list or text.")


def _object(value: Any) -> Any:
    if isinstance(value, type):
        return None
    if hasattr(value, "__dataclass_fields__"):
        return {name: getattr(value, name) for name in value.__dataclass_fields__}
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    return value._asdict() if hasattr(value, "_asdict") else None


def _by_method(value: Any) -> Any:
    if hasattr(value, "isoformat"):
        return value.isoformat()
    kind = type(value).__name__
    if kind in ("UUID", "Decimal"):
        return str(value) if kind == "UUID" else float(value)
    return value.value if hasattr(type(value), "__members__") else None
