"""What an extraction gave: the value, and what it took."""

from __future__ import annotations

from ..._value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Generic, TypeVar

    from ..types import Completion, Usage
    from .modes import Mode

    T_co = TypeVar("T_co", covariant=True)

    class _Of(Value, Generic[T_co]): ...

else:

    class _Of(Value):
        def __class_getitem__(cls, _item):
            return cls

    T_co = None


class Extraction(_Of[T_co]):
    """A value of the output model, and how it came about.

    `completion` is the answer it was read from. `attempts` counts the tries, refused ones and those of the client's own
    retries too; `usage` adds up what is known of them, `cost_usd` is `None` where a part is unknown. `mode` is how the
    structure was asked for in the end.
    """

    value: T_co
    completion: Completion
    mode: Mode
    usage: Usage | None = None
    cost_usd: float | None = None
    attempts: int = 1
    warnings: tuple[str, ...] = ()
