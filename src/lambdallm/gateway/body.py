"""A request's body as the gateway reads it: how large and deep it may be, which model it asks for, in which way."""

from __future__ import annotations

import json

from .._value import Value
from .http import GatewayError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .http import GatewayRequest


class Limits(Value):
    """What a request may have. `margin_seconds` are kept free before its deadline for the answer's end."""

    body_bytes: int = 20 * 1024 * 1024
    depth: int = 64
    margin_seconds: float = 1.0


class Asked(Value):
    """What a body says to the gateway itself; `value` is all of it, parsed."""

    model: str
    stream: bool
    value: dict[str, Any]
    body: bytes


def check_size(request: GatewayRequest, limits: Limits) -> None:
    """Raise `GatewayError` 413 for a body that is too large."""
    size = len(request.body)
    if size > limits.body_bytes:
        fix = "Send less at once, and images and documents as URLs instead of their bytes."
        message = f"The request has {size} bytes, and this gateway takes at most {limits.body_bytes}. {fix}"
        raise GatewayError(413, message, code="request_too_large", headers=(("x-should-retry", "false"),))


def read(request: GatewayRequest, limits: Limits, default_model: str = "") -> Asked:
    """The body's object, and the model and way of answering that it or the URL asks for. Raises `GatewayError` 400."""
    value = parsed(request.body, limits)
    if "model" in request.params:
        model: Any = request.params["model"]
        stream: Any = request.params.get("action") == "streamGenerateContent"
    else:
        model, stream = value.get("model"), value.get("stream")
    if model is None and default_model:
        value["model"] = model = default_model
        return Asked(model, stream is True, value, json.dumps(value, ensure_ascii=False).encode())
    if not isinstance(model, str) or not model:
        raise _bad("The request names no model. Say it in 'model'.", "model", "missing_required_parameter")
    return Asked(model.removeprefix("models/"), stream is True, value, request.body)


def parsed(body: bytes, limits: Limits) -> dict[str, Any]:
    """The body's JSON object. Raises `GatewayError` 400 for what is none, or nested too deep."""
    try:
        value = json.loads(body)
    except RecursionError:
        raise _too_deep(limits) from None
    except ValueError as error:
        raise _bad(f"The body is no JSON: {str(error)[:120]}. Send a JSON object in UTF-8.") from None
    if not isinstance(value, dict):
        raise _bad(f"The body is of the kind {type(value).__name__}. Send a JSON object.")
    if body.count(b"[") + body.count(b"{") > limits.depth:
        _check_depth(value, limits)
    return value


def _check_depth(value: Any, limits: Limits) -> None:
    level: list[Any] = [value]
    for _ in range(limits.depth):
        deeper: list[Any] = []
        for each in level:
            deeper.extend(each.values() if type(each) is dict else each)
        level = [each for each in deeper if type(each) is dict or type(each) is list]
        if not level:
            return
    raise _too_deep(limits)


def _too_deep(limits: Limits) -> GatewayError:
    return _bad(f"The body is nested deeper than {limits.depth} levels. Send it flatter.")


def _bad(message: str, param: str | None = None, code: str | None = None) -> GatewayError:
    return GatewayError(400, message, param=param, code=code)


def with_model(asked: Asked, model: str) -> bytes:
    """The body with another model and otherwise as it came, byte for byte where its model stands in one place."""
    if asked.model == model or asked.value.get("model") == model:
        return asked.body
    named, wanted = json.dumps(asked.value.get("model")).encode(), json.dumps(model).encode()
    for colon in (b":", b": "):
        pair = b'"model"' + colon + named
        if asked.body.count(b'"model"') == 1 and asked.body.count(pair) == 1:
            return asked.body.replace(pair, b'"model"' + colon + wanted)
    return json.dumps({**asked.value, "model": model}, ensure_ascii=False, separators=(",", ":")).encode()


def with_usage(body: bytes, asked: Asked) -> bytes:
    """The body of a streamed OpenAI chat with what asks for usage at the stream's end."""
    options = asked.value.get("stream_options")
    if options is None and "stream_options" not in asked.value:
        return body.replace(b"{", b'{"stream_options":{"include_usage":true},', 1)
    value = json.loads(body)
    value["stream_options"] = {**(options or {}), "include_usage": True}
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
