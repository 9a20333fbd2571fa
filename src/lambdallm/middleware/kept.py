"""Something that is looked up when it is first needed and kept for a while: keys, secrets, lists of keys.

While a newer one can't be had, the one in hand serves, but not for ever: a key may have been taken back meanwhile.
"""

from __future__ import annotations

from .._hooks import kept_out_of_snapshots
from ..llm.auth.secrets import is_reference, secret_value
from ..llm.backends.adapt import called
from ..llm.flow import NOW

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Generic, TypeVar

    from ..llm.flow import Flow

    T = TypeVar("T")

    class _OfItem(Generic[T]): ...

else:

    class _OfItem:
        def __class_getitem__(cls, _item):
            return cls

    T = None


_STALE = 24


class Kept(_OfItem[T]):
    """What `look_up` gives, for `seconds`, and for 24 times as long while looking it up fails.

    While one is in hand, a failure is not followed by another try for `rest_seconds`.
    """

    def __init__(self, look_up: Callable[[], Flow[T]], seconds: float, rest_seconds: float = 30.0) -> None:
        self.seconds, self.rest_seconds = seconds, rest_seconds
        self._look_up = look_up
        self.forget()
        kept_out_of_snapshots(self)

    def forget(self) -> None:
        """Have nothing in hand."""
        self._item: T | None = None
        self._looked = self._got = float("-inf")

    def get(self) -> Flow[T]:
        """The item. Raises what looking it up raises, where there is none in hand."""
        now = (yield NOW).monotonic
        if self._item is not None and (now < self._got + self.seconds or now < self._looked + self.rest_seconds):
            return self._item
        return (yield from self._newer(now))

    def again(self) -> Flow[T]:
        """The item, looked up again unless that was done within the last `rest_seconds`: it seems to have changed."""
        now = (yield NOW).monotonic
        if self._item is not None and now < self._looked + self.rest_seconds:
            return self._item
        return (yield from self._newer(now))

    def _newer(self, now: float) -> Flow[T]:
        self._looked = now
        try:
            item = yield from self._look_up()
        except Exception as error:
            if self._item is None or now >= self._got + _STALE * self.seconds:
                self._item = None
                raise
            _warn(error)
            return self._item
        self._item, self._got = item, now
        return item


def is_elsewhere(source: Any) -> bool:
    """Whether a source has to be asked for its value: a function, or the name of a secret (`secret:prod/keys`)."""
    return callable(source) or is_reference(source)


def value_of(source: Any, kept_seconds: float, seconds: float = 5.0) -> Flow[Any]:
    """A source's value: what a function returns, blocking or not, what a named secret holds, or the source itself.

    A secret that was read longer than `kept_seconds` ago is read again.

    Raises `BackendError` for a function that fails or takes longer, and for a secret that can't be read.
    """
    if is_reference(source):
        return (yield from secret_value(source, kept_seconds))
    return (yield from called(source, seconds=seconds)) if callable(source) else source


def _warn(error: Exception) -> None:
    import logging

    logging.getLogger("lambdallm.middleware").warning(
        "What is in hand serves on, since looking it up failed: %s", error
    )
