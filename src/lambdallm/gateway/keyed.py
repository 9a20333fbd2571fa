"""A call with a key that is kept elsewhere: read for it, and read again, once, where the provider refuses it.

Secrets are changed under running functions. What was read before serves for a while (see `llm.auth.secrets`); a 401
says that it may be old.
"""

from __future__ import annotations

from ..llm.auth.keys import configured_key, in_clear
from ..llm.auth.secrets import is_reference, secret_value
from ..llm.errors import LambdaLLMError, LLMAuthenticationError
from ..llm.flow import ENVIRONMENT
from ..llm.result import Err

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..llm.catalog.definition import ProviderDefinition
    from ..llm.errors import LLMError
    from ..llm.flow import Flow
    from ..llm.result import Result

FRESH_SECONDS = 5.0
"""What was read within so many seconds is not read again: a key that is wrong costs no request each time."""


def with_key(
    provider: ProviderDefinition,
    key: str | None,
    call: Callable[[str | None], Flow[Result[Any, LLMError]]],
    *,
    unless: Callable[[], bool] = bool,
) -> Flow[Result[Any, LLMError]]:
    """What `call` gives, told the key in clear; `None` where it is to be found as the definition says.

    It is called once more where it ends in a 401 and the key has changed meanwhile, `unless` that is too late. Raises
    `MissingKeyError` where a key can't be read.
    """
    reference = key if key is not None else configured_key(provider, (yield ENVIRONMENT))
    if not is_reference(reference):
        return (yield from call(key))
    used = yield from in_clear(reference, provider)
    result = yield from call(used)
    if not _refused(result) or unless():
        return result
    newer = yield from _read_again(reference)
    return result if newer is None or newer == used else (yield from call(newer))


def _refused(result: Result[Any, LLMError]) -> bool:
    return isinstance(result, Err) and isinstance(result.error, LLMAuthenticationError) and result.error.status == 401


def _read_again(reference: str) -> Flow[str | None]:
    """The secret as it is now; `None` where it can't be read, of which the refusal says enough."""
    try:
        return (yield from secret_value(reference, FRESH_SECONDS))
    except LambdaLLMError:
        return None
