"""What an extraction gave and what it took: the value, and the bill of all tries."""

from __future__ import annotations

from ..._value import Value
from ..errors import CallerError, LLMContentFilterError
from ..types import Usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Generic, TypeVar

    from ..errors import LLMError
    from ..types import Completion
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


class Tally:
    """Adds up what the tries of one extraction used and cost, each once.

    `usage` is what is known of it; `cost_usd` is `None` as soon as the cost of one try is unknown. `begun` says that
    something of an answer has come.
    """

    def __init__(self) -> None:
        self.attempts = 0
        self.begun = False
        self.usage: Usage | None = None
        self.cost_usd: float | None = 0.0

    def answered(self, completion: Completion) -> None:
        """A try that brought an answer."""
        self.attempts += completion.attempts
        self.begun = True
        self._add(completion.usage, completion.cost_usd)

    def failed(self, error: LLMError) -> None:
        """A try that brought an error: free where the provider refused it, of unknown cost where nobody says."""
        self.attempts += error.attempts
        if error.usage is None and error.cost_usd is None and _free(error):
            return
        self._add(error.usage, error.cost_usd)

    def on(self, error: LLMError) -> LLMError:
        """The error, told what all tries used and cost."""
        error.attempts, error.usage, error.cost_usd = self.attempts, self.usage, self.cost_usd
        return error

    def _add(self, usage: Usage | None, cost_usd: float | None) -> None:
        if usage is not None:
            self.usage = usage if self.usage is None else self.usage + usage
        self.cost_usd = None if self.cost_usd is None or cost_usd is None else self.cost_usd + cost_usd


def _free(error: LLMError) -> bool:
    """Whether no model has worked for it: nothing was sent, or the provider answered with an error."""
    if isinstance(error, LLMContentFilterError):
        return False
    return not error.sent or error.status is not None or isinstance(error, CallerError)
