"""The limits that block, under the names of those that await: for Lambda handlers, without an event loop.

from lambdallm.llm.rate_limiting.sync import RateLimiter
"""

from __future__ import annotations

from ..drivers import shared_driver
from .concurrency import ConcurrencyTemplate
from .template import RateLimiterTemplate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from ..errors import LLMRateLimitError
    from ..result import Result
    from .permit import Permit


class RateLimiter(RateLimiterTemplate):
    """Requests and tokens per minute, day and month. The arguments are those of `RateLimiterTemplate`."""

    def acquire(
        self, key: str = "", tokens: float = 0.0, *, deadline: float | None = None
    ) -> Result[Permit, LLMRateLimitError]:
        """Leave for one call with that many tokens; see `admit`."""
        return shared_driver().run(self.admit(key, tokens, deadline=deadline))

    def release(self, permit: Permit, actual_tokens: float | None = None) -> None:
        """Say how many tokens the call used, `None` where that is unknown."""
        shared_driver().run(permit.settle(actual_tokens))


class ConcurrencyLimit(ConcurrencyTemplate):
    """Calls at a time. `with limit:` takes a slot, and raises `LLMRateLimitError` where there is none."""

    def __enter__(self) -> Self:
        shared_driver().run(self.enter()).unwrap()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.leave()
