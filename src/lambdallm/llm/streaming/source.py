"""Iterators that are not ours: their next item, their failures as ours, and their end. Blocking and awaiting."""

from __future__ import annotations

from ..drivers.failures import as_llm_error
from ..errors import LambdaLLMError, StreamError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from typing import Any, TypeVar

    T = TypeVar("T")


def next_of(items: Iterator[T]) -> T | None:
    """The next item, `None` at the end. Raises a `LambdaLLMError` whatever the iterator raises."""
    try:
        return next(items, None)
    except LambdaLLMError:
        raise
    except Exception as error:
        raise as_ours(error) from error


async def anext_of(items: AsyncIterator[T]) -> T | None:
    """The asynchronous twin of `next_of`."""
    try:
        return await anext(items, None)
    except LambdaLLMError:
        raise
    except Exception as error:
        raise as_ours(error) from error


def as_ours(error: Exception) -> LambdaLLMError:
    """What an iterator that is not ours raised: the network's failures as such, anything else as a broken stream."""
    if isinstance(error, OSError):
        return as_llm_error(error)
    return StreamError(f"The stream failed: {error!r}.")


def close(source: object) -> None:
    """Close what can be closed; a list can't, and has nothing open."""
    getattr(source, "close", _nothing)()


async def aclose(source: object) -> None:
    """Close what can be closed, by its `aclose` or its `close`."""
    closing: Any = getattr(source, "aclose", None) or getattr(source, "close", _nothing)
    closed = closing()
    if hasattr(closed, "__await__"):
        await closed


def let_go(*sources: object) -> None:
    """Close what nobody reads any more; a failure to do so is logged, and harms nobody else."""
    for source in sources:
        try:
            close(source)
        except Exception:  # noqa: BLE001  # what was read of it is good
            _log(source)


async def alet_go(*sources: object) -> None:
    """The asynchronous twin of `let_go`."""
    for source in sources:
        try:
            await aclose(source)
        except Exception:  # noqa: BLE001  # what was read of it is good
            _log(source)


def _log(source: object) -> None:
    from logging import getLogger

    getLogger("lambdallm").exception("Closing %r failed.", source)


def _nothing() -> None:
    """Stand in for `close` where there is none."""
