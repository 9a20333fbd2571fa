"""The limits for programs with an event loop. What they decide is in `template` and `concurrency`."""

from __future__ import annotations

from ..drivers import shared_async_driver
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
    """Requests and tokens per minute, day and month. The arguments are those of `RateLimiterTemplate`.

    The clients take either kind of limiter: `acquire` and `release` are for calls that no client makes.
    """

    async def acquire(
        self, key: str = "", tokens: float = 0.0, *, deadline: float | None = None
    ) -> Result[Permit, LLMRateLimitError]:
        """Leave for one call with that many tokens; see `admit`."""
        return await shared_async_driver().run(self.admit(key, tokens, deadline=deadline))

    async def release(self, permit: Permit, actual_tokens: float | None = None) -> None:
        """Say how many tokens the call used, `None` where that is unknown."""
        await shared_async_driver().run(permit.settle(actual_tokens))


class ConcurrencyLimit(ConcurrencyTemplate):
    """Calls at a time. `async with limit:` takes a slot, and raises `LLMRateLimitError` where there is none."""

    async def __aenter__(self) -> Self:
        (await shared_async_driver().run(self.enter())).unwrap()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.leave()
