"""The bridge to LiteLLM: `litellm/<its name of a model>` sends a call through the `litellm` package.

Its long tail of providers is then a provider like any other here: a transport that lives in the process and speaks
OpenAI's chat protocol. Retries, time limits, breakers and prices stay ours, so LiteLLM's own retries are off, and a
parameter that its provider can't take is an error, not dropped. It reads keys where it always does; `api_key` and
`base_url` are handed on when given.

LiteLLM was used to steal credentials: releases 1.82.7 and 1.82.8 of March 2026 carried a thief. Install it with hashes
(`requirements/litellm.txt`); this module refuses those two. It costs a second and more to import: a function that needs
a quick cold start names a provider of the catalog instead.

Source: docs.litellm.ai, "completion()", "Exception Mapping", "Embeddings".
"""

from __future__ import annotations

import os
import time

from ..errors import ConfigurationError, MissingExtraError
from .in_process import InProcessTransport, refuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, NoReturn

    from .in_process import Ask

_STOLEN = ("1.82.7", "1.82.8")

_CODES = {
    "ContextWindowExceededError": "context_length_exceeded",
    "ContentPolicyViolationError": "content_policy_violation",
    "AuthenticationError": "invalid_api_key",
    "NotFoundError": "model_not_found",
}
"""OpenAI's codes for what LiteLLM tells by an exception's class."""


_CALLS = {"/chat/completions": "completion", "/embeddings": "embedding"}
"""Its functions, by the operation of OpenAI's API that they answer."""


class LiteLLMTransport(InProcessTransport):
    """Answers OpenAI's chat and embeddings requests through LiteLLM."""

    def answer(self, ask: Ask) -> dict[str, Any]:
        """A whole answer, as LiteLLM gives it."""
        _, operation = _split(ask)
        return _plain(_called(getattr(_litellm(), _CALLS[operation]), ask))

    def stream(self, ask: Ask) -> Iterator[dict[str, Any]]:
        """The chunks of an answer, as LiteLLM gives them."""
        _split(ask)
        chunks = _called(_litellm().completion, ask)
        try:
            for chunk in _mapped(iter(chunks)):
                if ask.stop.requested:
                    return
                yield _plain(chunk)
        finally:
            getattr(chunks, "close", _nothing)()


def _litellm() -> Any:
    """The package, set so that it asks nobody anything on its own. Raises `MissingExtraError`."""
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    try:
        import litellm
    except ImportError as missing:
        raise MissingExtraError("A model named 'litellm/…'", "litellm") from missing
    _check_release()
    litellm.telemetry = False
    litellm.suppress_debug_info = True
    return litellm


def _check_release() -> None:
    from importlib.metadata import version

    release = version("litellm")
    if release in _STOLEN:
        fix = "Remove it, change every credential this machine has had, and install requirements/litellm.txt."
        raise ConfigurationError(f"litellm {release} steals credentials.", fix=fix)


def _called(function: Callable[..., Any], ask: Ask) -> Any:
    """LiteLLM's answer to a request. Raises `Refusal` for what it raises."""
    base, _ = _split(ask)
    given = {"api_key": _key(ask), "base_url": None if base.startswith("litellm:") else base}
    settings: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    until = ask.clock.until_read()
    if until is not None:
        settings["timeout"] = max(0.001, until - time.monotonic())
    return _told(lambda: function(**ask.body, **settings, num_retries=0, max_retries=0))


def _key(ask: Ask) -> str | None:
    scheme = next((value for name, value in ask.headers if name.lower() == "authorization"), "")
    return scheme.removeprefix("Bearer ") or None


def _split(ask: Ask) -> tuple[str, str]:
    """The endpoint and the operation that a request's URL names. Raises `Refusal` for what LiteLLM is not asked."""
    url = ask.url.partition("?")[0]
    operation = next(filter(url.endswith, _CALLS), None)
    if operation is None:
        refuse(404, f"LiteLLM is not asked for {ask.path!r}.", code="unknown_url")
    return url.removesuffix(operation), operation


def _told(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except Exception as error:  # noqa: BLE001 - LiteLLM's exceptions are OpenAI's classes, known by their status
        _refused(error)


def _mapped(chunks: Iterator[Any]) -> Iterator[Any]:
    end = object()
    while (chunk := _told(lambda: next(chunks, end))) is not end:
        yield chunk


def _refused(error: Exception) -> NoReturn:
    """The refusal that an exception of LiteLLM's means; what has no status is raised as it is."""
    status = getattr(error, "status_code", None)
    if not isinstance(status, int) or status < 400:
        raise error
    kind = type(error).__name__
    headers = getattr(getattr(error, "response", None), "headers", None)
    wait = headers.get("retry-after") if headers is not None else None
    message = str(getattr(error, "message", error)).removeprefix(f"litellm.{kind}: ")
    refuse(status, message, kind=kind, code=_CODES.get(kind), headers=(("retry-after", wait),) if wait else ())


def _plain(answer: Any) -> dict[str, Any]:
    plain: dict[str, Any] = answer.model_dump(mode="json", exclude_none=True)
    return plain


def _nothing() -> None:
    """Stand in for `close` where an iterator has none."""
