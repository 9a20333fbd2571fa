"""The bill of several tries: what they used and cost, whoever made them and why."""

from __future__ import annotations

from .errors import CallerError, LLMContentFilterError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .errors import LLMError
    from .types import Completion, Usage


class Tally:
    """Adds up what the tries of one question used and cost, each once.

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
